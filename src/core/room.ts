// What a limit says of itself to who stands outside it: whether there is room, before anything is taken.

/** Of a limit on how much runs at once. Ranks: 0 critical, 1 normal, 2 sheddable, 3 background. */
export interface Room {
  /** How many more of this rank would be let in now, those included that may wait. */
  free(rank: number): number;
  /** How many there is room for in all. */
  readonly size: number;
  /** Whether the limit grows where places are missed: one kept free is no work left undone then. */
  readonly grows: boolean;
  /** Whether it shares what there is between tenants by itself. */
  readonly isFair?: boolean;
  /** Whether somebody who waits there would make room for a tenant that has so much under way. */
  yields?(rank: number, tenant: { readonly running: number }): boolean;
  /** How long one takes, in ms; `NaN`: not known. */
  readonly latencyMs: number;
  /** Somebody was turned away for the want of room, and not by the limit itself. */
  missed(): void;
}

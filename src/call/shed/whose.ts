// Whose call it is, for what stands inside: a queue of a bulkhead lets tenants in by turns.

/** How much of it is, and was, under way. */
export interface Using {
  /** So many calls now: let in, and not answered yet. */
  running: number;
  /** So many on the average, when it last changed: then so many had been let in of all tenants. */
  used: number;
  usedAt: number;
}

/** One of those among whom a share is fair. */
export interface Tenant extends Using {
  /** Those among whom it is; after a `reset()` there are others. */
  readonly among: { leave(tenant: Tenant): void };
  seenAt: number;
}

/** By call. Empty where no load shedding tells tenants apart. */
const known = new WeakMap<object, Tenant>();
let isAnyKnown = false;

export function whose(call: object): Tenant | undefined {
  return isAnyKnown ? known.get(call) : undefined;
}

export function belongsTo(call: object, tenant: Tenant): void {
  isAnyKnown = true;
  known.set(call, tenant);
}

/** It is answered, and waits nowhere any more. */
export function forget(call: object): void {
  known.delete(call);
}

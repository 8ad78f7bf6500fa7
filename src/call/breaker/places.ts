// The places of a half-open breaker. Each is leased: a call that never settles does not keep one for ever.

export class Places {
  private readonly leaseMs: number;
  private wanted: number;
  private successes = 0;
  /** Until when; the oldest first. */
  private readonly leases = new Map<object, number>();
  /** Whoever was let in counts when it settles, though its place may have been given to another meanwhile. */
  private readonly probes = new WeakSet<object>();

  constructor(calls: number, leaseMs: number) {
    this.wanted = calls;
    this.leaseMs = leaseMs;
  }

  get succeededSoFar(): number {
    return this.successes;
  }

  /** How many must still succeed: no more are let in at a time. Where fewer are wanted than have succeeded, one more decides. */
  private get left(): number {
    return Math.max(1, this.wanted - this.successes);
  }

  /** So many must succeed in all, from now on; those let in keep their places. */
  want(calls: number): void {
    this.wanted = calls;
  }

  /** Ms until a place can be taken; 0: one can. */
  waitMs(now: number): number {
    if (this.leases.size < this.left) return 0;
    const [oldest = now] = this.leases.values();
    return Math.max(0, oldest - now);
  }

  /** Only where `waitMs` says 0. */
  take(holder: object, now: number): void {
    const [oldest] = this.leases.keys();
    if (oldest !== undefined && this.leases.size >= this.left) this.leases.delete(oldest);
    this.leases.set(holder, now + this.leaseMs);
    this.probes.add(holder);
  }

  /** Gives whether it was let in. */
  giveBack(holder: object): boolean {
    this.leases.delete(holder);
    return this.probes.delete(holder);
  }

  /** Gives whether none is wanted any more. */
  succeeded(): boolean {
    return ++this.successes >= this.wanted;
  }
}

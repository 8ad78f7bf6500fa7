// Who has how much under way, of those among whom a share is fair. So many are remembered and no more.

interface Tenant {
  running: number;
  seenAt: number;
}

/** So many are known apart; of more, those who have nothing under way and came longest ago are forgotten. */
const most = 1_000;
/** Who has not come for so long, and has nothing under way, takes no share. */
const goneMs = 10_000;

export class Tenants {
  private readonly known = new Map<string, Tenant>();
  private running = 0;
  private sweptAt = 0;

  get size(): number {
    return this.known.size;
  }

  /** Whether it has its fair share under way already; `of`: what there is to share, or `undefined`: what is under way. */
  isOver(name: string, now: number, of: number | undefined): boolean {
    const tenant = this.come(name, now);
    if (this.known.size < 2) return false;
    return tenant.running >= Math.max(1, (of ?? this.running) / this.known.size);
  }

  enter(name: string, now: number): void {
    this.come(name, now).running++;
    this.running++;
  }

  leave(name: string): void {
    const tenant = this.known.get(name);
    if (tenant === undefined) return;
    tenant.running--;
    this.running--;
  }

  private come(name: string, now: number): Tenant {
    const known = this.known.get(name);
    if (known !== undefined) {
      known.seenAt = now;
      if (now - this.sweptAt > goneMs / 10) this.sweep(now, goneMs);
      return known;
    }
    if (this.known.size >= most) this.sweep(now, 0);
    const tenant = { running: 0, seenAt: now };
    this.known.set(name, tenant);
    return tenant;
  }

  /** Forgets who is gone; with `forMs` 0: half of those who have nothing under way, the ones seen first. */
  private sweep(now: number, forMs: number): void {
    this.sweptAt = now;
    let left = forMs > 0 ? Number.POSITIVE_INFINITY : most / 2;
    for (const [name, { running, seenAt }] of this.known) {
      if (running > 0 || now - seenAt < forMs) continue;
      this.known.delete(name);
      if (--left <= 0) return;
    }
  }
}

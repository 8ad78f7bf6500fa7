// Who has how much under way, of those among whom a share is fair. So many are remembered and no more.
import type { Tenant, Using } from "./whose.ts";

/** So many are known apart; of more, those who have nothing under way and came longest ago are forgotten. */
const most = 1_000;
/** Who has not come for so long, and has nothing under way, takes no share. */
const goneMs = 10_000;
/** What was under way is averaged over so many that were let in. */
const remembered = 100;

export class Tenants implements Using {
  private readonly known = new Map<string, Tenant>();
  running = 0;
  used = 0;
  usedAt = 0;
  /** So many were let in: the clock by which it is known what was of late. */
  private entered = 0;
  private sweptAt = 0;

  get size(): number {
    return this.known.size;
  }

  /** Whether it has had more than an equal share of what was under way of late; nobody is who has nothing under way. */
  isOver(tenant: Tenant): boolean {
    if (this.known.size < 2 || tenant.running === 0) return false;
    return this.usedBy(tenant) * this.known.size > this.usedBy(this);
  }

  enter(tenant: Tenant): void {
    this.touch(tenant, 1);
    this.touch(this, 1);
    this.entered++;
  }

  leave(tenant: Tenant): void {
    this.touch(tenant, -1);
    this.touch(this, -1);
  }

  /** One of its calls has come. */
  come(name: string, now: number): Tenant {
    const known = this.known.get(name);
    if (known !== undefined) {
      known.seenAt = now;
      if (now - this.sweptAt > goneMs / 10) this.sweep(now, goneMs);
      return known;
    }
    if (this.known.size >= most) this.sweep(now, 0);
    const tenant = { among: this, running: 0, seenAt: now, used: 0, usedAt: this.entered };
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

  private touch(whose: Using, more: number): void {
    whose.used = this.usedBy(whose);
    whose.usedAt = this.entered;
    whose.running += more;
  }

  /** On the average of late. */
  private usedBy({ running, used, usedAt }: Using): number {
    return running + (used - running) * Math.exp((usedAt - this.entered) / remembered);
  }
}

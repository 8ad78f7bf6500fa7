// What is kept, in lru-cache: bounded, without a timer, and nothing at all until there is something to keep. lru-cache knows of
// no lifetimes: an entry has its own, on our clock, which spares two lists of times and their upkeep.
import { LRUCache } from "lru-cache";
import type { LiveSeams } from "../../core/seams.ts";
import type { HoldOff } from "./holdOff.ts";
import type { Key } from "./keys.ts";

/** Room at first; doubled up to `max` as it fills: lru-cache takes all its room at once, some 40 bytes for each entry that may come. */
const first = 16;

export interface Entry {
  /** Or, of a failure that is kept, the error. */
  readonly value: unknown;
  /** The call that failed with it; `undefined`: it is no failure. */
  readonly failedIn: string | undefined;
  /** Since when; on the clock of the entries. */
  readonly at: number;
  /** Its lifetime in ms as it was when it came: its own, or the declared one. */
  readonly ttl: number;
  /** After so many ms it is past all use, whatever is declared then. */
  readonly keepMs: number;
  /** The key without the tenant. */
  readonly asked: Key;
  /** Where a refresh has failed: until when no other one begins. */
  holdOff: HoldOff | undefined;
}

export class Entries {
  /** When it was last looked. */
  now = 0;
  private readonly seams: LiveSeams;
  private max: number;
  private kept: LRUCache<Key, Entry> | undefined;
  /** Some are of a tenant's own: what is asked alone does not find them. */
  private haveTenants = false;

  constructor(seams: LiveSeams, max: number) {
    this.seams = seams;
    this.max = max;
  }

  get size(): number {
    return this.kept?.size ?? 0;
  }

  /** Not yet past all use; `now` is the time at which it was found. */
  find(key: Key): Entry | undefined {
    const entry = this.kept?.get(key);
    if (entry === undefined || this.isOfUse(entry)) return entry;
    this.drop(key);
    return undefined;
  }

  /** The same, and it is not taken for a use. */
  peek(key: Key): Entry | undefined {
    const entry = this.kept?.peek(key);
    return entry !== undefined && this.isOfUse(entry) ? entry : undefined;
  }

  put(key: Key, { value, failedIn, ttl, asked }: Omit<Entry, "at" | "keepMs" | "holdOff">, keepMs: number): void {
    this.kept ??= new LRUCache({ max: Math.min(first, this.max) });
    const { max, size } = this.kept;
    if (size === max && max < this.max && !this.kept.has(key)) this.move(Math.min(2 * max, this.max));
    if (key !== asked) this.haveTenants = true;
    this.kept?.set(key, { value, failedIn, at: this.look(), ttl, keepMs, asked, holdOff: undefined });
  }

  drop(key: Key): void {
    this.kept?.delete(key);
  }

  /** Of all tenants. */
  dropAsked(asked: Key): void {
    const { kept } = this;
    kept?.delete(asked);
    if (kept !== undefined && this.haveTenants)
      for (const key of [...kept.keys()]) if (kept.peek(key)?.asked === asked) kept.delete(key);
  }

  clear(): void {
    this.kept = undefined;
    this.haveTenants = false;
  }

  /** Those that were used last stay. */
  resize(max: number): void {
    if (max === this.max) return;
    this.max = max;
    if (this.kept !== undefined) this.move(Math.min(max, this.kept.max));
  }

  /** To another room; what is past all use stays behind. */
  private move(room: number): void {
    const { kept } = this;
    if (kept === undefined) return;
    const next = new LRUCache<Key, Entry>({ max: room });
    this.look();
    for (const key of [...kept.rkeys()]) {
      const entry = kept.peek(key);
      if (entry !== undefined && this.isStillOfUse(entry)) next.set(key, entry);
    }
    this.kept = next;
  }

  look(): number {
    this.now = this.seams.clock.monotonic();
    return this.now;
  }

  private isOfUse(entry: Entry): boolean {
    this.look();
    return this.isStillOfUse(entry);
  }

  /** By the last look; what came later than now came by another clock. */
  private isStillOfUse({ at, keepMs }: Entry): boolean {
    return at <= this.now && this.now - at <= keepMs;
  }
}

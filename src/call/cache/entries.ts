// What is kept, in lru-cache: bounded, on our clock, without a timer, and nothing at all until there is something to keep.
import { LRUCache } from "lru-cache";
import type { LiveSeams } from "../../core/seams.ts";
import type { Key } from "./keys.ts";

/** Room at first; doubled up to `max` as it fills. */
const first = 16;

export interface Entry {
  /** Or, of a failure that is kept, the error. */
  readonly value: unknown;
  readonly failed: boolean;
  /** Since when; on the clock of the entries. */
  readonly at: number;
  /** Its own lifetime in ms; `undefined`: the declared one, as it is when somebody asks. */
  readonly ttl: number | undefined;
  /** The key without the tenant. */
  readonly asked: Key;
}

export class Entries {
  /** When it was last looked. */
  now = 0;
  private readonly seams: LiveSeams;
  private max: number;
  private kept: LRUCache<Key, Entry> | undefined;
  /** What lru-cache is to take for now: a look at the clock is dear. */
  private readonly perf = { now: () => (this.isPutting ? this.now : this.look()) };
  private isPutting = false;

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
    if (entry === undefined || entry.at <= this.now) return entry;
    this.drop(key); // by another clock
    return undefined;
  }

  /** The same, and it is not taken for a use. */
  peek(key: Key): Entry | undefined {
    return this.kept?.peek(key);
  }

  put(key: Key, { value, failed, ttl, asked }: Omit<Entry, "at">, keepMs: number): void {
    this.kept ??= this.make(Math.min(first, this.max));
    const at = this.look();
    const { max, size } = this.kept;
    if (size === max && max < this.max && !this.kept.has(key)) this.move(Math.min(2 * max, this.max));
    this.isPutting = true;
    this.kept?.set(key, { value, failed, ttl, asked, at }, { ttl: keepMs });
    this.isPutting = false;
  }

  drop(key: Key): void {
    this.kept?.delete(key);
  }

  /** Of all tenants. */
  dropAsked(asked: Key): void {
    const { kept } = this;
    if (kept !== undefined) for (const [key, entry] of kept.dump()) if (entry.value.asked === asked) kept.delete(key);
  }

  clear(): void {
    this.kept = undefined;
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
    const next = this.make(room);
    for (const key of [...kept.rkeys()]) {
      const entry = kept.peek(key);
      const ttl = kept.getRemainingTTL(key);
      if (entry !== undefined && ttl > 0) next.set(key, entry, { ttl });
    }
    this.kept = next;
  }

  look(): number {
    this.now = this.seams.clock.monotonic() + 1; // to lru-cache a start of 0 is none
    return this.now;
  }

  /** It takes all its room at once: some 40 bytes for each entry that may come. */
  private make(room: number): LRUCache<Key, Entry> {
    // a resolution would be a timer of its own, on the machine's clock
    return new LRUCache({ max: room, ttlResolution: 0, perf: this.perf });
  }
}

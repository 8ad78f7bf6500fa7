// One of each for each key, of the keys seen last: no room is taken until there is a key, and then it grows with them.
import { LRUCache } from "lru-cache";

/** Room at first; doubled as it fills: lru-cache takes all its room at once, some 20 bytes for each key that may come. */
const first = 16;

export class Keyed<V extends object> {
  private readonly most: number;
  private readonly losesNothing: (value: V) => boolean;
  private readonly looks: number;
  private kept: LRUCache<string, V> | undefined = undefined;

  /** Where there are `most`, one that loses nothing by being forgotten goes, if one of so many used longest ago does. */
  constructor(most: number, losesNothing: (value: V) => boolean, looks = most) {
    this.most = most;
    this.losesNothing = losesNothing;
    this.looks = looks;
  }

  get size(): number {
    return this.kept?.size ?? 0;
  }

  get(key: string): V | undefined {
    return this.kept?.get(key);
  }

  /** Without counting as a use. */
  peek(key: string): V | undefined {
    return this.kept?.peek(key);
  }

  add(key: string, value: V): V {
    this.kept ??= new LRUCache({ max: Math.min(first, this.most) });
    if (this.kept.size === this.kept.max) this.makeRoom(this.kept);
    this.kept.set(key, value);
    return value;
  }

  *entries(): Iterable<[string, V]> {
    if (this.kept !== undefined) yield* this.kept.entries();
  }

  private makeRoom(kept: LRUCache<string, V>): void {
    if (kept.max < this.most) {
      this.kept = new LRUCache({ max: Math.min(2 * kept.max, this.most) });
      for (const key of kept.rkeys()) this.kept.set(key, kept.peek(key) as V);
      return;
    }
    let looked = 0;
    for (const key of kept.rkeys()) {
      if (this.losesNothing(kept.peek(key) as V)) return void kept.delete(key);
      if (++looked >= this.looks) return;
    }
  }
}

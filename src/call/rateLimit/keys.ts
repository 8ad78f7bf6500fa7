// A limit for each key, of the keys seen last.
import { LRUCache } from "lru-cache";
import type { LiveSeams } from "../../core/seams.ts";
import { Limiter } from "./limiter.ts";
import type { Settings } from "./settings.ts";

/** So many keys have a limit of their own at a time. */
export const mostKeys = 10_000;
/** So many of those used longest ago are looked at, for one that can be forgotten without loss. */
const looks = 50;

export class Limiters {
  settings: Settings;
  private readonly seams: LiveSeams;
  private readonly kept = new LRUCache<string, Limiter>({ max: mostKeys });

  constructor(settings: Settings, seams: LiveSeams) {
    this.settings = settings;
    this.seams = seams;
  }

  at(input: unknown): Limiter {
    const key = (this.settings.key as (input: unknown) => unknown)(input);
    if (typeof key !== "string") throw new TypeError(`The key of a rate limit has to be a string, not ${typeof key}.`);
    const known = this.kept.get(key);
    if (known !== undefined) return known;
    if (this.kept.size >= mostKeys) this.makeRoom();
    const made = new Limiter(this.settings, this.seams);
    this.kept.set(key, made);
    return made;
  }

  /** For all keys: those that are known, and those to come. */
  change(settings: Settings): void {
    this.settings = settings;
    for (const limiter of this.kept.values()) limiter.change(settings);
  }

  state(): { readonly keys: number; readonly waiting: number } {
    const waiting = [...this.kept.values()].reduce((sum, limiter) => sum + limiter.waiting, 0);
    return { keys: this.kept.size, waiting };
  }

  /** Whose quota is whole again loses nothing by being forgotten; only where there is none, what was used longest ago goes. */
  private makeRoom(): void {
    let looked = 0;
    for (const key of this.kept.rkeys()) {
      if (this.kept.peek(key)?.isIdle) return void this.kept.delete(key);
      if (++looked >= looks) return;
    }
  }
}

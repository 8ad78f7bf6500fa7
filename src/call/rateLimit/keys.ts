// A limit for each key, of the keys seen last.
import type { LiveSeams } from "../../core/seams.ts";
import { Keyed } from "../keyed.ts";
import { Limiter } from "./limiter.ts";
import type { Settings } from "./settings.ts";
import { keyOf } from "./told.ts";

/** So many keys have a limit of their own at a time. */
export const mostKeys = 10_000;
/** So many of those used longest ago are looked at, for one that can be forgotten without loss. */
const looks = 50;

export class Limiters {
  settings: Settings;
  private readonly seams: LiveSeams;
  /** Whose quota is whole again loses nothing by being forgotten; only where there is none, what was used longest ago goes. */
  private readonly kept = new Keyed<Limiter>(mostKeys, ({ isIdle }) => isIdle, looks);

  constructor(settings: Settings, seams: LiveSeams) {
    this.settings = settings;
    this.seams = seams;
  }

  /** `call`: its name. */
  at(input: unknown, call: string): Limiter {
    const key = keyOf(this.settings, input, call);
    return this.kept.get(key) ?? this.kept.add(key, new Limiter(this.settings, this.seams));
  }

  /** For all keys: those that are known, and those to come. */
  change(settings: Settings): void {
    this.settings = settings;
    for (const [, limiter] of this.kept.entries()) limiter.change(settings);
  }

  /** `pausedMs`: of the key that is held back longest. */
  state(): { readonly keys: number; readonly waiting: number; readonly pausedMs: number } {
    let waiting = 0;
    let pausedMs = 0;
    for (const [, limiter] of this.kept.entries()) {
      waiting += limiter.waiting;
      pausedMs = Math.max(pausedMs, limiter.pausedMs);
    }
    return { keys: this.kept.size, waiting, pausedMs };
  }
}

// One load of one key: what its end means for what is kept.

import { discard, holdInCommon } from "../../core/discard.ts";
import { toMs } from "../../core/duration.ts";
import { OptionsInvalidError } from "../../core/errors.ts";
import { FAULT } from "../../core/final.ts";
import { Flight, type Landing, type Tower } from "../../core/flight.ts";
import type { Stack } from "../../core/stack.ts";
import { verdicts } from "../../core/table.ts";
import type { FailureKind } from "../../core/verdict.ts";
import { isWhole } from "../../core/whole.ts";
import type { Entries } from "./entries.ts";
import { HoldOff } from "./holdOff.ts";
import { type Key, saidBy, typeName } from "./keys.ts";
import type { OnceOnly } from "./once.ts";
import type { Settings } from "./settings.ts";

/** After these nothing stale is served: what was known is no longer an answer, or not this caller's. */
const denies: ReadonlySet<FailureKind> = new Set(["unauthorized", "invalid", "contentFiltered", "bug"]);
/** These say of the input itself that it has no answer. */
const lasting: ReadonlySet<FailureKind> = new Set(["invalid", "tooLarge", "contentFiltered"]);

/** Whether the last good answer may stand in after such a failure. */
export function allowsStale(kind: FailureKind): boolean {
  return kind !== "cancelled" && !denies.has(kind);
}

/** The cache, as its loads know it. */
export interface Keeper {
  readonly settings: Settings;
  readonly entries: Entries;
  readonly once: OnceOnly;
  over(load: Load): void;
  /** Whether there is an answer that may be given still, be it stale. */
  holdsAnswer(key: Key): boolean;
}

/** By what it is known. */
export interface Asked {
  readonly key: Key;
  /** The key without the tenant. */
  readonly asked: Key;
}

export class Load implements Asked, Tower {
  readonly flight: Flight;
  readonly key: Key;
  readonly asked: Key;
  /** What it gives is not to be kept: its caller wants none of the cache, or it began before the key was deleted. */
  unkept: boolean;
  /** For one caller only. */
  private readonly apart: boolean;
  private readonly keeper: Keeper;
  private readonly input: unknown;

  constructor(keeper: Keeper, stack: Stack, input: unknown, { key, asked }: Asked, apart: boolean, startedAt: number) {
    this.keeper = keeper;
    this.input = input;
    this.key = key;
    this.asked = asked;
    this.unkept = this.apart = apart;
    this.flight = new Flight(stack, this, startedAt);
  }

  deserted(): void {
    this.keeper.over(this);
  }

  landed(landing: Landing): Landing {
    this.keeper.over(this);
    const { ok, value, flight } = landing;
    const once = ok ? this.keeper.once.find(value) : undefined;
    if (once !== undefined) {
      discard(value, flight.stack.discard);
      if (once.part !== value) discard(once.part, undefined);
      return {
        ...landing,
        ok: false,
        value: refusalOf(flight.stack.name, once.what, once.path),
        verdict: verdicts.bug,
      };
    }
    if (ok && !this.apart) holdInCommon(value);
    if (this.unkept) return landing;
    try {
      this.keep(landing);
    } catch (error) {
      return { ...landing, ok: false, value: error, verdict: FAULT };
    }
    return landing;
  }

  private keep({ ok, value, verdict, flight }: Landing): void {
    const { asked, key } = this;
    const { entries, settings } = this.keeper;
    if (verdict === undefined) {
      if (flight.rare?.restsOnLess || !isWhole(value)) return;
      const ttl = this.lifetimeOf(value, flight.stack.name);
      if (ttl === 0) return entries.drop(key);
      const stale = Math.max(settings.staleOnError, settings.whileRevalidating);
      return entries.put(key, { value, failedIn: undefined, ttl, asked }, ttl + stale);
    }
    const { kind, retryAfterMs } = verdict;
    if (denies.has(kind)) entries.drop(key);
    if (retryAfterMs !== undefined) this.holdOff(retryAfterMs);
    if (ok || settings.negative === 0 || !lasting.has(kind)) return;
    if (allowsStale(kind) && this.keeper.holdsAnswer(key)) return; // it is to stand in for this failure
    const ttl = settings.negative;
    entries.put(key, { value, failedIn: flight.id, ttl, asked }, ttl);
  }

  /** What is kept is not refreshed before the time that the other side told. */
  private holdOff(ms: number): void {
    const { entries } = this.keeper;
    const entry = entries.peek(this.key);
    if (entry === undefined) return;
    entry.holdOff ??= new HoldOff();
    entry.holdOff.atLeast(entries.now + ms);
  }

  /** As declared, or its own. */
  private lifetimeOf(value: unknown, name: string): number {
    const { ttl } = this.keeper.settings;
    if (typeof ttl === "number") return ttl;
    try {
      const given = ttl(value, this.input);
      const ms = toMs(given);
      if (!Number.isNaN(ms)) return ms;
      const wanted = 'milliseconds from `ttl`, or a text such as "20s"; 0 for what is not to be kept';
      throw new OptionsInvalidError(name, [{ path: "cache.ttl", wanted: `${wanted}; not ${unfit(given)}` }]);
    } catch (error) {
      throw saidBy(error, "ttl", ttl);
    }
  }
}

/** A number says nothing of the answer. */
function unfit(given: unknown): string {
  return typeof given === "number" ? String(given) : typeName(given);
}

function refusalOf(name: string, got: string, path: string): OptionsInvalidError {
  const where = path === "" ? "" : `; it is the answer's \`${path}\``;
  const wanted = `no ${got.split(" ")[1]}: it can be read once only, and what is cached is given to many; read it inside the operation (\`return await response.json()\`), or take the cache away${where}`;
  return new OptionsInvalidError(name, [{ path: "cache", wanted }]);
}

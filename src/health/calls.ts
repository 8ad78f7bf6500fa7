// What the calls of a component tell of its health, though nobody asked it.
import type { EventMap, Health } from "../core/events.ts";
import type { FailureKind } from "../core/verdict.ts";
import type { Evidence } from "./evidence.ts";
import { Gauge, type Result, type Thresholds } from "./gauge.ts";
import { spellAge, whyOpen } from "./words.ts";

/** Calls nearer together than so many ms are one result: what the greater part of them says. */
const periodMs = 1_000;
/** What was seen of calls says nothing any more when none has come for so long. */
export const lastsMs = 300_000;

export interface Watched extends Thresholds {
  /** An answer that takes longer is a poor one, ms. */
  readonly slowAfter: number;
}
export const watchedDefaults: Watched = {
  failureThreshold: 3,
  successThreshold: 1,
  slowAfter: Number.POSITIVE_INFINITY,
};

interface Open {
  readonly at: number;
  /** When it may be tried again, epoch ms. */
  readonly until: number;
  readonly why: EventMap["breaker.opened"]["why"];
}

export class Calls implements Evidence {
  since = 0;
  lastAt: number | undefined = undefined;
  slowAfter = watchedDefaults.slowAfter;
  private readonly gauge = new Gauge(watchedDefaults, false);
  private tally: Record<Result, number> = { healthy: 0, degraded: 0, unhealthy: 0 };
  private countedAt = Number.NEGATIVE_INFINITY;
  private open: Open | undefined = undefined;
  /** The breaker has opened in a call that has not ended: whether something else answers is not known yet. */
  private undecided = false;
  /** What the last result of each kind was. */
  private readonly seen: Record<Health, string> = {
    unknown: "no call has told enough",
    healthy: "calls succeed",
    degraded: "",
    unhealthy: "",
  };

  get level(): Health {
    return this.gauge.level;
  }

  get text(): string {
    const { level, open } = this;
    if (open === undefined || level === "unknown") return this.seen[level];
    const told = `its breaker is open: ${whyOpen(open.why)}`;
    return level === "degraded" ? `${told}; calls are answered all the same` : told;
  }

  /** Nothing while a breaker is open, which has decided, nor of what is old. */
  pending(now: number): string | undefined {
    const { row } = this.gauge;
    const { lastAt = now, open } = this;
    if (row === undefined || open !== undefined || now - lastAt >= lastsMs) return undefined;
    return `${this.seen[row.to]}: ${row.count} of ${row.of} results in a row`;
  }

  watch({ slowAfter, ...thresholds }: Watched): void {
    this.slowAfter = slowAfter;
    this.gauge.thresholds = thresholds;
  }

  /** `kind`: of the failure that counts against the component, if any did. */
  settled(end: EventMap["call.settled"], kind: FailureKind | undefined, at: number): void {
    const { state, tier, elapsedMs } = end;
    if (this.isSilent(end)) return;
    switch (state) {
      case "succeeded":
        if (elapsedMs <= this.slowAfter) return this.hear("healthy", this.seen.healthy, at);
        return this.hear("degraded", `calls are right but slow (${Math.ceil(elapsedMs)} ms)`, at);
      case "degraded":
        return this.hear(
          "degraded",
          tier > 0 ? "calls are answered by a fallback" : "calls are answered by what is old",
          at,
        );
      case "failed":
      case "timedOut":
        if (kind !== undefined) this.hear("unhealthy", `calls fail (${kind})`, at);
        return;
      case "notAdmitted":
        if (this.open !== undefined) this.hear("unhealthy", "calls are refused", at);
        return;
      default: // says nothing about what was called
    }
  }

  /** Answered from a cache: nothing was asked. What is old tells one thing only, that a breaker that is open is borne with. */
  private isSilent({ state, tier, attempts, cached }: EventMap["call.settled"]): boolean {
    if ((attempts > 0 && !cached) || tier > 0) return false;
    return state === "succeeded" || (state === "degraded" && this.open === undefined);
  }

  breakerOpened({ breakMs, why }: EventMap["breaker.opened"], byCall: boolean, at: number): void {
    this.open = { at, until: at + breakMs, why };
    this.lastAt = at;
    this.undecided = byCall;
    if (!byCall) this.become("unhealthy", at);
  }

  breakerClosed(byCall: boolean, at: number): void {
    if (this.open === undefined) return;
    this.open = undefined;
    this.undecided = false;
    this.forgetTally();
    this.countedAt = Number.NEGATIVE_INFINITY; // what comes next tells at once
    if (byCall) return; // whose end tells more
    this.seen.unknown = "its breaker was closed by hand, and no call has come since";
    this.become("unknown", at);
  }

  /** What time alone changes. */
  refresh(now: number): void {
    const { level, open, lastAt } = this;
    if (lastAt === undefined) return;
    if (open !== undefined && this.undecided && now - open.at >= periodMs) this.decide("unhealthy", now);
    this.count(now);
    if (level === "unknown" || level === "healthy" || now - lastAt < lastsMs) return;
    if (open !== undefined && now < open.until) return;
    this.seen.unknown = `no call for ${spellAge(now - lastAt)}; until then ${this.text}`;
    this.open = undefined;
    this.become("unknown", now);
  }

  private hear(result: Result, text: string, at: number): void {
    this.lastAt = at;
    this.seen[result] = text;
    // what still comes while it is open was begun before, or is one key's of many
    const counted = result === "healthy" && this.open !== undefined ? "degraded" : result;
    if (this.undecided) return this.decide(counted, at);
    this.tally[counted]++;
    this.count(at);
  }

  /** What the breaker's opening has done to those who call. */
  private decide(result: Result, at: number): void {
    this.undecided = false;
    this.become(result === "unhealthy" ? "unhealthy" : "degraded", at);
  }

  private count(now: number): void {
    // also when the time of day was put back
    if (now - this.countedAt < periodMs && now >= this.countedAt) return;
    const result = majority(this.tally);
    if (result === undefined) return;
    this.forgetTally();
    this.countedAt = now;
    const { level } = this.gauge;
    this.gauge.hear(result);
    if (this.gauge.level !== level) this.since = now;
  }

  private become(level: Health, at: number): void {
    if (this.gauge.level !== level) this.since = at;
    this.gauge.become(level);
    this.forgetTally();
    this.countedAt = level === "unknown" ? Number.NEGATIVE_INFINITY : at;
  }

  private forgetTally(): void {
    this.tally.healthy = this.tally.degraded = this.tally.unhealthy = 0;
  }
}

/** Unhealthy when at least half fail, degraded when at least half fail or are poor. */
function majority({ healthy, degraded, unhealthy }: Readonly<Record<Result, number>>): Result | undefined {
  const all = healthy + degraded + unhealthy;
  if (all === 0) return undefined;
  if (unhealthy * 2 >= all) return "unhealthy";
  return (unhealthy + degraded) * 2 >= all ? "degraded" : "healthy";
}

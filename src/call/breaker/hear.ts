// What a circuit learns from an outcome.
import type { AttemptRecord } from "../../core/attempt.ts";
import type { About } from "../../core/bus.ts";
import type { Attempt } from "../../core/layer.ts";
import type { Outcome, Verdict } from "../../core/verdict.ts";
import type { Circuit } from "./circuit.ts";
import { weigh } from "./weigh.ts";

/** The outcome of an attempt. Throws what the user's `when` throws. */
export function hearAttempt(
  circuit: Circuit,
  attempt: Attempt,
  outcome: Outcome<unknown>,
  verdict: Verdict | undefined,
): void {
  const { serial, startedAt } = attempt;
  const about = callOf(attempt);
  const held = circuit.giveBack(attempt);
  if (circuit.isOff) return;
  const stale = !held && serial <= circuit.since;
  if (stale || (verdict !== undefined && neverBegan(attempt))) return ignore(circuit, verdict, about);
  const judged = circuit.settings.slowCallDuration !== undefined;
  // by the clock of its own call: a breaker may be shared by calls of several
  const elapsedMs = judged ? (attempt as AttemptRecord).now() - startedAt : 0;
  hear(circuit, held, elapsedMs, outcome, verdict, about);
}

/** Whose events they are: asked of the call, for an attempt that is turned away needs no context of its own. */
export function callOf(attempt: Attempt): About {
  return (attempt as AttemptRecord).call;
}

/** An outcome of now; `held`: of a probe. */
export function hear(
  circuit: Circuit,
  held: boolean,
  elapsedMs: number,
  outcome: Outcome<unknown>,
  verdict: Verdict | undefined,
  about: About,
): void {
  if (!held && !circuit.isClosed) return ignore(circuit, verdict, about); // let through only to be observed
  const { settings, seams } = circuit;
  const meaning = weigh(outcome, verdict, settings.when);
  const now = seams.clock.monotonic();
  const hint = verdict?.kind === "notAdmitted" ? undefined : verdict?.retryAfterMs;
  if (hint !== undefined) circuit.hintUntil = Math.max(circuit.hintUntil, now + hint);
  if (meaning === "nothing") return ignore(circuit, verdict, about);
  const slow = elapsedMs > (settings.slowCallDuration ?? Number.POSITIVE_INFINITY);
  if (held) return probed(circuit, meaning === "failure" || slow, about);
  count(circuit, meaning === "failure", slow, outcome, now, about);
}

function count(
  circuit: Circuit,
  failed: boolean,
  slow: boolean,
  outcome: Outcome<unknown>,
  now: number,
  about: About,
): void {
  const counts = circuit.countsAt(now);
  if (!failed && !slow) return counts.success(now);
  const seen = outcome.ok ? outcome.value : outcome.error;
  const why = failed ? counts.failure(now, seen, slow) : counts.slowSuccess(now);
  if (why !== undefined) circuit.open(why, circuit.totals, 0, about);
}

/** What is not counted is told too. */
export function ignore({ seams }: Circuit, verdict: Verdict | undefined, about: About): void {
  const { events } = seams;
  if (verdict !== undefined && !events.quiet) events.emit("breaker.ignored", { kind: verdict.kind }, about);
}

function probed(circuit: Circuit, failed: boolean, about: About): void {
  const { phase } = circuit;
  if (phase.is !== "halfOpen") return; // `when` has changed it meanwhile
  const { broken, places } = phase;
  const calls = places.succeededSoFar + 1;
  if (failed) circuit.open("probeFailed", { calls, failures: 1 }, broken.failedProbes + 1, about);
  else if (places.succeeded()) circuit.close(about);
}

/** A layer further in has turned it away, so it says nothing about what was to be called. */
function neverBegan(attempt: Attempt): boolean {
  const { called, segment, top } = attempt as AttemptRecord;
  if (called) return false;
  // round a promise-style layer its outcome is the outcome, whatever was called inside
  for (let i = 0; i < top; i++) if (segment.layers[i]?.around !== undefined) return false;
  return true;
}

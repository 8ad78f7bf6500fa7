// What stands inside a promise-style layer or a limit of its own: attempts begun as part of another.
import type { AttemptRecord } from "./attempt.ts";
import { DeadlineExceededError, stackless, TimeoutError } from "./errors.ts";
import { LOST } from "./lent.ts";
import type { CallContext } from "./operation.ts";
import { Race } from "./race.ts";
import type { Limit } from "./stack.ts";
import { armOnce, disarm, Timed } from "./timers.ts";

/** Each call of the operation inside a promise-style layer: an attempt of its own, cancelled with the context given. */
export function inside(outer: AttemptRecord, top: number, input: unknown, context: CallContext): Promise<unknown> {
  const { call, segment } = outer;
  const { signal } = context;
  if (outer.isClosed) return heard(Promise.reject(outer.cut?.reason ?? LOST));
  if (signal?.aborted) return heard(Promise.reject(signal.reason));
  const attempt = new Race(call, segment, top, outer, outer.now(), outer.context);
  outer.lend(attempt);
  const running = heard((outer as Race).enclose(attempt, input));
  if (signal === undefined || signal === outer.context.signal) return running;
  const end = () => attempt.abandon({ reason: signal.reason, at: attempt.now(), wholeMs: 0 });
  signal.addEventListener("abort", end, { once: true });
  const release = () => signal.removeEventListener("abort", end);
  running.then(release, release);
  return running;
}

/** A layer that lets go of what it began leaves no rejection to nobody. */
function heard(running: Promise<unknown>): Promise<unknown> {
  running.catch(() => {});
  return running;
}

/** What is inside a layer as one attempt, whatever goes on in it. */
export function enclosed(outer: AttemptRecord, top: number): Promise<unknown> {
  const attempt = new Race(outer.call, outer.segment, top, outer, outer.now(), outer.made ?? outer.said);
  outer.lend(attempt);
  return (outer as Race).enclose(attempt, outer.input);
}

/** A limit of time round more than one attempt: its end ends all inside, and is a failure like others to what is outside. */
export function scope(outer: AttemptRecord, top: number, { limit, ms }: Limit, input: unknown): Promise<unknown> {
  const { call, segment } = outer;
  const { clock } = call.stack.seams;
  const from = outer.now();
  const nearer = from + ms < outer.dueAt;
  const attempt = new Race(call, segment, top, outer, from, outer.context);
  if (nearer) attempt.endBy(from + ms, clock.now() + ms);
  outer.lend(attempt);
  const timer = new ScopeTimer(attempt, ms, limit);
  if (ms !== Number.POSITIVE_INFINITY) armOnce(clock, ms, timer);
  const running = (outer as Race).enclose(attempt, input);
  const release = () => disarm(timer);
  running.then(release, release);
  return running;
}

class ScopeTimer extends Timed {
  private readonly attempt: AttemptRecord;
  private readonly ms: number;
  private readonly limit: "attempt" | "call";

  constructor(attempt: AttemptRecord, ms: number, limit: "attempt" | "call") {
    super(attempt.startedAt);
    this.attempt = attempt;
    this.ms = ms;
    this.limit = limit;
  }

  expire(): void {
    const { attempt, ms } = this;
    const at = attempt.now();
    const { name } = attempt.context;
    const lateMs = Math.max(0, at - attempt.startedAt - ms);
    const reason = stackless(() =>
      this.limit === "attempt" ? new TimeoutError(name, ms) : new DeadlineExceededError(name, lateMs),
    );
    attempt.abandon({ reason, at, wholeMs: ms });
  }
}

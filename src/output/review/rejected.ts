// A refused output, as its call holds it: kept for a person when the call is about to end without a value.
import type { AttemptRecord } from "../../core/attempt.ts";
import { brief } from "../../core/brief.ts";
import { classify } from "../../core/classify.ts";
import { HoldfastError, OutputRejectedError, ReviewPendingError, stackless } from "../../core/errors.ts";
import { CANCELLED } from "../../core/final.ts";
import { type LastResort, WAITS } from "../../core/lastResort.ts";
import type { CallRecord } from "../../core/record.ts";
import { ReviewExpiredError } from "../../core/reviewErrors.ts";
import type { AnySchema } from "../../core/schema.ts";
import { armOnce, disarm, Timed } from "../../core/timers.ts";
import type { Finding } from "../../core/verdict.ts";
import type { Wakeable } from "../../core/wake.ts";
import { copyOf } from "./copy.ts";
import { Entry, type Facts, type Released, type Waiter } from "./entry.ts";
import { type Form, formsOutside } from "./form.ts";
import { isFull, keep, overdue, put } from "./queue.ts";
import { shownInput } from "./shown.ts";

export interface Refused {
  /** As the operation gave it. */
  readonly raw: unknown;
  /** As far as the gate came with it. */
  readonly output: unknown;
  /** What the schema said: nothing where it was not asked. */
  readonly fits: boolean | undefined;
  readonly findings: readonly Finding[];
  readonly reason: OutputRejectedError["reason"];
}

/** Leaves a word in the call's record, in place of the one before; `waitMs` 0: it does not wait. */
export function remember(
  attempt: AttemptRecord,
  schema: AnySchema | undefined,
  refused: Refused,
  waitMs: number,
): void {
  const { call } = attempt;
  if (call.ended || (call.rare?.lastResort as Rejected | null | undefined)?.asked) return;
  call.more.lastResort = new Rejected(attempt, schema, refused, waitMs);
}

const HELD = 0;
const WAITING = 1;
const OVER = 2;

class Rejected extends Timed implements LastResort, Wakeable, Waiter {
  /** Of one that is shared in flight, whoever is left with it at its end. */
  private call: CallRecord;
  private readonly refused: Refused;
  private readonly waitMs: number;
  private readonly form: Form;
  private readonly passed: number;
  private readonly input: unknown;
  /** Of the output, made when it was refused: later it may be another. */
  private readonly copy: ReturnType<typeof copyOf>;
  private state = HELD;
  private error: unknown = undefined;
  private entry: Entry | undefined = undefined;
  private answer: { readonly released: Released; readonly otherwise: () => void } | undefined = undefined;

  constructor(attempt: AttemptRecord, schema: AnySchema | undefined, refused: Refused, waitMs: number) {
    super(attempt.now());
    const { call } = attempt;
    this.call = call;
    this.refused = refused;
    this.waitMs = waitMs;
    this.form = [...(schema === undefined ? [] : [schema]), ...formsOutside(attempt)];
    this.passed = schema !== undefined && refused.fits ? 1 : 0;
    const veiled = call.rare?.veiled;
    this.input = veiled ? shownInput(veiled.input, veiled.secret) : shownInput(attempt.input);
    this.copy = copyOf(refused.output);
  }

  get asked(): boolean {
    return this.state !== HELD;
  }

  instead(error: unknown, call: CallRecord): unknown {
    if (this.state === WAITING) return this.leave(error, call);
    if (this.state === OVER) return error;
    this.state = OVER;
    this.call = call;
    const { waitMs } = this;
    if (isAborted(call)) return error; // nobody wants it
    call.root?.note(); // what follows is no time of the attempt's
    if (isFull()) return this.full(error);
    const { clock, events } = call.stack.seams;
    const { findings } = this.refused;
    const entry = new Entry(this.facts(), call.stack.seams, this.form, this.passed, overdue);
    const reviewId = entry.facts.id;
    const waits = waitMs > 0 && call.cut === null;
    this.error = stackless(() => new ReviewPendingError(call.name, reviewId, error));
    if (waits) {
      this.state = WAITING;
      this.entry = entry;
      entry.waiter = this;
    }
    put(entry);
    call.more.reviewId = reviewId;
    if (!events.quiet) events.emit("output.flagged", { reviewId, findings }, call);
    if (!waits) return this.error;
    if (this.asks(WAITING)) armOnce(clock, waitMs, this);
    return WAITS;
  }

  private facts(): Facts {
    const { call, copy, form, input, passed, refused } = this;
    const { clock } = call.stack.seams;
    const { fits, findings, output } = refused;
    const at = clock.now();
    return {
      id: call.id,
      name: call.name,
      component: call.component,
      call: call.id,
      labels: { ...call.labels },
      input,
      // what cannot be kept as it is can only be told of, and never be approved
      output: copy === undefined ? brief(output) : copy.value,
      fits: copy === undefined ? false : passed === form.length ? true : fits === false ? false : undefined,
      findings: findings.map(kept),
      at,
      expiresAt: at + keep.for,
    };
  }

  private full(error: unknown): OutputRejectedError {
    const { call, refused } = this;
    const { events } = call.stack.seams;
    const findings = [...refused.findings, { wanted: `a place among the ${keep.max} reviews that are kept` }];
    if (!events.quiet) events.emit("review.refused", { why: "full", reviewId: undefined, findings }, call);
    const cause = HoldfastError.is(error, "OUTPUT_REJECTED") ? undefined : error;
    return stackless(() => new OutputRejectedError(call.name, findings, refused.raw, refused.reason, cause));
  }

  // --- while the call waits

  /** It was shared, and the last who was in it ends without the verdict. */
  private leave(error: unknown, call: CallRecord): unknown {
    const { answer, call: shared, entry } = this;
    this.state = OVER;
    disarm(this);
    if (entry !== undefined) entry.waiter = undefined;
    answer?.otherwise();
    shared.finish(false, error, classify(error) ?? CANCELLED);
    if (isAborted(call)) return error;
    call.more.reviewId = entry?.facts.id;
    return stackless(() => new ReviewPendingError(call.name, entry?.facts.id ?? "", error));
  }

  expire(): void {
    this.call.wake(this);
  }

  abandon(): void {
    if (this.asks(WAITING)) this.call.wake(this);
  }

  expired(): void {
    const { call, entry } = this;
    this.error = stackless(() => new ReviewExpiredError(call.name, entry?.facts.id ?? ""));
    call.wake(this);
  }

  decided(released: Released, otherwise: () => void): void {
    this.answer = { released, otherwise };
    this.call.wake(this);
  }

  cutShort(): void {
    if (!this.asks(WAITING)) return;
    this.state = OVER;
    disarm(this);
    const { answer, call, entry, error, refused } = this;
    if (entry !== undefined) entry.waiter = undefined;
    if (isAborted(call)) {
      answer?.otherwise();
      return call.finish(false, call.cut?.reason, CANCELLED);
    }
    if (answer === undefined) return call.finish(false, error, classify(error));
    const { released } = answer;
    if ("value" in released) return call.finish(true, released.value, undefined);
    const findings = [{ wanted: released.reason }, ...refused.findings];
    const rejected = stackless(() => new OutputRejectedError(call.name, findings, refused.raw, refused.reason));
    call.finish(false, rejected, classify(rejected));
  }

  /** By a function, as the state may change in what is called in between. */
  private asks(state: number): boolean {
    return this.state === state;
  }
}

/** `got` may be a part of the output itself. */
function kept(finding: Finding): Finding {
  return (copyOf(finding)?.value as Finding | undefined) ?? { ...finding, got: brief(finding.got) };
}

function isAborted({ cut }: CallRecord): boolean {
  return cut !== null && cut.wholeMs === 0;
}

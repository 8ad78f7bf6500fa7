// Who enters: only the outermost function of a stack, once a call.
import type { AttemptRecord, Limits } from "./attempt.ts";
import { ATTEMPT, type Said } from "./context.ts";
import { toMs } from "./duration.ts";
import { OptionsInvalidError } from "./errors.ts";
import { follow } from "./hub.ts";
import type { CallOptions, Protected } from "./operation.ts";
import { Race } from "./race.ts";
import { CallRecord, DeadlineTimer, overdue } from "./record.ts";
import { STACK, type Stack, stackOf } from "./stack.ts";
import { arm, armOnce } from "./timers.ts";

type Options = CallOptions & { readonly [ATTEMPT]?: AttemptRecord };

/** The function that a stack is called by. */
export function protectedBy<I, O>(stack: Stack): Protected<I, O> {
  const call = (input: I, options?: CallOptions) =>
    new Promise<O>((resolve, reject) => enter(new CallRecord(stack, resolve, reject), input, options));
  Object.defineProperty(call, "name", { value: stack.name });
  Object.defineProperty(call, STACK, { value: stack });
  return call;
}

/** Begins a call; its record's promise is the caller's. */
export function enter(call: CallRecord, input: unknown, given: CallOptions | undefined): void {
  // an index, as `inputs.map(call)` passes it, says nothing
  const options: Options | undefined = typeof given === "object" && given !== null ? given : undefined;
  const { stack } = call;
  const parent = options?.[ATTEMPT];
  const limits = options === undefined && stack.deadlineMs === 0 ? unlimited(call) : limit(call, options, parent);
  if (options !== undefined) attach(call, options, parent);
  const attempt = new Race(call, stack, stack.layers.length, null, limits, said(call, options, parent));
  if (!stack.seams.events.quiet) stack.seams.events.emit("call.started", {}, call);
  if (call.cut !== null) call.finish(false, call.cut.reason, undefined);
  else {
    call.root = attempt;
    attempt.begin(input);
  }
  call.entered();
}

function unlimited(call: CallRecord): Limits {
  return { from: call.startedAt, dueAt: Number.POSITIVE_INFINITY, deadlineAt: undefined };
}

/** The nearest of the declared deadline, the caller's, and that of the call around; arms the timer unless that one has it. */
function limit(call: CallRecord, options: Options | undefined, parent: AttemptRecord | undefined): Limits {
  const { startedAt: from, stack } = call;
  const { clock } = stack.seams;
  const declared = stack.deadlineMs === 0 ? Number.POSITIVE_INFINITY : from + stack.deadlineMs;
  const said = options === undefined ? Number.POSITIVE_INFINITY : saidDeadline(call, options);
  const inherited = parent?.dueAt ?? Number.POSITIVE_INFINITY;
  const dueAt = Math.min(declared, said, inherited);
  if (dueAt === Number.POSITIVE_INFINITY) return unlimited(call);
  if (dueAt <= from) call.abandon(overdue(call, dueAt));
  else if (dueAt < inherited) {
    const timer = new DeadlineTimer(call, dueAt);
    call.more.deadline = timer;
    if (dueAt === declared) arm(clock, stack.deadlineMs, from, timer);
    else armOnce(clock, dueAt - from, timer);
  }
  return { from, dueAt, deadlineAt: clock.now() + (dueAt - from) };
}

function saidDeadline(call: CallRecord, { deadline, deadlineAt }: Options): number {
  const { clock } = call.stack.seams;
  const within = deadline === undefined ? Number.POSITIVE_INFINITY : toMs(deadline);
  const at = deadlineAt === undefined ? Number.POSITIVE_INFINITY : deadlineAt - clock.now();
  const least = Math.min(within, at);
  if (!Number.isNaN(least)) return call.startedAt + least;
  const [path, got] = Number.isNaN(within) ? ["deadline", deadline] : ["deadlineAt", deadlineAt];
  const issue = { path, got, wanted: 'milliseconds, or a text such as "250ms", "20s", "5m" or "1h"' };
  const reason = new OptionsInvalidError(call.name, [issue]);
  call.abandon({ reason, at: call.startedAt, wholeMs: 0 });
  return Number.POSITIVE_INFINITY;
}

/** To the caller's signal, and to the attempt in which it is made. */
function attach(call: CallRecord, options: Options, parent: AttemptRecord | undefined): void {
  const { signal, labels } = options;
  if (labels !== undefined) call.labels = parent === undefined ? labels : { ...parent.call.labels, ...labels };
  if (parent !== undefined) {
    if (labels === undefined) call.labels = parent.call.labels;
    parent.call.adopt(call);
    if (parent.over && parent.cut !== null) call.abandon(parent.cut);
    call.more.parent = parent;
    parent.hold(call);
    if (signal === parent.controller.signal) return;
  }
  if (signal === undefined) return;
  if (signal.aborted) call.abandon({ reason: signal.reason, at: call.startedAt, wholeMs: 0 });
  else follow(call, signal);
}

/** What every context of the call repeats. */
function said(call: CallRecord, options: Options | undefined, parent: AttemptRecord | undefined): Said | undefined {
  const { criticality } = call.stack;
  if (options === undefined) return criticality === undefined ? undefined : { criticality };
  return {
    criticality: options.criticality ?? criticality,
    idempotencyKey: ownKey(call, options, parent),
    labels: call.labels,
    accept: options.accept,
    retry: options.retry,
    fallback: options.fallback,
  };
}

/** A call made by an operation is not the operation: it inherits no key, unless it is what the outer call protects. */
function ownKey(call: CallRecord, { idempotencyKey }: Options, parent: AttemptRecord | undefined): string | undefined {
  if (parent === undefined || idempotencyKey !== parent.context.idempotencyKey) return idempotencyKey;
  return stackOf(parent.segment.operation) === call.stack ? idempotencyKey : undefined;
}

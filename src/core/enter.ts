// Who enters: only the outermost function of a stack, once a call.
import { around } from "./around.ts";
import type { AttemptRecord } from "./attempt.ts";
import { ATTEMPT, type Said } from "./context.ts";
import { toMs } from "./duration.ts";
import { OptionsInvalidError, stackless } from "./errors.ts";
import { Flight } from "./flight.ts";
import { follow } from "./hub.ts";
import { closedTo, takeOff } from "./inFlight.ts";
import { ShuttingDownError } from "./loadErrors.ts";
import type { CallOptions, Criticality, Protected } from "./operation.ts";
import { DeadlineTimer, overdue } from "./overdue.ts";
import { Race } from "./race.ts";
import { CallRecord } from "./record.ts";
import { STACK, type Stack, stackOf } from "./stack.ts";
import { arm, armOnce } from "./timers.ts";
import { goOn, openPromise } from "./wake.ts";

type Options = CallOptions & { readonly [ATTEMPT]?: AttemptRecord };

/** The function that a stack is called by. */
export function protectedBy<I, O>(stack: Stack): Protected<I, O> {
  const call = (input: I, options?: CallOptions) => begin(stack, input, options) as Promise<O>;
  Object.defineProperty(call, "name", { value: stack.name });
  Object.defineProperty(call, STACK, { value: stack });
  return call;
}

/** Begins a call and gives the caller's promise; `heard` gets its record when somebody wants its story, however it ends. */
export function begin(
  stack: Stack,
  input: unknown,
  options: CallOptions | undefined,
  heard?: (call: CallRecord) => void,
): Promise<unknown> {
  const open = openPromise();
  const call = new CallRecord(stack, open);
  if (heard !== undefined) {
    call.measure();
    heard(call);
  }
  const own = stack.recovers || !stack.seams.events.quiet;
  if (own) call.keepContext();
  const answer = own ? open.promise.then(goOn) : open.promise;
  // an index, as `inputs.map(call)` passes it, says nothing
  enter(call, input, typeof options === "object" && options !== null ? options : undefined);
  return answer;
}

function enter(call: CallRecord, input: unknown, said: Options | undefined): void {
  const options: Options | undefined = around.options === undefined ? said : around.options(said);
  const { stack } = call;
  const { events } = stack.seams;
  const parent = options?.[ATTEMPT];
  if (hasDeadline(stack, options, parent)) limit(call, options, parent);
  if (options !== undefined) attach(call, options, parent);
  const repeated = repeatedOf(call, options, parent);
  const attempt = new Race(call, stack, stack.layers.length, null, call.startedAt, repeated);
  if (!events.quiet) events.emit("call.started", parent === undefined ? {} : { parent: parent.call.id }, call);
  const closed = closedTo(call);
  if (closed === undefined) takeOff(call);
  if (call.cut !== null) call.finish(false, call.cut.reason, undefined);
  else {
    call.root = attempt;
    if (closed === undefined) attempt.begin(input);
    else turnAway(attempt, closed.component);
    call.following?.soon();
  }
  call.entered();
}

/** Nothing new is begun any more, in any tier. */
function turnAway(attempt: Race, component: string | undefined): void {
  const { call } = attempt;
  const { events } = call.stack.seams;
  const criticality = attempt.said?.criticality ?? "normal";
  if (!events.quiet) events.emit("call.shed", { criticality, why: "draining" }, call);
  attempt.refuse(stackless(() => new ShuttingDownError(call.name, component)));
}

function hasDeadline(stack: Stack, options: Options | undefined, parent: AttemptRecord | undefined): boolean {
  if (stack.deadline !== undefined || parent !== undefined) return true;
  return options !== undefined && (options.deadline !== undefined || options.deadlineAt !== undefined);
}

/** The nearest of the declared deadline, the caller's, and that of the call around; arms a timer unless that one has it. */
function limit(call: CallRecord, options: Options | undefined, parent: AttemptRecord | undefined): void {
  const { startedAt, stack } = call;
  const { clock } = stack.seams;
  const declaredMs = stack.deadline?.ms;
  const declared = declaredMs === undefined ? Number.POSITIVE_INFINITY : startedAt + declaredMs;
  const said = options === undefined ? Number.POSITIVE_INFINITY : saidDeadline(call, options, parent);
  const own = Math.min(declared, said);
  const inherited = parent?.dueAt ?? Number.POSITIVE_INFINITY;
  const dueAt = Math.min(own, inherited);
  if (dueAt === Number.POSITIVE_INFINITY) return;
  call.more.dueAt = own;
  call.more.deadlineAt = clock.now() + (dueAt - startedAt);
  if (dueAt <= startedAt) call.abandon(overdue(call, dueAt, declaredMs));
  else if (own < inherited || (own !== Number.POSITIVE_INFINITY && isShared(parent))) {
    const timer = new DeadlineTimer(call, own, declaredMs);
    call.more.deadline = timer;
    if (declaredMs !== undefined && own === declared) arm(clock, declaredMs, timer);
    else armOnce(clock, own - startedAt, timer);
  }
}

/** Whether it is made in a run whose deadline may yet become a later one: who joins it may have more time. */
function isShared(parent: AttemptRecord | undefined): boolean {
  for (let seen = parent; seen !== undefined; seen = (seen.call.parent as AttemptRecord | null) ?? undefined)
    if (seen.call instanceof Flight) return true;
  return false;
}

/** What only repeats the context of the attempt it is made in is inherited, live: the context's is as at the attempt's start. */
function saidDeadline(call: CallRecord, { deadline, deadlineAt }: Options, parent: AttemptRecord | undefined): number {
  const { clock } = call.stack.seams;
  const within = deadline === undefined ? Number.POSITIVE_INFINITY : toMs(deadline);
  const isOwn = deadlineAt !== undefined && deadlineAt !== parent?.made?.deadlineAt;
  const at = isOwn ? deadlineAt - clock.now() : Number.POSITIVE_INFINITY;
  const least = Math.min(within, at);
  if (!Number.isNaN(least)) return call.startedAt + least;
  const [path, got] = Number.isNaN(within) ? ["deadline", deadline] : ["deadlineAt", deadlineAt];
  misuse(call, path as string, got, 'milliseconds, or a text such as "250ms", "20s", "5m" or "1h"');
  return Number.POSITIVE_INFINITY;
}

/** What cannot be meant rejects the call, as everything that goes wrong with it does. */
function misuse(call: CallRecord, path: string, got: unknown, wanted: string): void {
  const reason = new OptionsInvalidError(call.name, [{ path, got, wanted }]);
  call.abandon({ reason, at: call.startedAt, wholeMs: 0 });
}

/** To the caller's signal, and to the attempt in which it is made. */
function attach(call: CallRecord, options: Options, parent: AttemptRecord | undefined): void {
  const { signal } = options;
  const labels = options.labels ?? undefined;
  if (labels !== undefined) {
    if (labels !== parent?.call.labels) checkLabels(call, labels);
    call.more.labels = parent === undefined ? labels : { ...parent.call.labels, ...labels };
  }
  if (parent !== undefined) {
    if (labels === undefined) call.more.labels = parent.call.labels;
    parent.call.adopt(call);
    if (parent.over && parent.cut !== null) call.abandon(parent.cut);
    call.more.parent = parent;
    if (isDirect(call, parent)) call.more.handed = parent.context.previous;
    parent.hold(call);
    if (signal === parent.context.signal) return;
  }
  if (signal === undefined || signal === null) return;
  if (typeof signal.addEventListener !== "function") return misuse(call, "signal", signal, "an AbortSignal");
  if (signal.aborted) call.abandon({ reason: signal.reason, at: call.startedAt, wholeMs: 0 });
  else follow(call, signal);
}

/** What every context of the call repeats: as the caller said it, where nothing is to be added. */
function repeatedOf(
  call: CallRecord,
  options: Options | undefined,
  parent: AttemptRecord | undefined,
): Said | undefined {
  const { criticality } = call.stack;
  if (options !== undefined && (options.accept ?? options.criticality) !== undefined) checkWords(call, options);
  if (parent === undefined && criticality === undefined) return saysMore(options) ? options : undefined;
  if (options === undefined) return { criticality };
  return {
    criticality: options.criticality ?? criticality,
    idempotencyKey: ownKey(call, options, parent),
    labels: call.labels,
    accept: options.accept,
    retry: options.retry,
    fallback: options.fallback,
  };
}

/** A word that is misspelt would be taken for none. */
function checkWords(call: CallRecord, { accept, criticality }: Options): void {
  if (accept !== undefined && !accepts.has(accept)) misuse(call, "accept", accept, words(accepts));
  if (criticality !== undefined && !criticalities.has(criticality))
    misuse(call, "criticality", criticality, words(criticalities));
}

/** Of what is no text nobody knows whose it is: two tenants would pass for one. */
function checkLabels(call: CallRecord, labels: NonNullable<Options["labels"]>): void {
  for (const [name, label] of Object.entries(labels as Record<string, unknown>))
    if (typeof label !== "string" && label !== undefined) misuse(call, `labels.${name}`, label, "a text");
}

const accepts: ReadonlySet<string> = new Set<NonNullable<Options["accept"]>>(["any", "fresh", "uncached"]);
const criticalities: ReadonlySet<string> = new Set<Criticality>(["critical", "normal", "sheddable", "background"]);

function words(known: ReadonlySet<string>): string {
  return [...known].map((word) => `"${word}"`).join(" or ");
}

/** More than when to end. */
function saysMore(options: Options | undefined): boolean {
  if (options === undefined) return false;
  const { accept, criticality, fallback, idempotencyKey, labels, retry } = options;
  return (accept ?? criticality ?? fallback ?? idempotencyKey ?? labels ?? retry) !== undefined;
}

/** A call made by an operation is not the operation: it inherits no key, unless it is what the outer call protects. */
function ownKey(call: CallRecord, { idempotencyKey }: Options, parent: AttemptRecord | undefined): string | undefined {
  if (parent === undefined || idempotencyKey !== parent.context.idempotencyKey) return idempotencyKey;
  return isDirect(call, parent) ? idempotencyKey : undefined;
}

/** Whether it is the operation, or a tier, of the call in which it is made. */
function isDirect(call: CallRecord, parent: AttemptRecord): boolean {
  return stackOf(parent.segment.operation) === call.stack;
}

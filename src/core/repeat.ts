// Whether what must not happen twice may have happened already: by the failure, and by the calls that were made on the way to it.
import type { AttemptRecord } from "./attempt.ts";
import { classifyError } from "./classify.ts";
import { triesOf } from "./rare.ts";
import { mayHaveBeenReceived } from "./received.ts";
import type { CallRecord } from "./record.ts";
import { type Stack, stackOf } from "./stack.ts";
import type { Verdict } from "./verdict.ts";

/** Declared so, without a key that tells the repetition, and not surely without effect so far. */
export function mustNotRepeat(first: AttemptRecord, failed: AttemptRecord, verdict: Verdict): boolean {
  if (!first.onceOnly) return false;
  return mayHaveBeenReceived(failed.value, verdict) || madeCalls(failed.call, failed.segment.operation);
}

/** A failure tells of the last try alone: one before it, or a call made before it, may have been received. */
function madeCalls(call: CallRecord, operation: unknown): boolean {
  const own = stackOf(operation);
  const made = call.rare?.children ?? [];
  return made.some((child) => (child.stack === own || mayNotRepeat(child.stack)) && wasReceived(child));
}

function mayNotRepeat({ idempotent, specs }: Stack): boolean {
  return !idempotent && !specs.some(({ kind }) => kind === "idempotencyKey");
}

function wasReceived(child: CallRecord): boolean {
  const { end, failures } = child;
  if (triesOf(child) === 0) return false;
  if (end === null || end.ok) return true;
  const errors = [...failures.map(({ error }) => error), end.given];
  if (errors.some((error) => mayHaveBeenReceived(error, classifyError(error)))) return true;
  return madeCalls(child, child.stack.operation);
}

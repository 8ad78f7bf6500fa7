// Calls that are each other's operation or tier: one chain, however many calls it is made of.
import type { AttemptRecord } from "./attempt.ts";
import type { CallRecord } from "./record.ts";
import { type Segment, stackOf } from "./stack.ts";

/** The attempt of which this call is the operation, or the tier, itself; not one that merely calls it. */
function directParent(call: CallRecord): AttemptRecord | undefined {
  const parent = call.parent as AttemptRecord | null;
  return parent !== null && stackOf(parent.segment.operation) === call.stack ? parent : undefined;
}

/** Ms until another way would be taken, by this layer or one further out; `Infinity` where there is none. */
export function elsewhere(attempt: AttemptRecord, at: number): number {
  const { layers } = attempt.segment;
  let soonest = Number.POSITIVE_INFINITY;
  for (let i = at; i < attempt.top; i++) soonest = Math.min(soonest, layers[i]?.elsewhere?.(attempt) ?? soonest);
  const around = attempt.outer ?? directParent(attempt.call);
  return around === undefined ? soonest : Math.min(soonest, elsewhere(around, around.at));
}

/** Whether this tier has been entered in the chain, or is being asked further out: calls that make each other have an end too. */
export function wasEntered(call: CallRecord, tier: unknown, segment: Segment): boolean {
  for (let link: CallRecord | undefined = call; link !== undefined; link = directParent(link)?.call)
    if (link.more.entered?.has(tier)) return true;
  const stack = stackOf(tier);
  if (stack !== undefined && call.stack === stack) return true;
  for (let around = call.parent as AttemptRecord | null; around !== null; around = around.call.parent as typeof around)
    if (around.segment === segment || (stack !== undefined && around.call.stack === stack)) return true;
  return false;
}

/** Whether this tier has not yet been entered; from now on it has. */
export function enterOnce(call: CallRecord, tier: unknown, segment: Segment): boolean {
  if (wasEntered(call, tier, segment)) return false;
  let top = call;
  for (let link = directParent(call)?.call; link !== undefined; link = directParent(link)?.call) top = link;
  top.more.entered ??= new Set();
  top.more.entered.add(tier);
  return true;
}

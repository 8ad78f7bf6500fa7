// What an attempt used, added wherever it counts: to itself, its call, and all that they are part of.
import type { AttemptRecord } from "./attempt.ts";
import { addCost, free, isName } from "./cost.ts";
import type { Cost } from "./operation.ts";
import { priced, unnamed } from "./priced.ts";
import type { CallRecord } from "./record.ts";
import { toldCost } from "./toldCost.ts";

export function spend(attempt: AttemptRecord, given: unknown): void {
  const read = toldCost(given);
  if (read === undefined) return;
  const { call, more } = attempt;
  const { cost: told, unread } = read;
  if (isName(told.model)) more.model = told.model;
  const known = priced(told, more.model);
  const cost = unread
    ? { ...known, estimated: true, unpriced: [...(known.unpriced ?? []), more.model ?? unnamed] }
    : known;
  call.more.cost = addCost(call.more.cost, cost);
  charge(attempt, cost, "cost");
}

/** The attempt, those that began it, and the calls around with theirs; `as`: what it is to the call of this attempt. */
function charge(attempt: AttemptRecord, cost: Cost, as: "cost" | "inside"): void {
  attempt.more.cost = addCost(attempt.more.cost ?? free, cost);
  for (let at = attempt.outer; at !== null; at = at.outer) at.more.inside = addCost(at.more.inside, cost);
  const parent = attempt.call.parent as AttemptRecord | null;
  if (parent === null) return;
  const { more, stack } = parent.call;
  // what is run for several is the own doing of the one in whose name it is told
  const around = stack.inside === attempt.call.stack ? as : "inside";
  more[around] = addCost(more[around], cost);
  charge(parent, cost, around);
}

/** Nobody waits any more for an operation that runs on: what it will have used is not told in time, or never. */
export function leave(attempt: AttemptRecord): void {
  const { more } = attempt;
  more.left = true;
  if (more.cost !== undefined) more.cost = { ...more.cost, estimated: true };
  count(attempt, 1);
}

/** It delivered after all: what it used is told. One that was cut off and rejects may have used more than it knows. */
export function returned(attempt: AttemptRecord): void {
  if (!attempt.more.left) return;
  attempt.more.left = false;
  count(attempt, -1);
}

function count(attempt: AttemptRecord, by: 1 | -1): void {
  for (let at: AttemptRecord | null = attempt; at !== null; at = at.call.parent as AttemptRecord | null)
    at.call.more.left = Math.max(0, at.call.more.left + by); // it may be another than it was, in whose name that is told
}

/** As told in it so far, in the attempts that it began and in the calls inside. */
export function spentIn({ more: { cost, inside } }: AttemptRecord): Cost {
  return cost === undefined ? inside : addCost(cost, inside);
}

/** What the call's own attempts used: summed over all calls, nothing is counted twice. */
export function ownCost({ rare }: CallRecord): Cost {
  return rare === null || rare.cost === free ? free : known(rare.cost, rare.left);
}

/** With the calls inside it. */
export function wholeCost({ rare }: CallRecord): Cost {
  if (rare === null || (rare.cost === free && rare.inside === free)) return free;
  return known(addCost(rare.inside, rare.cost), rare.left);
}

function known(cost: Cost, left: number): Cost {
  return left > 0 ? { ...cost, estimated: true } : cost;
}

// Each call settles: once, and no later than its deadline.
import type { Violation } from "../ledger.ts";
import { nameOf, type Rule } from "../rule.ts";

const stopped = "is not settled, and there is nothing left that could settle it";

/** Of what is simulated nothing goes on, and yet somebody waits. */
export function hasStopped({ rule, what }: Violation): boolean {
  return rule === settles.name && (what.endsWith(stopped) || what.endsWith("never settles"));
}

export const settles: Rule = {
  name: "settles",
  says: "Each call settles, once, no later than its deadline, and at once when its caller goes away.",
  stepped(world, found) {
    for (const caller of world.waiting) {
      if (caller.dueAt < world.coming)
        found(`${nameOf(caller)} is not settled at ${world.coming} ms, and its deadline was at ${caller.dueAt} ms`);
      if (caller.abortedInStep !== undefined)
        found(`${nameOf(caller)} is not settled, and its caller has gone away in step ${caller.abortedInStep}`);
    }
  },
  quiet(world, found) {
    if (world.running.size > 0) return;
    for (const caller of world.waiting) found(`${nameOf(caller)} ${stopped}`);
  },
  ended(world, found) {
    for (const caller of world.waiting) found(`${nameOf(caller)} never settles`);
    for (const { result, settledAt, dueAt, ...caller } of world.callers) {
      if (caller.settledTimes > 1) found(`call ${caller.no} has settled ${caller.settledTimes} times`);
      if (settledAt !== undefined && settledAt > dueAt)
        found(`call ${caller.no} has settled at ${settledAt} ms, and its deadline was at ${dueAt} ms`);
    }
  },
};

// Calls in a process that has used `within`: measured last, since it stays used.
import { AsyncLocalStorage } from "node:async_hooks";
import type { Group } from "../harness/time.ts";
import type { Library } from "../library.ts";
import { entered } from "./cache.ts";

export async function withins({ protect, within }: Library): Promise<Group> {
  const call = protect("bench", ok);
  const dated = await within({ deadline: "1h" }, async () => AsyncLocalStorage.snapshot());
  const labelled = await within(labels, async () => AsyncLocalStorage.snapshot());
  return {
    title: "A call inside within",
    says: "Beside a call that is only entered, measured before `within` was used for the first time. A deadline is a timer a call.",
    reference: entered,
    short: "never used",
    cases: [
      { name: "a call outside, within was used", run: () => call() },
      { name: "a call with a deadline of its own", run: () => call(undefined, { deadline: 3_600_000 }) },
      { name: "a call inside within, labels", run: () => labelled(call, undefined) },
      { name: "a call inside within, deadline", run: () => dated(call, undefined) },
      { name: "within, labels, and one call in it", run: () => within(labels, () => call()) },
    ],
  };
}

const ok = async () => 1;
const labels = { labels: { request: "r1" } };

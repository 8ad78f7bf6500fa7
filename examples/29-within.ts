// One deadline for all that a request does, also where nobody passes a context on.
import { deadlineHeaders, fromHeaders, HoldfastError, protect, within } from "holdfast";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const query = protect("query", async (sql: string, { remainingMs }) => `${sql}: ${remainingMs() <= 500}`);

/** Knows nothing of deadlines. */
async function loadPage() {
  const first = await query("select 1");
  await sleep(600);
  const second = await query("select 2").catch((error) => error);
  return [first, HoldfastError.is(second, "DEADLINE_EXCEEDED") ? "too late, not asked" : second];
}

console.log(await within({ deadline: "500ms" }, loadPage));

// to the next service: what is left, not the time of day
const headers = deadlineHeaders({ remainingMs: () => 250.7 });
console.log(headers, fromHeaders(headers), fromHeaders({ "x-deadline-ms": "-1" }));

// prints:
// [ 'select 1: true', 'too late, not asked' ]
// { 'x-deadline-ms': '250' } { deadline: 250 } {}

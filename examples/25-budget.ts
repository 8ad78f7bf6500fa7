// A budget: under an outage all callers together add a tenth to the load, however often each of them would try.
import { setTimeout as sleep } from "node:timers/promises";
import { budget, events, protect } from "holdfast";

const service = { isUp: true, requests: 0 };
async function ask(_: number): Promise<string> {
  service.requests++;
  await sleep(1);
  if (!service.isUp) throw Object.assign(new Error("500 from the service"), { status: 500 });
  return "answer";
}

const careless = protect("careless", ask, { retry: { attempts: 3, base: 1 } });
const spare = budget({ share: 0.1, perSecond: 1 });
const careful = protect("careful", ask, { retry: { attempts: 3, base: 1 }, budget: spare });

async function crowd(call: typeof careful, calls: number): Promise<number> {
  service.requests = 0;
  await Promise.allSettled(Array.from({ length: calls }, (_, i) => call(i)));
  return service.requests;
}

events.on("budget.spent", ({ name }) => console.log(`${name}: nothing left, failures are given on at once`));

console.log(`while it answers: ${await crowd(careful, 200)} requests for 200 calls, ${spare.left} tries saved up`);
service.isUp = false;
console.log(`down, without a budget: ${await crowd(careless, 1_000)} requests for 1000 calls`);
const requests = await crowd(careful, 1_000);
console.log(`down, with one: at most 1135 requests for 1000 calls: ${requests <= 1_135}`);

// prints:
// while it answers: 200 requests for 200 calls, 30 tries saved up
// down, without a budget: 3000 requests for 1000 calls
// careful: nothing left, failures are given on at once
// down, with one: at most 1135 requests for 1000 calls: true

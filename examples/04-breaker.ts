// A breaker leaves a service alone that keeps failing, and tries it again with one call when the break is over.
import { setTimeout as sleep } from "node:timers/promises";
import { breaker, events, HoldfastError, named } from "holdfast";

let isUp = false;
let reached = 0;
async function quote(symbol: string): Promise<number> {
  reached++;
  if (!isUp) throw Object.assign(new Error("bad gateway"), { status: 502 });
  return symbol.length;
}

const circuit = breaker({ minimumCalls: 5, breakTime: "200ms" });
const getQuote = circuit(named("quote", quote));

events.on("breaker.opened", ({ name, failures, calls, breakMs }) =>
  console.log(`${name}: ${failures} of ${calls} calls failed, a break of ${breakMs} ms`),
);
events.on("breaker.closed", ({ name }) => console.log(`${name}: all may call again`));

for (let i = 0; i < 100; i++) await getQuote("ACME").catch(() => {});
console.log(`100 calls, ${reached} of them reached the service`);

try {
  await getQuote("ACME");
} catch (error) {
  if (HoldfastError.is(error, "BREAKER_OPEN")) console.log(error.message);
}

isUp = true;
await sleep(200);
console.log(circuit.state.state);
console.log(await getQuote("ACME"), circuit.state.state);

// prints:
// quote: 5 of 5 calls failed, a break of 200 ms
// 100 calls, 5 of them reached the service
// "quote" is not being called: it failed too often. Next probe in … ms.
// halfOpen
// quote: all may call again
// 4 closed

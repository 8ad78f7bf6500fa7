// A payment under everything that can go wrong, a thousand times, in no time: what must not happen twice does not.
import { type CallContext, protect, standard } from "holdfast";
import { simulate, simulated } from "holdfast/testing";

interface Charge {
  readonly cents: number;
}

// stands where the client of the payment service stands; this is what it gives when it is well
const stripe = simulated(({ cents }: Charge) => ({ id: `ch_${cents}` }), { name: "stripe" });

const charge = protect("charge", stripe, { ...standard, idempotent: false });
const { calls, states } = await simulate(charge, { calls: 1_000, seed: 7, input: (n) => ({ cents: n }) });
console.log(`${calls} calls, ended in ${Object.keys(states).length} ways, and every promise held`);

// the same with a client that tries again by itself, unasked
const twice = (input: Charge, context: CallContext) => stripe(input, context).catch(() => stripe(input, context));
const careless = protect("charge", twice, { idempotent: false });
const found = await simulate(careless, { calls: 1_000, seed: 7, input: (n) => ({ cents: n }) }).catch((error) => error);
// its message has the seed, and a test to be written; here in short
const [violation] = found.violations;
console.log(`${violation.rule}: ${violation.what}`);
console.log(
  `shown by ${found.replay.script.length} caller, who meets ${found.replay.script[0].meets.length} behaviour of the service`,
);

// prints:
// 1000 calls, ended in 5 ways, and every promise held
// only once: run 2 of stripe for call 0 is begun, and run 1 of stripe for call 0 may have been received
// shown by 1 caller, who meets 1 behaviour of the service

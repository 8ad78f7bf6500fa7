// Faults on purpose in what is done with a declaration: this is done, where that was declared.
import { breaker, gate, protect } from "../../src/index.ts";
import type { AnyCall } from "../../src/testing/simulation/play.ts";
import { answers } from "./answers.ts";
import { type Fault, service } from "./faults.ts";
import type { Layers } from "./plan.ts";
import type { More } from "./run.ts";
import { type Built, build } from "./stacks.ts";

const fragile = { consecutiveFailures: 2, breakTime: 50 };
const persistent = { attempts: 3, base: 10, jitter: "none" } as const;

export const misreadings: readonly Fault[] = [
  {
    rule: "breaker counts",
    fault: "a breaker that opens a failure late",
    planted: misread({ breaker: { ...fragile, consecutiveFailures: 3 } }, { breaker: fragile }),
  },
  {
    rule: "breaker counts",
    fault: "one that is open and lets pass",
    planted: misread({ breaker: { ...fragile, mode: "observe" } }, { breaker: fragile }),
  },
  {
    rule: "breaker counts",
    fault: "one that breaks for too short a time",
    planted: misread({ breaker: { ...fragile, breakTime: 40 } }, { breaker: fragile }),
  },
  {
    rule: "breaker counts",
    fault: "one that lets in one probe more than it should",
    planted: misread({ breaker: { ...fragile, halfOpenCalls: 2 } }, { breaker: fragile }),
  },
  {
    rule: "breaker counts",
    fault: "one that forgets too early",
    planted: misread({ breaker: { failureRate: 1, window: 50 } }, { breaker: { failureRate: 1, window: 500 } }),
  },
  {
    rule: "breaker counts",
    fault: "one that stands outside the gate: poor answers are taken for an outage",
    planted: { build: outsideTheGate },
  },
  {
    rule: "as expected",
    fault: "one attempt more than declared",
    planted: misread({ retry: { ...persistent, attempts: 4 } }, { retry: persistent }),
  },
  {
    rule: "as expected",
    fault: "a wait that is too short",
    planted: misread({ retry: { ...persistent, base: 9 } }, { retry: persistent }),
  },
  {
    rule: "as expected",
    fault: "a tier without the time-out that was declared",
    planted: misread({ timeout: 20, tiers: [{ timeout: 21 }] }, { timeout: 20, tiers: [{}] }),
  },
  {
    rule: "as expected",
    fault: "a tier that is asked although its condition says no",
    planted: misread({ tiers: [{ when: "always" }] }, { tiers: [{ when: "never" }] }),
  },
  {
    rule: "as expected",
    fault: "one that gives up sooner than its patience says",
    planted: misread(
      { retry: { ...persistent, patience: 30 }, tiers: [{}] },
      { retry: { ...persistent, patience: 60 }, tiers: [{}] },
    ),
  },
];

function misread(done: Layers, was: Layers): More {
  return {
    build: () => {
      const [real, meant] = [done, was].map((layers) => build({ kind: "protect", layers })) as [Built, Built];
      const breakers = meant.breakers.map((one, i) => ({ ...one, state: real.breakers[i]?.state ?? one.state }));
      return { ...meant, breakers, calls: real.calls };
    },
  };
}

function outsideTheGate(): Built {
  const meant = build({ kind: "protect", layers: { breaker: fragile, gate: "now" } });
  const circuit = breaker(fragile);
  const call = protect("call", circuit(gate(answers)(service() as never) as never) as never);
  const breakers = meant.breakers.map((one) => ({
    ...one,
    services: new Set(["service"]),
    state: () => circuit.state,
  }));
  return { ...meant, breakers, predictable: undefined, calls: [call as AnyCall] };
}

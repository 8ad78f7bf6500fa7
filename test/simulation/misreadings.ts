// Faults on purpose in what is done with a declaration: this is done, where that was declared.
import { breaker, bulkhead, type CallContext, gate, protect } from "../../src/index.ts";
import type { AnyCall } from "../../src/testing/simulation/callers.ts";
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
  {
    rule: "places held",
    fault: "a bulkhead with a place too many",
    planted: misread({ bulkhead: { concurrency: 3 } }, { bulkhead: { concurrency: 2 } }),
  },
  {
    rule: "places held",
    fault: "one that gives a place away before the true end",
    planted: misread(
      { timeout: 20, bulkhead: { concurrency: 1, abandonAfter: 1 } },
      { timeout: 20, bulkhead: { concurrency: 1 } },
    ),
  },
  {
    rule: "places held",
    fault: "one that lets wait more than its queue",
    planted: misread({ bulkhead: { concurrency: 1, queue: 2 } }, { bulkhead: { concurrency: 1, queue: 1 } }),
  },
  { rule: "emptied", fault: "a permit that is never given back", planted: { build: permitKept } },
  {
    rule: "cached answers",
    fault: "an answer that is served too long",
    planted: misread({ cache: { ttl: 200, keys: 1 } }, { cache: { ttl: 100, keys: 1 } }),
  },
  {
    rule: "cached answers",
    fault: "two who ask the same and load it both",
    planted: misread({ cache: { ttl: 200, keys: 2 } }, { cache: { ttl: 200, keys: 1 } }),
  },
  {
    rule: "cached answers",
    fault: "a cache that never forgets, in front of another",
    planted: { build: cacheInFront },
  },
  {
    rule: "once through tiers",
    fault: "another tier for what must not happen twice",
    planted: misread({ tiers: [{}] }, { once: true, tiers: [{}] }),
  },
  {
    rule: "timely",
    fault: "a time-out a millisecond late",
    planted: misread({ timeout: 21 }, { timeout: 20 }),
  },
  {
    rule: "timely",
    fault: "a time-out a millisecond early",
    planted: misread({ timeout: 19 }, { timeout: 20 }),
  },
  {
    rule: "as expected",
    fault: "a tier that is a call of its own, and tries once more than it declares",
    planted: misread(
      { tiers: [{ own: { retry: { ...persistent, attempts: 3 } } }] },
      { tiers: [{ own: { retry: { ...persistent, attempts: 2 } } }] },
    ),
  },
];

/** As declared `was`, and built as `done`. */
export function misread(done: Layers, was: Layers): More {
  return {
    build: () => {
      const [real, meant] = [done, was].map((layers) => build({ kind: "protect", layers })) as [Built, Built];
      const told = <W extends { readonly state: unknown }>(was: readonly W[] = [], is: readonly W[] = []): W[] =>
        was.map((one, i) => ({ ...one, state: is[i]?.state ?? one.state }));
      return {
        ...meant,
        breakers: told(meant.breakers, real.breakers),
        bulkheads: told(meant.bulkheads, real.bulkheads),
        rateLimits: told(meant.rateLimits, real.rateLimits),
        adaptiveLimits: told(meant.adaptiveLimits, real.adaptiveLimits),
        budgets: told(meant.budgets, real.budgets),
        places: real.places,
        calls: real.calls,
      };
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

/** Somebody takes a place by hand, and keeps it. */
function permitKept(): Built {
  const { places: _, ...meant } = build({ kind: "protect", layers: { bulkhead: { concurrency: 3 } } });
  const places = bulkhead(3);
  const inner = places(service() as never);
  const call = protect("call", (question: never, context: CallContext) => {
    places.acquire();
    return inner(question, context);
  });
  const state = () => ({ running: places.running, queued: places.queued, abandoned: 0 });
  return { ...meant, bulkheads: [], places: [state], calls: [call as AnyCall] };
}

/** What it has got once it gives for ever. */
function cacheInFront(): Built {
  const meant = build({ kind: "protect", layers: { cache: { ttl: 100, keys: 1 }, tiers: [{}] } });
  const kept = new Map<string, unknown>();
  const [real] = meant.calls as [AnyCall];
  const call: AnyCall = protect("call", async (question: never, context: CallContext) => {
    const known = kept.get("answer");
    if (known !== undefined) return known;
    const answer = await real(question, context);
    kept.set("answer", answer);
    return answer;
  }) as AnyCall;
  return { ...meant, calls: [call] };
}

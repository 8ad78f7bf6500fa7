// Faults on purpose in what spreads, bounds or ends the load: hedges, budgets, limits, load shedding, urgency, shutdowns.
import { inForce } from "../../src/core/clock.ts";
import { adaptiveLimit, type CallContext, drain, protect, rateLimit, settled } from "../../src/index.ts";
import type { AnyCall, Enter } from "../../src/testing/simulation/callers.ts";
import type { Question } from "./answers.ts";
import { type Fault, service } from "./faults.ts";
import { misread } from "./misreadings.ts";
import type { AdaptiveLimitPlan, Layers, RateLimitPlan } from "./plan.ts";
import { type Built, build } from "./stacks.ts";
import type { AdaptiveLimitState, RateLimitState } from "./watched.ts";

const persistent = { attempts: 3, base: 10, jitter: "none" } as const;
const rejects: RateLimitPlan = { limit: 2, per: 100, whenFull: "reject" };

export const loads: readonly Fault[] = [
  {
    rule: "hedged runs",
    fault: "one hedge more than it may",
    planted: misread({ hedge: { after: 20, extra: 2 } }, { hedge: { after: 20 } }),
  },
  {
    rule: "hedged runs",
    fault: "a hedge a millisecond early",
    planted: misread({ hedge: { after: 19 } }, { hedge: { after: 20 } }),
  },
  { rule: "hedged runs", fault: "a hedge that never begins", planted: misread({}, { hedge: { after: 20 } }) },
  { rule: "hedged runs", fault: "a run that no event tells of", planted: { build: () => asked(again) } },
  { rule: "hedged runs", fault: "a loser that goes on", planted: { build: () => asked(twoAtOnce) } },
  {
    rule: "budget kept",
    fault: "hedges that cost nothing",
    planted: misread({ hedge: { after: 20 } }, { hedge: { after: 20 }, budget: { share: 0, perSecond: 0 } }),
  },
  {
    rule: "budget kept",
    fault: "rounds that cost nothing",
    planted: misread({ retry: persistent }, { retry: persistent, budget: { share: 0.1, perSecond: 0 } }),
  },
  {
    rule: "budget kept",
    fault: "a minimum that is withheld",
    planted: misread(
      { hedge: { after: 20 }, budget: { share: 0, perSecond: 0 } },
      { hedge: { after: 20 }, budget: { share: 0, perSecond: 1 } },
    ),
  },
  {
    rule: "budget kept",
    fault: "calls that bring more than their share",
    planted: misread({ budget: { share: 0.5, perSecond: 0 } }, { budget: { share: 0.1, perSecond: 0 } }),
  },
  {
    rule: "quota kept",
    fault: "one more than the quota",
    planted: misread({ rateLimit: { ...rejects, limit: 3 } }, { rateLimit: rejects }),
  },
  {
    rule: "quota kept",
    fault: "a period that is too short",
    planted: misread({ rateLimit: { ...rejects, per: 90 } }, { rateLimit: rejects }),
  },
  {
    rule: "quota kept",
    fault: "a burst that is too large",
    planted: misread({ rateLimit: { ...rejects, burst: 2 } }, { rateLimit: { ...rejects, burst: 1 } }),
  },
  {
    rule: "quota kept",
    fault: "two together where each should have its space",
    planted: misread({ rateLimit: { ...rejects } }, { rateLimit: { ...rejects, shape: "smooth" } }),
  },
  {
    rule: "quota kept",
    fault: "one who is refused though one more may pass",
    planted: misread({ rateLimit: { ...rejects, limit: 1 } }, { rateLimit: rejects }),
  },
  {
    rule: "quota kept",
    fault: "one who waits though one more may pass",
    planted: misread({ rateLimit: { limit: 1, per: 100 } }, { rateLimit: { limit: 2, per: 100 } }),
  },
  {
    rule: "quota kept",
    fault: "what was not received and is not given back",
    planted: { build: nothingGivenBack },
  },
  {
    rule: "limit held",
    fault: "a limit above its bounds",
    planted: misread({ adaptiveLimit: { max: 3 } }, { adaptiveLimit: { max: 2 } }),
  },
  {
    rule: "limit held",
    fault: "a share that others take",
    planted: misread({ adaptiveLimit: { max: 2 } }, { adaptiveLimit: { max: 2, reserve: { critical: 0.5 } } }),
  },
  {
    rule: "limit held",
    fault: "a refusal while there is room",
    planted: misread({ adaptiveLimit: { max: 2, reserve: { critical: 0.5 } } }, { adaptiveLimit: { max: 2 } }),
  },
  { rule: "limit held", fault: "a place that comes back before the true end", planted: { build: placeTooSoon } },
  {
    rule: "lowest first",
    fault: "one who is let in against the measure",
    planted: misread({ shed: { pressure: 0.5 } }, { shed: { pressure: 0.95 } }),
  },
  {
    rule: "lowest first",
    fault: "one who is refused against the measure",
    planted: misread({ shed: { pressure: 0.95 } }, { shed: { pressure: 0.5 } }),
  },
  {
    rule: "lowest first",
    fault: "one who matters less, and is let in where another was refused",
    planted: misread(
      { adaptiveLimit: { max: 2, reserve: { sheddable: 0.3 } } },
      { shed: {}, adaptiveLimit: { max: 2 } },
    ),
  },
  {
    rule: "urgency rises",
    fault: "a stage that begins too early",
    planted: misread(
      { deadline: 100, tiers: [{}], urgency: [{ at: 0.25, start: "nextTier" }] },
      { deadline: 100, tiers: [{}], urgency: [{ at: 0.5, start: "nextTier" }] },
    ),
  },
  {
    rule: "urgency rises",
    fault: "a stage that never begins",
    planted: misread(
      { deadline: 100, tiers: [{}] },
      { deadline: 100, tiers: [{}], urgency: [{ at: 0.5, start: "nextTier" }] },
    ),
  },
  {
    rule: "urgency rises",
    fault: "a stage more than were declared",
    planted: misread(
      { deadline: 100, hedge: { after: 90, extra: 2 }, urgency: [0.3, 0.5].map((at) => ({ at, start: "hedge" })) },
      { deadline: 100, hedge: { after: 90, extra: 2 }, urgency: [{ at: 0.3, start: "hedge" }] },
    ),
  },
  { rule: "first good", fault: "a good answer that is held back", planted: { build: () => asked(heldBack, {}) } },
  { rule: "settles", fault: "a `within` that nobody hears of", planted: { enter: (call) => settled(call) as Enter } },
  {
    rule: "shuts down",
    fault: "a shutdown that takes new calls",
    planted: { drain: async () => ({ finished: 0, cancelled: 0 }) },
  },
  {
    rule: "shuts down",
    fault: "one that ends a millisecond late",
    planted: {
      drain: async (options) => {
        const drained = await drain(options);
        await inForce.clock.sleep(1);
        return drained;
      },
    },
  },
  {
    rule: "shuts down",
    fault: "one that gives nobody time to finish",
    planted: { drain: ({ grace = 0 }) => drain({ within: grace, grace }) },
  },
  { rule: "emptied", fault: "a place of a found limit that is kept", planted: { build: placeKept } },
];

type Ask = (question: Question, context: CallContext) => Promise<unknown>;

/** This is declared, and the operation is something else. */
function asked(operation: (behind: Ask) => Ask, layers: Layers = { hedge: { after: 1_000 } }): Built {
  const meant = build({ kind: "protect", layers });
  return { ...meant, calls: [protect("call", operation(service("service 0")) as never) as AnyCall] };
}

/** What a client of its own tries again. */
function again(behind: Ask): Ask {
  return (question, context) => behind(question, context).catch(() => behind(question, context));
}

function heldBack(behind: Ask): Ask {
  return async (question, context) => {
    const answer = await behind(question, context);
    await inForce.clock.sleep(1);
    return answer;
  };
}

function twoAtOnce(behind: Ask): Ask {
  return (question, context) => {
    const apart = { ...context, signal: new AbortController().signal };
    return Promise.any([behind(question, apart), behind(question, apart)]);
  };
}

/** Every failure is said to have been received. */
function nothingGivenBack(): Built {
  const plan: RateLimitPlan = { ...rejects, limit: 10, burst: 1 };
  const meant = build({ kind: "protect", layers: { rateLimit: plan } });
  const limit = rateLimit({ requests: { limit: 10, per: 100, burst: 1 }, whenFull: "reject" });
  const behind = service("service 0");
  const received = async (question: never, context: CallContext) => {
    try {
      return await behind(question, context);
    } catch {
      throw Object.assign(new Error("said 500"), { status: 500 });
    }
  };
  const state = (): RateLimitState => ({ left: limit.left as RateLimitState["left"], waiting: limit.waiting });
  const rateLimits = meant.rateLimits?.map((one) => ({ ...one, state }));
  return { ...meant, rateLimits, places: [state], calls: [protect("call", limit(received as never)) as AnyCall] };
}

/** The limit stands round what ends with its signal, and the service goes on. */
function placeTooSoon(): Built {
  const behind = service("service 0");
  return limited({ max: 2 }, (question, context) => {
    const ended = new Promise((_, reject) => {
      context.signal.addEventListener("abort", () => reject(context.signal.reason), { once: true });
    });
    return Promise.race([behind(question, context), ended]);
  });
}

/** Somebody takes a place by hand, and keeps it. */
function placeKept(): Built {
  const behind = service("service 0");
  const limit = adaptiveLimit({ min: 1_000 });
  const state = (): AdaptiveLimitState => ({ limit: limit.limit, running: limit.running });
  const inner = limit(behind as never) as unknown as Ask;
  const call = protect("call", ((question: Question, context: CallContext) => {
    limit.acquire();
    return inner(question, context);
  }) as never);
  return { ...build({ kind: "protect", layers: {} }), places: [state], calls: [call as AnyCall] };
}

function limited(plan: AdaptiveLimitPlan, operation: Ask): Built {
  const meant = build({ kind: "protect", layers: { adaptiveLimit: plan } });
  const limit = adaptiveLimit(plan as never);
  const state = (): AdaptiveLimitState => ({ limit: limit.limit, running: limit.running });
  const adaptiveLimits = meant.adaptiveLimits?.map((one) => ({ ...one, state }));
  return { ...meant, adaptiveLimits, places: [state], calls: [protect("call", limit(operation as never)) as AnyCall] };
}

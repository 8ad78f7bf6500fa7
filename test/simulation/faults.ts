// Faults on purpose, one for each thing that a rule has to find: in a layer, in a declaration, in the machine as its callers see it.
import { z } from "zod";
import { inForce } from "../../src/core/clock.ts";
import {
  type CallContext,
  defineWrapper,
  HoldfastError,
  type PromiseStyle,
  protect,
  settled,
  type Tools,
} from "../../src/index.ts";
import type { AnyCall, Enter } from "../../src/testing/simulation/callers.ts";
import { simulated } from "../../src/testing/simulation/simulated.ts";
import { Answer, answers, type Question, questions } from "./answers.ts";
import type { More } from "./run.ts";
import type { Built } from "./stacks.ts";

export interface Fault {
  /** That has to find it. */
  readonly rule: string;
  readonly fault: string;
  readonly planted: More;
}

type Ask = (question: Question, context: CallContext) => Promise<unknown>;
type Checks = Partial<Built["checks"][number]>;

export const faults: readonly Fault[] = [
  { rule: "settles", fault: "a call that never settles", planted: machine(() => () => new Promise(() => {})) },
  {
    rule: "settles",
    fault: "one that settles a millisecond late",
    planted: machine((enter) => async (input, options) => {
      const end = await enter(input, options);
      await inForce.clock.sleep(1);
      return end;
    }),
  },
  {
    rule: "settles",
    fault: "one that does not hear that its caller has gone",
    planted: machine(
      (enter) =>
        (input, { signal: _, ...options }) =>
          enter(input, options),
    ),
  },
  {
    rule: "settles",
    fault: "one that settles twice",
    planted: machine((enter) => (input, options) => {
      const ended = enter(input, options);
      // biome-ignore lint/suspicious/noThenProperty: that is the fault
      return { then: (hear: (end: unknown) => void) => ended.then((end) => [hear(end), hear(end)]) } as never;
    }),
  },
  {
    rule: "not after the end",
    fault: "a layer that goes on after its time-out, past the machine",
    planted: layer(
      () => {
        const behind = service();
        return async (question, context) => {
          await inForce.clock.sleep(30);
          return behind(question, context);
        };
      },
      { timeout: 20 },
    ),
  },
  {
    rule: "not after the end",
    fault: "a signal that is not handed on",
    planted: layer(
      () => {
        const behind = service();
        return (question, context) => behind(question, { ...context, signal: new AbortController().signal });
      },
      { timeout: 20 },
    ),
  },
  {
    rule: "only once",
    fault: "a retry of what must not happen twice",
    planted: layer((inner) => (question, context) => inner(question, context).catch(() => inner(question, context)), {
      idempotent: false,
    }),
  },
  {
    rule: "comes back",
    fault: "a timer that nobody takes back",
    planted: layer((inner) => (question, context) => {
      inForce.clock.timer(1e10, { expire: () => {} });
      return inner(question, context);
    }),
  },
  {
    rule: "comes back",
    fault: "a listener that nobody takes from the caller's signal",
    planted: machine((enter) => (input, options) => {
      options.signal?.addEventListener("abort", () => {});
      return enter(input, options);
    }),
  },
  {
    rule: "comes back",
    fault: "a rejection that nobody hears",
    planted: layer((inner) => (question, context) => {
      Promise.reject(new Error("to nobody"));
      return inner(question, context);
    }),
  },
  { rule: "comes back", fault: "a place that is not given back after a failure", planted: { build: onePlace } },
  {
    rule: "same story",
    fault: "an attempt in the story that there never was",
    planted: ending((end) => ({ ...end, story: { ...end.story, attempts: end.story.attempts + 1 } })),
  },
  {
    rule: "same story",
    fault: "a state that is another one than what was delivered",
    planted: ending((end) => ({ ...end, story: { ...end.story, state: "timedOut" } })),
  },
  {
    rule: "same story",
    fault: "an event that tells of what was not",
    planted: layer((inner, { emit }) => (question, context) => {
      emit(context, "attempt.started", { attempt: 7, tier: 0 });
      return inner(question, context);
    }),
  },
  {
    rule: "own answer",
    fault: "a cache without a key",
    planted: layer((inner) => {
      let kept: Promise<unknown> | undefined;
      return (question, context) => {
        kept ??= inner(question, context);
        return kept;
      };
    }),
  },
  {
    rule: "nothing unchecked",
    fault: "a gate that is not there",
    planted: layer((inner) => inner, {}, { gate: true }),
  },
  {
    rule: "nothing unchecked",
    fault: "a guard that checks twice",
    planted: layer((inner) => inner, { input: questions.pipe(questions as never) }, { guard: true }),
  },
  {
    rule: "let go",
    fault: "an answer that is closed before it is delivered",
    planted: layer((inner) => async (question, context) => {
      const answer = await inner(question, context);
      if (answer instanceof Answer) answer[Symbol.dispose]();
      return answer;
    }),
  },
  {
    rule: "let go",
    fault: "late answers that are kept",
    planted: layer((inner) => inner, { timeout: 20, discard: () => {}, output: answers }, { gate: true }),
  },
  {
    rule: "one key",
    fault: "a key for each attempt",
    planted: { build: keyForEach },
  },
  {
    rule: "same story",
    fault: "attempts that are numbered from 0",
    planted: layer(() => {
      const behind = service();
      return (question, context) => behind(question, { ...context, attempt: context.attempt - 1 });
    }),
  },
  {
    rule: "comes to rest",
    fault: "a timer that sets the next",
    planted: layer((inner) => (question, context) => {
      const again = () => void inForce.clock.timer(10, { expire: again });
      again();
      return inner(question, context);
    }),
  },
];

/** In a layer laid round the service. */
function layer(made: (inner: Ask, tools: Tools) => Ask, options: object = {}, checks: Checks = {}): More {
  return {
    build: () => {
      const faulty = defineWrapper("faulty", z.object({}), {}, (_, tools) => ({
        around: ((inner: Ask) => made(inner, tools)) as unknown as PromiseStyle,
      }));
      return built(protect("call", faulty(service() as never) as never, options), checks);
    },
  };
}

/** Of the machine, as its callers see it. */
function machine(broken: (enter: Enter) => Enter): More {
  return {
    build: () => built(protect("call", service() as never, { deadline: 50 })),
    enter: (call: AnyCall) => broken(settled(call) as Enter),
  };
}

type End = Awaited<ReturnType<Enter>>;

function ending(changed: (end: End) => End): More {
  return machine((enter) => (input, options) => enter(input, options).then(changed));
}

/** An operation that makes one up each time it is called. */
function keyForEach(): Built {
  const behind = service();
  let n = 0;
  const operation: Ask = (question, context) => behind(question, { ...context, idempotencyKey: `key ${n++}` });
  return built(protect("call", operation as never, { retry: { base: 1 } }));
}

/** A bulkhead for one, that forgets who failed. */
function onePlace(): Built {
  const place = defineWrapper("place", z.object({}), {}, (_, { refuse }) => {
    let free = 1;
    return {
      bracket: {
        before({ input }) {
          if (free === 0) refuse(new HoldfastError("no place is free"));
          free--;
          return input;
        },
        after(_attempt, { ok }) {
          if (ok) free++;
        },
      },
    };
  });
  return built(protect("call", place(service() as never) as never));
}

export function service(name = "service"): Ask {
  return simulated((question: Question) => new Answer(question, true), {
    name,
    lie: (question) => new Answer(question, false),
  });
}

function built(call: unknown, checks: Checks = {}): Built {
  return {
    calls: [call as AnyCall],
    onceOnly: new Set(["call"]),
    breakers: [],
    bulkheads: [],
    dropped: [],
    changed: () => call,
    places: [],
    caches: [],
    checks: [{ guard: false, gate: false, ...checks }],
  };
}

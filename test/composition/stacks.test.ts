// What holds of any stack whatever: random layers round random operations, cut at random moments.
import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import {
  type Attempt,
  type CallContext,
  type Clock,
  deadline,
  defineWrapper,
  eventBus,
  fallback,
  HoldfastError,
  type Operation,
  retry,
  settled,
  timeout,
  type Wrapper,
} from "../../src/index.ts";
import { record, seams, testClock } from "../../src/testing/index.ts";
import { around, turn } from "./setup.ts";

/** How one run of an operation goes: after so many ms, whatever its signal says where it is deaf. */
interface Run {
  readonly ms: number;
  readonly deaf: boolean;
  readonly ends: "value" | "error" | "invalid" | "response" | "throws";
}
type LayerPlan =
  | { readonly kind: "bracket"; readonly waits: number | undefined; readonly fails: Record<string, readonly boolean[]> }
  | { readonly kind: "retry"; readonly attempts: number; readonly base: number; readonly when: boolean }
  | { readonly kind: "timeout" | "deadline"; readonly ms: number }
  | { readonly kind: "passing" | "twice" | "race" | "pushing" }
  | { readonly kind: "fallback"; readonly tier: readonly Run[] };

const ms = fc.integer({ min: 0, max: 120 });
const run: fc.Arbitrary<Run> = fc.record({
  ms,
  deaf: fc.boolean(),
  ends: fc.constantFrom("value", "value", "error", "error", "invalid", "response", "throws"),
});
const runs = fc.array(run, { minLength: 1, maxLength: 4 });
const seldom = fc.array(
  fc.oneof({ arbitrary: fc.constant(false), weight: 5 }, { arbitrary: fc.constant(true), weight: 1 }),
  { minLength: 1, maxLength: 4 },
);
const layer: fc.Arbitrary<LayerPlan> = fc.oneof(
  fc.record({
    kind: fc.constant("bracket" as const),
    waits: fc.option(ms, { nil: undefined }),
    fails: fc.record({ before: seldom, started: seldom, after: seldom, judge: seldom, ended: seldom }),
  }),
  fc.record({
    kind: fc.constant("retry" as const),
    attempts: fc.integer({ min: 1, max: 3 }),
    base: ms,
    when: fc.boolean(),
  }),
  fc.record({ kind: fc.constantFrom("timeout" as const, "deadline" as const), ms: fc.integer({ min: 1, max: 200 }) }),
  fc.record({ kind: fc.constantFrom("passing" as const, "twice" as const, "race" as const, "pushing" as const) }),
  fc.record({ kind: fc.constant("fallback" as const), tier: runs }),
);
const plan = fc.record({
  layers: fc.array(layer, { minLength: 1, maxLength: 5 }),
  operation: runs,
  watched: fc.boolean(),
  calls: fc.array(
    fc.record({ at: ms, abortAfter: fc.option(ms, { nil: undefined }), deadline: fc.option(ms, { nil: undefined }) }),
    { minLength: 1, maxLength: 3 },
  ),
});

describe("of any stack of one to five layers", () => {
  it("each call settles once; each layer hears its moments once and in order; nothing is left behind or begun afterwards", async () => {
    const unheard: unknown[] = [];
    const note = (error: unknown) => void unheard.push(error);
    process.on("unhandledRejection", note);
    onTestFinished(() => void process.off("unhandledRejection", note));
    await fc.assert(
      fc.asyncProperty(plan, async ({ layers, operation, watched, calls }) => {
        unheard.length = 0;
        const clock = testClock();
        const events = eventBus();
        const seen = record(watched ? events : eventBus());
        using _ = seams({ clock, events, random: () => 0.5 });
        const heard = new Moments(clock);
        const started = { times: 0 };
        const call = layers.reduce<Operation<unknown, unknown>>(
          (inner, one) => wrapperOf(one, clock, heard, started)(inner as never) as never,
          scripted(operation, clock, started),
        );
        const controllers = calls.map(() => new AbortController());
        const ends: number[] = calls.map(() => 0);
        calls.forEach(({ at: from, abortAfter, deadline }, i) => {
          const signal = (controllers[i] as AbortController).signal;
          at(clock, from, () => {
            const ended = settled(call as never)(`input ${i}` as never, {
              signal,
              ...(deadline !== undefined && { deadline }),
            });
            ended.then(() => {
              ends[i] = (ends[i] ?? 0) + 1;
            });
          });
          if (abortAfter !== undefined) at(clock, from + abortAfter, () => controllers[i]?.abort(new Error("gone")));
        });
        await clock.advance("1h");
        await turn();
        expect(ends).toEqual(calls.map(() => 1));
        expect({ unheard, sleepers: clock.sleepers, wrong: heard.wrong() }).toEqual({
          unheard: [],
          sleepers: 0,
          wrong: [],
        });
        for (const { signal } of controllers) expect(getEventListeners(signal, "abort")).toEqual([]);
        if (watched) {
          const told = seen.events.filter(({ call }) => call !== undefined);
          expect(seen.of("call.started")).toHaveLength(calls.length);
          expect(seen.of("call.settled")).toHaveLength(calls.length);
          expect(seen.of("attempt.started").length).toBe(started.times);
          for (const { call: id } of seen.of("call.settled")) {
            const types = told.filter((event) => event.call === id).map(({ type }) => type);
            const after = types.slice(types.indexOf("call.settled") + 1);
            expect(
              after.filter(
                (type) => !["attempt.abandoned", "attempt.ended", "listener.failed", "attempt.failed"].includes(type),
              ),
            ).toEqual([]);
          }
        }
      }),
      { numRuns: 400 },
    );
  }, 120_000);
});

/** What each bracket has heard of each attempt. */
class Moments {
  private readonly clock: Clock;
  private readonly logs = new Map<string, string[]>();
  private brackets = 0;
  constructor(clock: Clock) {
    this.clock = clock;
  }

  bracket({ waits, fails }: Extract<LayerPlan, { kind: "bracket" }>): Wrapper {
    const no = this.brackets++;
    const times: Record<string, number> = {};
    const say = (moment: string, { serial }: Attempt) => {
      const key = `bracket ${no}, attempt ${serial}`;
      this.logs.set(key, [...(this.logs.get(key) ?? []), moment]);
    };
    const isDue = (moment: string) => {
      times[moment] = (times[moment] ?? -1) + 1;
      const due = fails[moment] ?? [];
      return due[times[moment] % due.length] === true;
    };
    return defineWrapper("bracket", z.undefined(), undefined, (_, { refuse }) => {
      const admit = (attempt: Attempt) => {
        if (isDue("before")) refuse(new HoldfastError("full", { retryable: true, retryAfterMs: 50 }));
        say("before", attempt);
        return attempt.input;
      };
      return {
        bracket: {
          before: (attempt) =>
            waits === undefined ? admit(attempt) : this.clock.sleep(waits).then(() => admit(attempt)),
          started(attempt) {
            say("started", attempt);
            if (isDue("started")) refuse(new HoldfastError("full"));
          },
          after(attempt) {
            say("after", attempt);
            if (isDue("after")) throw new Error("a mistake in `after`");
          },
          judge(_attempt, value) {
            if (isDue("judge")) refuse(new HoldfastError("poor", { code: "OUTPUT_REJECTED" }));
            return value;
          },
          ended(attempt) {
            say("ended", attempt);
            if (isDue("ended")) throw new Error("a mistake in `ended`");
          },
        },
      };
    });
  }

  wrong(): string[] {
    const right = ["before started after ended", "before after ended"];
    return [...this.logs]
      .map(([who, log]) => `${who}: ${log.join(" ")}`)
      .filter((line) => !right.includes(line.split(": ")[1] ?? ""));
  }
}

function wrapperOf(plan: LayerPlan, clock: Clock, heard: Moments, started: { times: number }): Wrapper {
  switch (plan.kind) {
    case "bracket":
      return heard.bracket(plan);
    case "retry":
      return retry({ attempts: plan.attempts, base: plan.base, ...(plan.when && { when: (outcome) => !outcome.ok }) });
    case "timeout":
      return timeout(plan.ms);
    case "deadline":
      return deadline(plan.ms);
    case "fallback":
      return fallback([scripted(plan.tier, clock, started)] as never) as never;
    case "passing":
      return around((inner) => (input, context) => inner(input, context));
    case "twice":
      return around((inner) => async (input, context) => {
        await inner(input, context).catch(() => {});
        return inner(input, context);
      });
    case "race":
      return around((inner) => (input, context) => Promise.any([inner(input, context), inner(input, context)]));
    case "pushing": // goes on though it is over, and leaves alone what it began
      return around((inner) => async (input, context) => {
        inner(input, context);
        clock.sleep(60).then(() => void inner(input, context));
        return inner(input, context);
      });
  }
}

function scripted(runs: readonly Run[], clock: Clock, started: { times: number }): Operation<unknown, unknown> {
  let no = 0;
  return (_, context: CallContext) => {
    started.times++;
    const { ms, deaf, ends } = runs[no++ % runs.length] as Run;
    if (ends === "throws") throw new Error("at once");
    const end = () => {
      if (ends === "response") return new Response(null, { status: 503 });
      if (ends === "value") return no;
      throw Object.assign(new Error(ends), { status: ends === "invalid" ? 400 : 500 });
    };
    return clock.sleep(ms, deaf ? undefined : context.signal).then(end);
  };
}

function at(clock: Clock, ms: number, expire: () => void): void {
  clock.timer(ms, { expire });
}

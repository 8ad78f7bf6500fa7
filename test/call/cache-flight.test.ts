// One flight for all who ask the same at the same time.
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  breaker,
  bulkhead,
  type CallContext,
  type Criticality,
  cache,
  defineWrapper,
  explain,
  fallback,
  pipe,
  protect,
  report,
  retry,
  settled,
  storyOf,
  timeout,
} from "../../src/index.ts";
import { outcome, setup, turn, watch } from "../composition/setup.ts";
import { answering, down, operation, status } from "./cache-setup.ts";

const idle = { entries: 0, loading: 0 };

function flight(options: Parameters<typeof protect>[2] = {}) {
  const around = setup();
  const { ask, runs } = operation();
  const call = protect("x", ask, { cache: { ttl: "1m" }, ...(options as object) });
  return {
    ...around,
    runs,
    call,
    told: settled(call),
    state: () => explain(call).find(({ kind }) => kind === "cache")?.state,
  };
}

describe("equal overlapping calls share one run", () => {
  it("and get the same value", async () => {
    const { call, runs, state } = flight();
    const answers = [call("a"), call("a"), call("b"), call("a")];
    expect([runs.length, state()]).toEqual([2, { entries: 0, loading: 2 }]);
    const value = {};
    await runs[0]?.answer(value);
    await runs[1]?.answer("b");
    const given = await Promise.all(answers);
    expect(given.map((one) => one === value)).toEqual([true, true, false, true]);
    expect(state()).toEqual({ entries: 2, loading: 0 });
  });

  it("its failure is everybody's, and is not kept", async () => {
    const { told, runs, state } = flight();
    const ended = Promise.all([told("a"), told("a")]);
    await runs[0]?.fail(down);
    for (const { ok, story, ...rest } of await ended) {
      expect(ok).toBe(false);
      expect(rest).toEqual({ error: down });
      expect(story).toMatchObject({ state: "failed", failures: [{ error: down, kind: "overloaded" }] });
      expect(story.failures).toHaveLength(1);
    }
    expect(state()).toEqual(idle);
    const again = told("a");
    await runs[1]?.answer(1);
    expect(await again).toMatchObject({ ok: true, value: 1 });
  });

  it("each call has its own record: labels, story and events, and settles once", async () => {
    const { told, runs, seen } = flight();
    const ended = Promise.all(["r1", "r2", "r3"].map((request) => told("a", { labels: { request } })));
    await runs[0]?.answer(1);
    const stories = (await ended).map(({ story }) => story);
    expect(stories.map(({ labels }) => labels.request)).toEqual(["r1", "r2", "r3"]);
    expect(seen.of("call.settled").map(({ call }) => call)).toEqual(stories.map(({ id }) => id));
    expect(seen.of("cache.missed")).toHaveLength(3);
  });
});

describe("of several sharers", () => {
  it("the one that aborts is rejected alone; what the others wait for goes on, and is kept", async () => {
    const { call, caller, runs } = flight();
    const gone = caller();
    const [first, second] = [watch(call("a", { signal: gone.signal })), watch(call("a"))];
    gone.abort("gone");
    await turn();
    expect([first.at, second.at, runs[0]?.aborted]).toEqual([{ error: "gone" }, undefined, false]);
    await runs[0]?.answer(1);
    expect(second.at).toEqual({ value: 1 });
    expect([await call("a"), runs.length]).toEqual([1, 1]);
  });

  it("the load stops with the last, whose reason it hears", async () => {
    const { call, caller, runs, state } = flight();
    const callers = [caller(), caller(), caller()];
    const ended = callers.map(({ signal }) => outcome(call("a", { signal })));
    for (const [i, one] of callers.entries()) {
      expect([runs[0]?.aborted, state()]).toEqual([false, { entries: 0, loading: 1 }]);
      one.abort(`gone ${i}`);
      await turn();
    }
    expect(await Promise.all(ended)).toEqual([{ error: "gone 0" }, { error: "gone 1" }, { error: "gone 2" }]);
    expect([runs[0]?.aborted, runs[0]?.context.signal.reason, state()]).toEqual([true, "gone 2", idle]);
    await runs[0]?.answer("too late");
    expect(state()).toEqual(idle);
  });

  it("who comes after the last has left begins anew", async () => {
    const { call, caller, runs } = flight();
    const gone = caller();
    const left = outcome(call("a", { signal: gone.signal }));
    gone.abort();
    await left;
    const next = call("a");
    await runs[0]?.answer("old");
    await runs[1]?.answer("new");
    expect(await next).toBe("new");
  });

  it("each ends by its own deadline; the run is under the latest, live", async () => {
    const { clock, call, runs } = flight();
    const [short, long] = [watch(call("a", { deadline: "1s" })), watch(call("a", { deadline: "5s" }))];
    const context = runs[0]?.context as CallContext;
    expect([context.deadlineAt, context.remainingMs()]).toEqual([1_000, 5_000]); // as it was, and as it is
    await clock.advance("1s");
    expect([short.at, long.at]).toEqual([{ error: expect.objectContaining({ code: "DEADLINE_EXCEEDED" }) }, undefined]);
    const longest = watch(call("a", { deadline: "1h" }));
    expect(context.remainingMs()).toBe(3_600_000);
    await clock.advance("4s");
    expect([long.at === undefined, longest.at, runs[0]?.aborted]).toEqual([false, undefined, false]);
    const endless = watch(call("a"));
    expect(context.remainingMs()).toBe(Number.POSITIVE_INFINITY);
    await runs[0]?.answer(1);
    expect([longest.at, endless.at]).toEqual([{ value: 1 }, { value: 1 }]);
  });

  it("a call made in the run goes on as long as the run, begun before or after who has more time has joined", async () => {
    const { clock, call, runs } = flight();
    const inner = operation();
    const ask = protect("inner", inner.ask);
    const declared = protect("declared", inner.ask, { deadline: 3_000 });
    const short = watch(call("a", { deadline: "1s" }));
    const context = runs[0]?.context as CallContext;
    const before = [watch(ask("before", context)), watch(declared("before", context))];
    const long = watch(call("a", { deadline: "5s" }));
    const after = watch(ask("after", context));
    const nearer = watch(ask("nearer", { ...context, deadlineAt: 2_000 }));
    expect(inner.runs.map((one) => one.context.remainingMs())).toEqual([5_000, 3_000, 5_000, 2_000]);
    await clock.advance("1s");
    expect([short.at === undefined, long.at]).toEqual([false, undefined]);
    await clock.advance("2s");
    const overdue = { error: expect.objectContaining({ code: "DEADLINE_EXCEEDED" }) };
    expect([nearer.at, before[1]?.at]).toEqual([overdue, overdue]);
    await inner.runs[0]?.answer(1);
    await inner.runs[2]?.answer(2);
    expect([before[0]?.at, after.at]).toEqual([{ value: 1 }, { value: 2 }]);
    await runs[0]?.answer(3);
    expect(long.at).toEqual({ value: 3 });
  });

  it("the last deadline ends the run as the deadline of a call does, counted by a breaker inside", async () => {
    const { clock } = setup();
    await clock.advance("1h"); // a process is seldom as young as its calls
    const { ask, runs } = operation();
    const circuit = breaker({ consecutiveFailures: 1 });
    const call = settled(protect("x", ask, { cache: { ttl: "1m" }, breaker: circuit, deadline: "4s" }));
    const ended = Promise.all([call("a"), call("a")]);
    await clock.advance("4s");
    for (const { story } of await ended) {
      expect(story).toMatchObject({ state: "timedOut", failures: [{ kind: "timeout" }] });
      expect(story.failures).toHaveLength(1);
    }
    expect([circuit.state.state, runs[0]?.aborted]).toEqual(["open", true]);
  });

  it("a time-out outside the cache is each one's own", async () => {
    const { clock } = setup();
    const { ask, runs } = operation();
    const shared = pipe(ask, cache({ ttl: "1m" }));
    const [hasty, calm] = [watch(pipe(shared, timeout("1s"))("a")), watch(pipe(shared, timeout("9s"))("a"))];
    await clock.advance("1s");
    expect([hasty.at, calm.at]).toEqual([{ error: expect.objectContaining({ code: "TIMEOUT" }) }, undefined]);
    await runs[0]?.answer(1);
    await turn();
    expect([calm.at, runs.length]).toEqual([{ value: 1 }, 1]);
  });

  it("the run is as urgent as the most urgent of them, also for what it begins later", async () => {
    const { clock, caller } = setup();
    const seen: (Criticality | undefined)[] = [];
    const failing = async (_: string, { criticality }: CallContext): Promise<number> => {
      seen.push(criticality);
      throw down;
    };
    const options = {
      cache: { ttl: "1m" },
      retry: { attempts: 4, base: "1s", jitter: "none", backoff: "constant" },
    } as const;
    const call = protect("x", failing, options);
    const gone = caller();
    const ended = [
      outcome(call("a", { criticality: "background" })),
      outcome(call("a", { criticality: "critical", signal: gone.signal })),
    ];
    await clock.advance("1s");
    gone.abort();
    await clock.advance("1s");
    ended.push(outcome(call("a")));
    await clock.advance("1s");
    await Promise.all(ended);
    expect(seen).toEqual(["background", "critical", "background", "normal"]);
  });

  it("where nobody says how urgent it is, nor does the run: what it calls is as urgent as declared", async () => {
    const { caller } = setup();
    const seen: (Criticality | undefined)[] = [];
    const inner = protect("inner", async (_: string, { criticality }) => seen.push(criticality), {
      criticality: "critical",
    });
    const asking = async (input: string, context: CallContext) => {
      await turn();
      return inner(input, context);
    };
    const call = protect("x", asking, { cache: { ttl: "1m" } });
    await Promise.all([call("a"), call("a")]);
    const gone = caller();
    const left = outcome(call("b", { criticality: "sheddable", signal: gone.signal }));
    const other = call("b");
    gone.abort();
    await Promise.all([left, other]);
    expect(seen).toEqual(["critical", "critical"]);
  });

  it("the context of an attempt under way is raised too", async () => {
    const { call, runs } = flight();
    const ended = [call("a", { criticality: "sheddable" }), call("a", { criticality: "critical" })];
    expect(runs[0]?.context.criticality).toBe("critical");
    await runs[0]?.answer(1);
    await Promise.all(ended);
  });

  it("what one forgoes, the run forgoes only if all do: retry and tiers", async () => {
    const { clock } = setup();
    const build = () => {
      const failing = answering<string>(...[1, 2, 3].map(() => ({ error: down, after: 10 })));
      const call = protect("x", failing, {
        ...{ cache: { ttl: "1m" }, retry: { attempts: 2, base: 1, jitter: "none" as const } },
        fallback: [async () => "copy"],
      });
      return { call: settled(call), failing };
    };
    const [alone, together] = [build(), build()];
    const without = { retry: false, fallback: false } as const;
    const ended = Promise.all([
      ...[alone.call("a", without), alone.call("a", without)],
      ...[together.call("a", without), together.call("a")],
    ]);
    await clock.advance("1s");
    expect((await ended).map(({ ok }) => ok)).toEqual([false, false, true, true]);
    expect([alone.failing.calls.length, together.failing.calls.length]).toEqual([1, 2]);
  });

  it("goes on in its own async context, whoever began the run", async () => {
    const { clock } = setup();
    const storage = new AsyncLocalStorage<string>();
    const { ask, runs } = operation();
    const inside: unknown[] = [];
    const call = pipe(
      (input: string, context: CallContext) => {
        inside.push(storage.getStore());
        return ask(input, context);
      },
      retry({ base: 500, jitter: "none" }),
      cache({ ttl: "1m" }),
      fallback<string, unknown>([async () => storage.getStore()]),
    );
    const ended = Promise.all(["one", "two"].map((name) => storage.run(name, () => call("a"))));
    for (let run = 0; run < 3; run++) {
      await runs[run]?.fail(down);
      await clock.advance("2s");
    }
    expect([inside, await ended]).toEqual([
      ["one", "one", "one"],
      ["one", "two"],
    ]);
  });
});

describe("where it is told", () => {
  const spending = (cost: number) => async (_: string, context: CallContext) => {
    context.cost({ money: cost });
    if (context.attempt < 2) throw down;
    return 1;
  };

  it("attempts, failures, cost, children and events are the first sharer's; the others name that one", async () => {
    const { seen } = setup();
    const child = protect("child", async () => 1);
    const operation = async (input: string, context: CallContext) => {
      await child(undefined, context);
      return spending(2)(input, context);
    };
    const call = settled(protect("x", operation, { cache: { ttl: "1m" }, retry: { attempts: 2, base: 0 } }));
    const [first, second] = await Promise.all([call("a"), call("a")]);
    expect(first.story).toMatchObject({ attempts: 2, cost: { money: 4 }, failures: [{ error: down, attempt: 1 }] });
    expect(first.story.children.map(({ name }) => name)).toEqual(["child", "child"]);
    expect("sharedWith" in first.story).toBe(false);
    expect([first.story.corrections, second.story.corrections]).toEqual([[], []]);
    expect(second.story).toMatchObject({ attempts: 0, cost: {}, children: [], sharedWith: first.story.id });
    const attempts = seen.events.filter(({ type, name }) => /^(attempt|retry)/.test(type) && name === "x");
    expect(new Set(attempts.map(({ call }) => call))).toEqual(new Set([first.story.id]));
    expect(
      seen.of("call.settled").map(({ call, attempts, name }) => [name, call === first.story.id, attempts]),
    ).toEqual([
      ...[
        ["child", false, 1],
        ["child", false, 1],
      ],
      ...[
        ["x", true, 2],
        ["x", false, 0],
      ],
    ]);
    const [, inner] = seen.of("call.started").filter(({ name }) => name === "child");
    expect(inner?.parent).toBe(first.story.id);
  });

  it("when the first leaves, the next one's: each attempt and each cost is told in one story", async () => {
    const { clock, seen } = setup();
    const slow = async (input: string, context: CallContext) => {
      await clock.sleep(100, context.signal);
      return spending(1)(input, context);
    };
    const options = { cache: { ttl: "1m" }, retry: { attempts: 2, base: "1s", jitter: "none" } } as const;
    const call = settled(protect("x", slow, options));
    const ended = Promise.all([call("a", { deadline: 500 }), call("a"), call("a")]);
    await clock.advance("2s");
    const [first, second, third] = (await ended).map(({ story }) => story);
    expect(first).toMatchObject({ state: "timedOut", attempts: 1, cost: { money: 1 } });
    expect(second).toMatchObject({ state: "succeeded", attempts: 1, cost: { money: 1 }, sharedWith: first?.id });
    expect(third).toMatchObject({ state: "succeeded", attempts: 0, cost: {}, sharedWith: first?.id });
    expect(seen.of("attempt.started").map(({ call }) => call)).toEqual([first?.id, second?.id]);
  });

  it("an attempt that ran for them was called, also for those who only shared it", async () => {
    setup();
    const open = breaker({ consecutiveFailures: 1 });
    await outcome(open(async () => Promise.reject(down))());
    const failing = async (_: string): Promise<number> => Promise.reject(down);
    const ran = settled(protect("x", failing, { cache: { ttl: "1m" }, fallback: [async () => Promise.reject(down)] }));
    const refused = settled(protect("x", failing, { cache: { ttl: "1m" }, breaker: open }));
    const states = (ended: { story: { state: string } }[]) => ended.map(({ story }) => story.state);
    expect(states(await Promise.all([ran("a"), ran("a")]))).toEqual(["failed", "failed"]);
    expect(states(await Promise.all([refused("a"), refused("a")]))).toEqual(["notAdmitted", "notAdmitted"]);
  });

  it("what a later tier gave is degraded for all who share it", async () => {
    setup();
    const call = settled(
      protect("x", async (_: string): Promise<number> => Promise.reject(down), {
        ...{ cache: { ttl: "1m" }, fallback: [{ name: "copy", operation: async () => 2 }] },
      }),
    );
    for (const { story } of await Promise.all([call("a"), call("a")]))
      expect(story).toMatchObject({ state: "degraded", tier: 1, tierName: "copy", degraded: { reason: "overloaded" } });
  });

  it("the report of a shared failure names the call whose story has the rest", async () => {
    const { told, runs } = flight();
    const ended = Promise.all([told("a"), told("a")]);
    await runs[0]?.fail(down);
    const [first] = await ended;
    expect(storyOf(down)?.sharedWith).toBe(first?.story.id);
    expect(report(down)).toContain(`shared what call ${first?.story.id} did`);
  });

  it("unwatched, the stories are the same", async () => {
    setup({ watched: false });
    const call = settled(protect("x", spending(1), { cache: { ttl: "1m" }, retry: { attempts: 2, base: 0 } }));
    const [first, second] = await Promise.all([call("a"), call("a")]);
    expect(first.story).toMatchObject({ attempts: 2, cost: { money: 2 }, failures: [{ error: down }] });
    expect(second.story).toMatchObject({ attempts: 0, sharedWith: first.story.id });
    const failing = settled(protect("x", async (_: string) => Promise.reject(down), { cache: { ttl: "1m" } }));
    for (const { story } of await Promise.all([failing("a"), failing("a")]))
      expect(story.failures).toMatchObject([{ error: down, kind: "overloaded", attempt: 1 }]);
  });
});

describe("what goes on about it", () => {
  it("a key that is evicted while it loads: the load is neither aborted, nor are waiters given `undefined`", async () => {
    const { call, runs, state } = flight({ cache: { ttl: "1m", max: 1 } });
    const waiting = watch(call("a"));
    for (const other of ["b", "c"]) {
      const answered = call(other);
      await runs.at(-1)?.answer(other);
      await answered;
    }
    const late = watch(call("a"));
    expect([runs[0]?.aborted, waiting.at, runs.length]).toEqual([false, undefined, 3]);
    await runs[0]?.answer(1);
    expect([waiting.at, late.at, state()]).toEqual([{ value: 1 }, { value: 1 }, { entries: 1, loading: 0 }]);
  });

  it("a retry outside shares a new run for each of its rounds", async () => {
    const { clock } = setup();
    const answers = answering<number>({ error: down, after: 10 }, { value: 2, after: 10 });
    const call = settled(pipe(answers, cache({ ttl: "1m" }), retry({ base: 100, jitter: "none" })));
    const ended = Promise.all([call("a"), call("a")]);
    await clock.advance("1s");
    const [first, second] = await ended;
    expect([first, second]).toMatchObject([
      { value: 2, story: { attempts: 2 } },
      { value: 2, story: { attempts: 0 } },
    ]);
    expect(answers.calls).toHaveLength(2);
    expect(answers.calls[1]?.context.previous).toMatchObject([{ error: down }]);
  });

  it("what an inner retry gave up is what an outer call hears, and tries again no more", async () => {
    setup();
    const inner = protect("inner", async (_: string): Promise<number> => Promise.reject(down), {
      ...{ cache: { ttl: "1m" }, retry: { attempts: 2, base: 0 } },
    });
    let asked = 0;
    const outer = settled(
      protect(
        "outer",
        (id: string, context) => {
          asked++;
          return inner(id, context);
        },
        { retry: { attempts: 5, base: 0 } },
      ),
    );
    await Promise.all([outer("a"), outer("a")]);
    expect(asked).toBe(2);
  });

  it("a load that asks for its own key says so, in place of waiting for itself", async () => {
    setup();
    const chain: { ask?: (id: string, context: CallContext) => Promise<number> } = {};
    const one = protect("one", async (id: string, context): Promise<number> => chain.ask?.(id, context) ?? 0, {
      cache: { ttl: "1m" },
    });
    const two = protect("two", (id: string, context) => one(id, context), { cache: { ttl: "1m" } });
    chain.ask = (id, context) => two(id, context);
    const { error } = (await outcome(one("a"))) as { error: Error };
    expect(error).toMatchObject({ code: "OPTIONS_INVALID", operation: "one" });
    expect(error.message).toContain('no load that asks for its own key, as here ("one" → "two" → "one")');
    chain.ask = async (id, context) => (id === "a" ? two("b", context) : 7);
    expect(await one("a")).toBe(7);
  });

  it("calls that are each other's tiers end, though they are cached", async () => {
    setup();
    const ways: ((id: string, context: CallContext) => Promise<number>)[] = [];
    const failing = async (_: string): Promise<number> => Promise.reject(down);
    const one = protect("one", failing, {
      cache: { ttl: "1m" },
      fallback: [(id, context) => ways[0]?.(id, context) ?? failing(id)],
    });
    ways.push(protect("two", failing, { cache: { ttl: "1m" }, fallback: [one] }));
    expect((await settled(one)("a")).ok).toBe(false);
  });

  it("a deadline inside the cache is the run's own", async () => {
    const { clock } = setup();
    const { ask } = operation();
    const call = settled(protect("outer", protect("inner", ask, { deadline: "1s" }), { cache: { ttl: "1m" } }));
    const ended = Promise.all([call("a"), call("a", { deadline: "1h" })]);
    await clock.advance("1s");
    for (const { story } of await ended) expect(story.state).toBe("timedOut");
  });

  it("an operation that answers or throws at once is shared by nobody, and leaves nothing", async () => {
    setup();
    const call = pipe(
      ((id: string) => {
        if (id === "bad") throw status(404);
        return id.length;
      }) as never as (id: string) => Promise<number>,
      cache({ ttl: "1m" }),
    );
    expect([await call("abc"), await outcome(call("bad"))]).toMatchObject([3, { error: { status: 404 } }]);
    expect(explain(call)[0]?.state).toEqual({ entries: 1, loading: 0 });
  });

  it("an idempotency key is the first sharer's, for all attempts of the run", async () => {
    setup();
    const answers = answering<number>({ error: down }, { value: 1 });
    const call = protect("x", answers, {
      ...{ cache: { ttl: "1m" }, retry: { attempts: 2, base: 0 }, idempotencyKey: (id) => `key ${id}` },
    });
    await Promise.all([call("a"), call("a")]);
    expect(answers.calls.map(({ context }) => context.idempotencyKey)).toEqual(["key a", "key a"]);
  });
});

describe("a run that waits while others join it", () => {
  it.each(["bulkhead", "rateLimit"] as const)(
    "waits in the line of the most critical of them: at a %s",
    async (limit) => {
      const { clock } = setup();
      const order: string[] = [];
      const operation = async (key: string) => {
        order.push(key);
        await clock.sleep(100);
        return key;
      };
      const limits = {
        bulkhead: { bulkhead: { concurrency: 1, queue: 2 } },
        rateLimit: { rateLimit: { requests: { limit: 1, per: 100 }, shape: "smooth", maxWait: "1m" } },
      } as const;
      const call = protect("x", operation, { cache: { ttl: "1m" }, ...limits[limit] });
      const asked = [call("running"), call("a", { criticality: "background" }), call("b")];
      asked.push(call("a", { criticality: "critical" }));
      await clock.advance(400);
      await Promise.all(asked);
      expect(order).toEqual(["running", "a", "b"]);
    },
  );

  it("is told of in the name of who is left, though it stood in line when the first went", async () => {
    const { caller, clock, seen } = setup();
    const looking = defineWrapper("looking", z.undefined(), undefined, () => ({
      bracket: { before: ({ context, input }) => (context.call === "" ? undefined : input) },
    }));
    const told: string[] = [];
    const operation = async (_: string, { attempt, call }: CallContext) => {
      told.push(call);
      if (attempt === 1) throw down;
    };
    const places = bulkhead({ concurrency: 1, queue: 1 });
    const call = settled(
      pipe(operation, places, looking, retry({ attempts: 2, base: 100, jitter: "none" }), cache({ ttl: "1m" })),
    );
    const gone = caller();
    const ended = [call("a", { signal: gone.signal }), call("a")];
    await turn();
    const held = places.acquire();
    await clock.advance(100);
    expect(places.queued).toBe(1);
    gone.abort();
    await turn();
    held?.done({ ok: true, value: undefined });
    const [first, second] = (await Promise.all(ended)).map(({ story }) => story.id);
    expect(told).toEqual([first, second]);
    expect(seen.of("attempt.started").map(({ call }) => call)).toEqual([first, second]);
  });

  it("keeps its turn when who joins it is no more critical than it is", async () => {
    const { clock } = setup();
    const order: string[] = [];
    const operation = async (key: string) => {
      order.push(key);
      await clock.sleep(100);
    };
    const call = protect("x", operation, { cache: { ttl: "1m" }, bulkhead: { concurrency: 1, queue: 2 } });
    const asked = [call("running"), call("a"), call("b"), call("a"), call("a", { criticality: "sheddable" })];
    await clock.advance(300);
    await Promise.all(asked);
    expect(order).toEqual(["running", "a", "b"]);
  });

  it("is not displaced as the least critical of them", async () => {
    const { clock } = setup();
    const operation = async (key: string) => clock.sleep(100).then(() => key);
    const call = protect("x", operation, { cache: { ttl: "1m" }, bulkhead: { concurrency: 1, queue: 1 } });
    const asked = [call("running"), outcome(call("a", { criticality: "background" }))];
    const critical = outcome(call("a", { criticality: "critical" }));
    const newcomer = outcome(call("b"));
    await clock.advance(300);
    await Promise.all(asked);
    expect(await critical).toEqual({ value: "a" });
    expect(await newcomer).toMatchObject({ error: { code: "BULKHEAD_FULL" } });
  });
});

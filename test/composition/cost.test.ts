// What a call cost: every attempt, re-ask and tier, each at the price of the model that served it.
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import {
  addCost,
  type CallContext,
  type Cost,
  gate,
  judge,
  named,
  pipe,
  prices,
  protect,
  report,
  retry,
  type Story,
  settled,
  storyOf,
  timeout,
} from "../../src/index.ts";
import { around, setup as base, turn } from "./setup.ts";

function setup() {
  const undo = [prices.set("small", { input: 1, output: 2 }), prices.set("large", { input: 10, output: 20 })];
  onTestFinished(() => undo.forEach((off) => void off()));
  return base();
}

const million = 1_000_000;
const down = Object.assign(new Error("down"), { status: 503 });

/** Asks this model, and gives what the turn says. */
const ask =
  <O>(model: string, ...answers: (O | Error)[]) =>
  async (_: unknown, { attempt, cost }: CallContext): Promise<O> => {
    cost({ model, inputTokens: million, outputTokens: million });
    const answer = answers[attempt - 1] as O | Error;
    if (answer instanceof Error) throw answer;
    return answer;
  };

/** Two at once; the first that answers. */
const twoAtOnce = around(
  (operation) => (input, context) => Promise.race([operation(input, context), operation(input, context)]),
);

/** What it fails with. */
const caught = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("a call's total", () => {
  it("is all attempts, tiers and re-asks, each at the price of the model that served it", async () => {
    const { clock } = setup();
    const call = protect("draft", ask<string>("small", down, ""), {
      output: z.string().min(1),
      retry: { attempts: 2, base: 1 },
      fallback: [{ name: "other", operation: ask<string>("large", "done") }],
    });
    const ended = settled(call)("x");
    await clock.advance("1s");
    const { ok, story } = await ended;
    expect(ok).toBe(true);
    expect(story.cost).toEqual({ inputTokens: 3 * million, outputTokens: 3 * million, money: 36, model: "large" });
    expect(story.failures.map(({ kind, cost }) => [kind, cost?.money, cost?.model])).toEqual([
      ["overloaded", 3, "small"],
      ["quality", 3, "small"],
    ]);
  });

  it("has the calls inside it: protected tiers and a second opinion, each told once to the bus", async () => {
    const { seen } = setup();
    const critic = protect("critic", ask("small", 1));
    const first = protect("first", ask<string>("small", down));
    const second = protect("second", ask<string>("large", "done"));
    const call = protect("draft", first, {
      fallback: [second],
      gate: { checks: [judge(critic, { threshold: 1 })] },
    });
    const { story } = await settled(call)("x");
    expect(story.cost).toMatchObject({ money: 36, inputTokens: 3 * million });
    const own = (story: Story): Record<string, unknown> =>
      Object.assign({ [story.name]: story.cost.money }, ...story.children.map(own));
    expect(own(story)).toEqual({ draft: 36, first: 3, second: 30, critic: 3 });
    expect(story.failures.map(({ tierName, cost }) => [tierName, cost?.money])).toEqual([["first", 3]]);
    const told = seen.of("call.settled").map(({ name, cost }) => [name, cost.money]);
    expect(told).toEqual([
      ["first", 3],
      ["second", 30],
      ["critic", 3],
      ["draft", undefined],
    ]);
    expect(seen.of("call.settled").reduce<Cost>((sum, { cost }) => addCost(sum, cost), {}).money).toBe(36);
  });

  it("is nothing where nothing was told, of a call and of those inside it", async () => {
    const { seen } = setup();
    const inner = protect("inner", async () => 1);
    const { story } = await settled(protect("outer", async (_: void, context) => inner(undefined, context)))();
    expect([story.cost, story.children[0]?.cost]).toEqual([{}, {}]);
    expect(seen.of("call.settled").map(({ cost }) => cost)).toEqual([{}, {}]);
  });

  it("of a cache hit is nothing: what was asked once is paid once, whatever the model", async () => {
    const { seen } = setup();
    const call = settled(protect("ask", ask("small", "done"), { cache: { ttl: "1m" } }));
    const costs = [(await call("x")).story.cost, (await call("x")).story.cost];
    expect(costs).toEqual([expect.objectContaining({ money: 3 }), {}]);
    expect(seen.of("call.settled").map(({ cost }) => cost.money)).toEqual([3, undefined]);
  });

  it("says so where a model has no price, and what it is at least: in story, event and report", async () => {
    const { seen } = setup();
    const call = protect("draft", ask<string>("small", down), {
      fallback: [{ name: "other", operation: ask<string>("new", down) }],
    });
    const error = await caught(call("x"));
    expect(storyOf(error)?.cost).toMatchObject({ money: 3, inputTokens: 2 * million, unpriced: ["new"] });
    expect(seen.of("call.settled")[0]?.cost).toMatchObject({ money: 3, unpriced: ["new"] });
    expect(report(error)).toContain(
      "It cost 2000000 input tokens, 2000000 output tokens, at least 3 in money (new); without a price: new.",
    );
    const none = await caught(protect("ask", ask<string>("new", down))("x"));
    expect(report(none)).toContain("It cost 1000000 input tokens, 1000000 output tokens (new); without a price: new.");
  });
});

describe("what is told in words that cannot be read", () => {
  const notRead = { estimated: true, unpriced: ["unnamed model"] };
  const throwing = new Proxy({}, { get: () => expect.unreachable() });
  it.each<[string, unknown, Cost]>([
    ["nothing", undefined, {}],
    ["null", null, {}],
    ["no keys", {}, {}],
    [
      "keys of a provider",
      { model: "small", input_tokens: 5 },
      { model: "small", estimated: true, unpriced: ["small"] },
    ],
    [
      "half of it",
      { model: "small", inputTokens: million, output_tokens: 5 },
      { model: "small", inputTokens: million, money: 1, estimated: true, unpriced: ["small"] },
    ],
    [
      "more than is asked",
      { model: "small", inputTokens: million, outputTokens: 0, total_tokens: million },
      { model: "small", inputTokens: million, outputTokens: 0, money: 1 },
    ],
    ["money and more", { money: 2, cached_tokens: 5 }, { money: 2 }],
    [
      "models that are none",
      { model: "small", inputTokens: million, unpriced: 5 },
      { model: "small", inputTokens: million, money: 1 },
    ],
    [
      "a getter of a class",
      new (class {
        get inputTokens() {
          return million;
        }
        get model() {
          return "small";
        }
      })(),
      { model: "small", inputTokens: million, money: 1 },
    ],
    ["a number", 5, notRead],
    ["a list", [5], notRead],
    ["a promise", Promise.resolve({ money: 5 }), notRead],
    ["what throws when it is read", throwing, notRead],
  ])("costs no answer, and is never free: %s", async (_, told, cost) => {
    const { seen } = setup();
    const call = protect("ask", async (_: string, { cost }) => {
      cost(told as Cost);
      return "done";
    });
    const done = await settled(call)("x");
    expect(done).toMatchObject({ ok: true, value: "done" });
    expect(done.story.cost).toEqual(cost);
    expect(seen.of("call.settled")[0]?.cost).toEqual(cost);
  });

  it("is told by a report, and by a gate with a benchmark of money", async () => {
    const { seen } = setup();
    const wrong = (cost: CallContext["cost"]) => cost({ model: "small", input_tokens: 5 } as Cost);
    const fails = protect("ask", async (_: string, { cost }) => {
      wrong(cost);
      throw down;
    });
    expect(report(await caught(fails("x")))).toContain(
      "It cost an amount that is not known (small); without a price: small.",
    );
    const gated = protect("ask", async (_: string, { cost }) => wrong(cost), { gate: { benchmark: { money: 1 } } });
    await gated("x");
    expect(seen.of("output.unpriced")).toMatchObject([{ models: ["small"] }]);
  });
});

describe("what nobody waits for any more", () => {
  it("stays in the bill: a timed-out attempt's cost is an estimate, and the total is at least that", async () => {
    const { clock } = setup();
    const call = protect(
      "draft",
      async (_: string, { attempt, cost, signal }) => {
        cost({ model: "small", inputTokens: million });
        if (attempt === 1) await clock.sleep(60_000, signal);
        throw down;
      },
      { timeout: "1s", retry: { attempts: 2, base: 1 } },
    );
    const ended = settled(call)("x");
    await clock.advance("10s");
    const { story, ...end } = await ended;
    expect(story.cost).toEqual({ model: "small", inputTokens: 2 * million, money: 2, estimated: true });
    expect(story.failures.map(({ cost }) => cost?.estimated)).toEqual([true, undefined]);
    expect(report((end as { error: unknown }).error)).toContain("It cost at least 2000000 input tokens, 2 in money");
  });

  it("makes the total at least that much also where the lost attempt had told nothing yet, in the calls around too", async () => {
    const { clock, seen } = setup();
    const inner = protect(
      "inner",
      async (_: string, { attempt, cost, signal }) => {
        if (attempt === 1) await clock.sleep(60_000, signal);
        cost({ model: "small", inputTokens: million });
      },
      { timeout: "1s", retry: { attempts: 2, base: 1 } },
    );
    const ended = settled(protect("outer", (input: string, context) => inner(input, context)))("x");
    await clock.advance("10s");
    expect((await ended).story.cost).toMatchObject({ money: 1, estimated: true });
    expect(seen.of("call.settled")[0]?.cost).toMatchObject({ money: 1, estimated: true });
  });

  it("is known once it has ended well and told all: the total is exact then", async () => {
    const { clock } = setup();
    const call = pipe(
      async (_: unknown, { attempt, cost }: CallContext) => {
        if (attempt === 2) throw down;
        cost({ model: "small", inputTokens: million });
        await clock.sleep(5_000);
        cost({ outputTokens: million });
      },
      timeout("1s"),
      retry({ attempts: 2, base: 0 }),
    );
    const ended = settled(call)("x");
    await clock.advance("1s");
    expect((await ended).story.cost).toMatchObject({ money: 1, estimated: true });
    await clock.advance("5s");
    expect(storyOf(down)?.cost).toEqual({ model: "small", inputTokens: million, outputTokens: million, money: 3 });
  });

  it("is no cost of a call that tells none", async () => {
    const { clock } = setup();
    const call = protect("x", async (_: void, { signal }) => clock.sleep(60_000, signal), { timeout: "1s" });
    const ended = settled(call)();
    await clock.advance("1s");
    expect((await ended).story.cost).toEqual({});
  });

  it("a loser is priced and named as itself, and stays in the bill as an estimate", async () => {
    const { clock, seen } = setup();
    const call = pipe(
      named("ask", async (_: string, { attempt, cost, signal }: CallContext) => {
        const model = attempt === 1 ? "large" : "small";
        cost({ model, inputTokens: million });
        await turn(); // both have told before either goes on
        cost({ outputTokens: million });
        if (model === "large") await clock.sleep(60_000, signal);
        return model;
      }),
      twoAtOnce,
    );
    const { ok, story } = await settled(call)("x");
    expect(ok).toBe(true);
    expect(story.cost).toEqual({
      ...{ inputTokens: 2 * million, outputTokens: 2 * million, money: 33, estimated: true },
      model: expect.any(String),
    });
    expect(seen.of("attempt.abandoned")).toMatchObject([{ attempt: 1, reason: "lost", stillRunning: true }]);
  });
});

describe("an outer gate's benchmark of money", () => {
  const dear = z.string();

  it("sees what was told in an inner attempt of a promise-style layer", async () => {
    setup();
    const call = pipe(
      named("ask", ask<string>("large", "done", "done")),
      twoAtOnce,
      gate(dear, { benchmark: { money: 59 } }),
    );
    expect(await caught(call("x"))).toMatchObject({ findings: [{ got: 60, wanted: "a cost of at most 59" }] });
    const enough = pipe(
      named("ask", ask<string>("large", "done", "done")),
      twoAtOnce,
      gate(dear, { benchmark: { money: 60 } }),
    );
    expect(await enough("x")).toBe("done");
  });

  it("sees what a retry and a protected call inside it have used", async () => {
    const { clock } = setup();
    const tries = pipe(
      named("ask", ask<string>("small", down, "done")),
      retry({ base: 1 }),
      gate(dear, { benchmark: { money: 5 } }),
    );
    const ended = caught(tries("x"));
    await clock.advance("1s");
    expect(await ended).toMatchObject({ findings: [{ got: 6 }] });
    const inner = protect("inner", ask<string>("large", "done"));
    const outer = protect("outer", inner, { gate: { benchmark: { money: 29 } } });
    expect(await caught(outer("x"))).toMatchObject({ findings: [{ got: 30 }] });
  });

  it("inside a retry is of each attempt alone", async () => {
    const { clock } = setup();
    const call = protect("ask", ask<string>("small", down, down, "done"), {
      ...{ gate: { benchmark: { money: 3 } }, retry: { base: 1 } },
    });
    const answer = call("x");
    await clock.advance("1s");
    expect(await answer).toBe("done");
  });
});

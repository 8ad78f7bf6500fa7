import { describe, expect, it } from "vitest";
import {
  breaker,
  bulkhead,
  explain,
  fallback,
  named,
  OptionsInvalidError,
  pipe,
  protect,
  settled,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup, turn, watch } from "../composition/setup.ts";

const down = Object.assign(new Error("down"), { status: 500 });
const missing = Object.assign(new Error("no such user"), { status: 404 });

describe("a tier's own limits", () => {
  it("its `timeout` ends one attempt of it", async () => {
    const { clock } = setup();
    const slow = script<string>("never");
    const call = pipe(
      script<string>({ error: down }),
      fallback([{ name: "slow", operation: slow, timeout: "2s" }, async () => "last"]),
    );
    const answered = watch(call("x"));
    await clock.advance(1_999);
    expect(answered.at).toBeUndefined();
    await clock.advance(1);
    expect(answered.at).toEqual({ value: "last" });
  });

  it("in a declaration: the declared time-out is laid round a bare tier, its own in its place, and none round a call of its own", async () => {
    const { clock } = setup();
    const started: string[] = [];
    const tier =
      (name: string) =>
      async (_: string): Promise<string> => {
        started.push(`${name} at ${clock.monotonic()}`);
        return new Promise<string>(() => {});
      };
    const call = protect("user", tier("user"), {
      timeout: "1s",
      fallback: [
        { name: "bare", operation: tier("bare") },
        { name: "own", operation: tier("own"), timeout: "3s" },
        protect("copy", tier("copy"), { timeout: "10s" }),
        { name: "last", operation: tier("last") },
      ],
    });
    const answered = watch(call("x"));
    await clock.advance("1m");
    expect(started).toEqual(["user at 0", "bare at 1000", "own at 2000", "copy at 5000", "last at 15000"]);
    expect(answered.at).toMatchObject({ error: { code: "FALLBACK_EXHAUSTED" } });
  });

  it("is not asked when no time is left, though the deadline has yet to be heard: the process was busy", async () => {
    const { clock, seen } = setup();
    let busyMs = 0;
    const busy = { ...clock, monotonic: () => clock.monotonic() + busyMs };
    const tier = script<string>({ value: "other" });
    const operation = async (_: string): Promise<string> => {
      busyMs = 1_000;
      throw down;
    };
    const call = protect("user", operation, {
      deadline: "1s",
      fallback: [{ name: "other", operation: tier }],
      seams: { clock: busy },
    });
    await settled(call)("x");
    expect(tier.calls).toEqual([]);
    expect(seen.of("fallback.skipped")).toMatchObject([{ tier: "other", reason: "deadline" }]);
  });

  it("`retry` and `breaker` of the declaration belong to the first tier", async () => {
    const { clock } = setup();
    const tier = script<string>({ error: down });
    const call = protect("user", script<string>({ error: down }, { error: down }, { error: down }), {
      retry: {},
      breaker: { consecutiveFailures: 9 },
      fallback: [tier],
    });
    const ended = settled(call)("x");
    await clock.advance("1m");
    expect(await ended).toMatchObject({ story: { attempts: 4 } });
    expect(tier.calls).toHaveLength(1);
    expect(explain(call).map(({ kind }) => kind)).toEqual(["fallback", "retry", "breaker"]);
  });
});

describe("`otherwise`", () => {
  it("gives the answer when no tier did, from the input and all failures", async () => {
    const { seen } = setup();
    const asked: unknown[] = [];
    const otherwise = (id: string, failures: readonly { error: unknown }[]) => {
      asked.push([id, failures.map(({ error }) => error)]);
      return "nobody";
    };
    const tier = script<string>({ error: missing });
    const failing = async (_: string): Promise<string> => Promise.reject(down);
    const always = { name: "other", operation: tier, when: () => true };
    const ended = await settled(pipe(failing, fallback([always], { otherwise })))("ada");
    // a 404 goes to no tier, and is answered by no default either
    expect([ended.ok, asked]).toEqual([false, []]);
    const plain = pipe(failing, fallback([failing], { otherwise }));
    expect(await settled(plain)("ada")).toMatchObject({
      value: "nobody",
      story: { state: "degraded", tierName: "otherwise", degraded: { reason: "transient" } },
    });
    expect(asked).toEqual([["ada", [down, down]]]);
    expect(seen.of("fallback.used").at(-1)).toMatchObject({ to: "otherwise", kind: "transient" });
  });

  it("is not asked where a tier answered, nor after the caller's abort", async () => {
    const { caller } = setup();
    const otherwise = () => {
      throw new Error("asked");
    };
    const operation = script<string>({ error: down }, "never");
    const call = pipe(operation, fallback([async () => "other"], { otherwise }));
    expect(await call("x")).toBe("other");
    const controller = caller();
    const answered = watch(call("x", { signal: controller.signal }));
    controller.abort("gone");
    await turn();
    expect(answered.at).toEqual({ error: "gone" });
  });

  it("tells nobody of an answer that comes after the caller's abort", async () => {
    const { caller, clock, seen } = setup();
    const late = script<string>({ value: "nobody", after: 10 });
    const failing = async (_: string): Promise<string> => Promise.reject(down);
    const call = pipe(failing, fallback([failing], { otherwise: (input) => late(input, undefined as never) }));
    const controller = caller();
    const answered = watch(call("x", { signal: controller.signal }));
    await turn();
    controller.abort("gone");
    await clock.advance(10);
    expect(answered.at).toEqual({ error: "gone" });
    expect(late.calls).toHaveLength(1);
    expect(seen.of("fallback.used").map(({ to }) => to)).not.toContain("otherwise");
  });
});

describe("a tier that is passed over", () => {
  it.each([
    { state: "has no place left", full: true, open: false, reason: "bulkheadFull" },
    { state: "is broken", full: false, open: true, reason: "breakerOpen" },
    { state: "has neither a place nor its health, which is outside", full: true, open: true, reason: "bulkheadFull" },
  ])("is told with the reason of what would refuse it first: it $state", async ({ full, open, reason }) => {
    const { seen } = setup();
    const [places, circuit] = [bulkhead(1), breaker()];
    if (full) places.acquire();
    if (open) circuit.isolate();
    const other = named("other", async (_: string) => "other");
    const failing = async (_: string): Promise<string> => Promise.reject(down);
    for (const tier of [pipe(other, circuit, places), protect("other", pipe(other, circuit, places))]) {
      expect(await pipe(failing, fallback([tier, async () => "last"]))("x")).toBe("last");
    }
    expect(seen.of("fallback.skipped")).toMatchObject([
      { tier: "other", reason },
      { tier: "other", reason },
    ]);
  });

  it.each([true, false])("is told of to nobody who left while `when` was asked, and answered %s", async (goesOn) => {
    const { caller, seen } = setup();
    const controller = caller();
    const tier = script<string>({ value: "other" });
    const when = () => {
      controller.abort("gone");
      return goesOn;
    };
    const call = pipe(script<string>({ error: down }), fallback([{ name: "other", operation: tier, when }]));
    await expect(call("x", { signal: controller.signal })).rejects.toBe("gone");
    await turn();
    expect(tier.calls).toEqual([]);
    expect(seen.events.filter(({ type }) => type.startsWith("fallback."))).toEqual([]);
  });
});

describe("a tier's name", () => {
  it("is given, or the function's own, or its place where the function has none", () => {
    const own = async (_: string) => "own";
    const call = pipe(own, fallback([{ name: "given", operation: own }, own, async (_: string) => "anonymous"]));
    expect(explain(call)).toMatchObject([{ kind: "fallback", options: { tiers: ["given", "own", "tier 3"] } }]);
  });

  it("stands in `explain` beside `otherwise`, if there is one", () => {
    const own = async (_: string) => "own";
    const otherwise = () => "nobody";
    const optionsOf = (...given: Parameters<typeof fallback<string, string>>) =>
      explain(pipe(own, fallback(...given)))[0]?.options;
    expect(optionsOf([own])).toEqual({ tiers: ["own"] });
    expect(optionsOf([own], { otherwise })).toEqual({ tiers: ["own"], otherwise });
  });
});

describe("bad options", () => {
  it.each([
    [[], ""],
    ["gpt", ""],
    [[5], "0"],
    [[{ name: "x" }], "0.operation"],
    [[{ name: "", operation: async () => 1 }], "0.name"],
    [[async () => 1, { name: "x", operation: async () => 1, timeout: "soon" }], "1.timeout"],
    [[{ name: "x", operation: async () => 1, when: true }], "0.when"],
    [[{ name: "x", operation: async () => 1, retry: {} }], "0.retry"],
  ])("throw when the wrapper is made, with the path: %o", (tiers, path) => {
    const issues = issuesOf(() => fallback(tiers as never));
    expect(issues.map((issue) => issue.path ?? "")).toContain(path);
    const declared = issuesOf(() => protect("x", async () => 1, { fallback: tiers as never }));
    expect(declared.map((issue) => issue.path)).toContain(["fallback", path].filter(Boolean).join("."));
  });

  it("of `otherwise` likewise", () => {
    expect(issuesOf(() => fallback([async () => 1], { otherwise: 5 as never }))).toMatchObject([{ path: "otherwise" }]);
    expect(issuesOf(() => fallback([async () => 1], { onFail: 5 } as never))).toMatchObject([{ path: "onFail" }]);
  });
});

function issuesOf(make: () => unknown) {
  try {
    make();
  } catch (error) {
    if (error instanceof OptionsInvalidError) return error.issues;
    throw error;
  }
  return [];
}

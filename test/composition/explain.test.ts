// Design §2: `explain(call)`: the layers of a call in order, with options and live state; only what is written is built.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  breaker,
  deadline,
  defineWrapper,
  explain,
  fallback,
  gate,
  guard,
  named,
  pipe,
  protect,
  retry,
  settled,
  standard,
  timeout,
} from "../../src/index.ts";
import { record, script } from "../../src/testing/index.ts";
import { setup } from "./setup.ts";

async function user(id: string): Promise<string> {
  return id;
}

function kinds(of: unknown): string[] {
  return explain(of).map(({ kind }) => kind);
}

describe("only the keys that are written are built", () => {
  it("and `protect(name, operation)` records and tells, no more", async () => {
    const { events } = setup();
    const seen = record(events);
    const call = protect("user", user);
    expect(explain(call)).toEqual([]);
    expect(await call("ada")).toBe("ada");
    expect(seen.events.map(({ type }) => type)).toEqual(["call.started", "attempt.started", "call.settled"]);
  });

  it.each<[key: string, options: object, kind: string]>([
    ["deadline", { deadline: "1s" }, "deadline"],
    ["input", { input: z.string() }, "guard"],
    ["guard", { guard: {} }, "guard"],
    ["fallback", { fallback: [user] }, "fallback"],
    ["retry", { retry: {} }, "retry"],
    ["output", { output: z.string() }, "gate"],
    ["gate", { gate: {} }, "gate"],
    ["breaker", { breaker: {} }, "breaker"],
    ["timeout", { timeout: "1s" }, "timeout"],
  ])("%s alone builds itself alone", (_, options, kind) => {
    expect(kinds(protect("user", user, options))).toEqual([kind]);
  });

  it.each(["deadline", "fallback", "retry", "breaker", "timeout"])("%s: false builds nothing", (key) => {
    expect(explain(protect("user", user, { [key]: false }))).toEqual([]);
    expect(kinds(protect("user", user, { ...standard, fallback: [user], [key]: false }))).not.toContain(key);
  });
});

describe("the order of a declaration", () => {
  it("is always the same, outermost first, whatever order the keys are written in", () => {
    const options = {
      ...{ timeout: "1s", breaker: {}, gate: {}, output: z.string(), retry: {}, fallback: [user] },
      ...{ guard: {}, input: z.string(), deadline: "9s" },
    } as const;
    const turned = Object.fromEntries(Object.entries(options).reverse());
    const order = ["deadline", "guard", "fallback", "retry", "gate", "breaker", "timeout"];
    expect(kinds(protect("user", user, options as object))).toEqual(order);
    expect(kinds(protect("user", user, turned))).toEqual(order);
  });
});

describe("the layers of a call by hand", () => {
  it("are told as they stand, the outermost first", () => {
    const call = pipe(
      user,
      timeout("2s"),
      gate(z.string()),
      breaker(),
      retry(),
      fallback([user]),
      guard(z.string()),
      deadline("9s"),
    );
    expect(kinds(call)).toEqual(["deadline", "guard", "fallback", "retry", "breaker", "gate", "timeout"]);
  });

  it("of a wrapper of one's own are told by its name, options and state", async () => {
    const counting = defineWrapper("counting", z.strictObject({ from: z.number().default(3) }), {}, ({ from }) => {
      let n = from;
      return { bracket: { after: () => void n++ }, state: () => n };
    });
    const call = counting(user);
    await call("ada");
    expect(explain(call)).toEqual([{ kind: "counting", options: { from: 3 }, state: 4 }]);
  });
});

describe("options", () => {
  it("are as parsed: durations in ms, defaults filled in", () => {
    const [retrying, limited] = explain(protect("user", user, { retry: { base: "50ms" }, timeout: "2s" }));
    expect(retrying?.options).toEqual({
      ...{ attempts: 3, backoff: "exponential", base: 50, cap: 20_000, jitter: "full" },
      ...{ maxElapsed: Number.POSITIVE_INFINITY, patience: 1_000 },
    });
    expect(limited?.options).toEqual({ after: 2_000 });
    expect(explain(protect("user", user, { breaker: {} }))[0]?.options).toMatchObject({
      ...{
        failureRate: 0.5,
        window: 10_000,
        minimumCalls: 10,
        breakTime: 5_000,
        maxBreakTime: 60_000,
        halfOpenCalls: 1,
      },
    });
  });

  it("tell the tiers of a fallback by their names", () => {
    const call = protect("user", user, {
      fallback: [user, { name: "template", operation: user }, protect("copy", user)],
    });
    expect(explain(call)[0]?.options).toEqual({ tiers: ["user", "template", "copy"] });
  });

  it("that somebody writes to change nothing of the call", async () => {
    const { clock } = setup();
    const operation = script<number>({ error: new Error("down") }, { value: 2 });
    const call = protect("user", operation, { retry: { attempts: 2 } });
    Object.assign(explain(call)[0]?.options ?? {}, { attempts: 1 });
    expect(explain(call)[0]?.options).toMatchObject({ attempts: 2 });
    const ended = call(undefined);
    await clock.advance("5s");
    expect(await ended).toBe(2);
  });
});

describe("state", () => {
  it("is live: as it is when it is asked for", async () => {
    setup();
    const call = protect("user", async () => Promise.reject(new Error("down")), {
      breaker: { consecutiveFailures: 2 },
    });
    const state = () => (explain(call)[0] as { state: { state: string } }).state.state;
    const states = [state()];
    for (let i = 0; i < 2; i++) {
      await settled(call)();
      states.push(state());
    }
    expect(states).toEqual(["closed", "closed", "open"]);
  });

  it("is there only where a layer has one", () => {
    expect(explain(protect("user", user, { timeout: "1s" }))[0]).not.toHaveProperty("state");
  });
});

describe("what can be explained", () => {
  it("is a policy: what its calls share", () => {
    const stripe = protect.with("stripe", { ...standard, timeout: "3s" });
    expect(kinds(stripe)).toEqual(["deadline", "retry", "breaker", "timeout"]);
    expect(explain(stripe).at(-1)?.options).toEqual({ after: 3_000 });
  });

  it("is a call inside another only as one: its layers are its own", () => {
    const inner = protect("inner", user, { timeout: "1s" });
    expect(kinds(protect("outer", inner, { retry: {} }))).toEqual(["retry"]);
    expect(kinds(retry()(inner))).toEqual(["retry"]);
    expect(kinds(retry()(timeout("1s")(user)))).toEqual(["retry", "timeout"]);
    expect(kinds(named("x", retry()(user)))).toEqual(["retry"]);
  });

  it.each([
    ["a bare function", user],
    ["nothing", undefined],
    ["null", null],
    ["a text", "user"],
  ])("is nothing of %s", (_, what) => {
    expect(explain(what)).toEqual([]);
  });
});

describe("a call", () => {
  it("is named after what was named, else after its function", async () => {
    const { seen } = setup();
    const calls = [
      protect("by declaration", user),
      pipe(named("by hand", user), retry()),
      retry()(user),
      retry()(async (id: string) => id),
    ];
    for (const call of calls) await call("ada");
    expect(seen.of("call.settled").map(({ name }) => name)).toEqual(["by declaration", "by hand", "user", "anonymous"]);
    expect(calls.map(({ name }) => name)).toEqual(["by declaration", "by hand", "user", "anonymous"]);
  });
});

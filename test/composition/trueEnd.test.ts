// Design §1 and §4: the moments of a bracket, each exactly once, and the true end of what was called.
import { describe, expect, it } from "vitest";
import { deadline, fallback, pipe, protect, retry, settled, timeout } from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { around, moments, outcome, queue, refuse, setup, turn, watch } from "./setup.ts";

const down = Object.assign(new Error("down"), { status: 503 });
const bug = new Error("a mistake in a layer");
const fails = () => {
  throw bug;
};

/** An operation that hears nothing of its signal: it settles when the test says so. */
function deaf() {
  const running: { resolve(value: unknown): void; reject(error: unknown): void }[] = [];
  const operation = (_: unknown) => new Promise<unknown>((resolve, reject) => running.push({ resolve, reject }));
  return { running, operation };
}

describe("the moments of a bracket", () => {
  it("are before, started, after and ended, once each, inwards and then outwards", async () => {
    setup();
    const { log, bracket } = moments();
    const call = pipe(script({ value: 1 }), bracket("inner"), bracket("outer"));
    expect(await call(undefined)).toBe(1);
    expect(log).toEqual([
      ...["outer.before", "inner.before", "outer.started", "inner.started"],
      ...["inner.after ok", "outer.after ok", "inner.ended", "outer.ended"],
    ]);
  });

  it("come once for each attempt inside a retry, and once a call outside it", async () => {
    setup();
    const { of, bracket } = moments();
    const shaky = script({ error: down }, { error: down }, { value: 1 });
    const call = pipe(shaky, bracket("inner"), retry({ base: 0 }), bracket("outer"));
    expect(await call(undefined)).toBe(1);
    const attempt = (kind: string) => ["before", "started", `after ${kind}`, "ended"];
    expect(of("inner").toSorted()).toEqual(
      [...attempt("overloaded"), ...attempt("overloaded"), ...attempt("ok")].toSorted(),
    );
    expect(of("outer")).toEqual(attempt("ok"));
  });

  it("come for each tier's own bracket, and once for one outside the fallback", async () => {
    setup();
    const { of, bracket } = moments();
    const tier = pipe(script({ error: down }), bracket("second"));
    const call = pipe(script({ error: down }), bracket("first"), fallback([tier, async () => 3]), bracket("outer"));
    expect(await call(undefined)).toBe(3);
    expect(of("first")).toEqual(["before", "started", "after overloaded", "ended"]);
    expect(of("second")).toEqual(["before", "started", "after overloaded", "ended"]);
    expect(of("outer")).toEqual(["before", "started", "after ok", "ended"]);
  });

  it("give on the input inwards and the value outwards, and the next attempt starts from the input as it was", async () => {
    setup();
    const { bracket } = moments();
    const operation = script({ error: down }, { value: 1 });
    const plusOne = bracket("plus", {
      before: ({ input }) => `${input}+`,
      judge: (_, value) => `${value}!`,
    });
    const call = pipe(
      operation,
      plusOne,
      retry({ base: 0 }),
      bracket("outer", { before: ({ input }) => `(${input})` }),
    );
    expect(await call("x")).toBe("1!");
    expect(operation.calls.map(({ input }) => input)).toEqual(["(x)+", "(x)+"]);
  });
});

describe("`after` and `ended` run once each, exactly for layers whose `before` passed", () => {
  const whole = ["before", "started"];
  it.each([
    {
      when: "the operation was never called, because `before` of a layer inside refused",
      middle: { before: () => refuse() },
      outer: ["before", "after notAdmitted", "ended"],
      middleTold: ["before"],
      inner: [],
    },
    {
      when: "the operation was never called, because `started` of a layer refused",
      middle: { started: () => refuse() },
      outer: [...whole, "after notAdmitted", "ended"],
      middleTold: [...whole, "after notAdmitted", "ended"],
      inner: ["before", "after notAdmitted", "ended"],
    },
    {
      when: "a user's `before` threw",
      middle: { before: fails },
      outer: ["before", "after bug", "ended"],
      middleTold: ["before"],
      inner: [],
    },
    {
      when: "a user's async `before` rejected",
      middle: { before: async () => fails() },
      outer: ["before", "after bug", "ended"],
      middleTold: ["before"],
      inner: [],
    },
    {
      when: "a user's `started` threw",
      middle: { started: fails },
      outer: [...whole, "after bug", "ended"],
      middleTold: [...whole, "after bug", "ended"],
      inner: ["before", "after bug", "ended"],
    },
    {
      when: "a user's `after` threw",
      middle: { after: fails },
      outer: [...whole, "after bug", "ended"],
      middleTold: [...whole, "after ok", "ended"],
      inner: [...whole, "after ok", "ended"],
    },
    {
      when: "a user's `judge` threw",
      middle: { judge: fails },
      outer: [...whole, "after bug", "ended"],
      middleTold: [...whole, "after ok", "ended"],
      inner: [...whole, "after ok", "ended"],
    },
    {
      when: "a user's async `judge` rejected",
      middle: { judge: async () => fails() },
      outer: [...whole, "after bug", "ended"],
      middleTold: [...whole, "after ok", "ended"],
      inner: [...whole, "after ok", "ended"],
    },
    {
      when: "a user's `ended` threw, which is too late to be anybody's failure",
      middle: { ended: fails },
      outer: [...whole, "after ok", "ended"],
      middleTold: [...whole, "after ok", "ended"],
      inner: [...whole, "after ok", "ended"],
    },
  ])("when $when", async ({ middle, outer, middleTold, inner }) => {
    setup();
    const { of, bracket } = moments();
    const call = pipe(script({ value: 1 }), bracket("inner"), bracket("middle", middle), bracket("outer"));
    await outcome(call(undefined));
    expect({ outer: of("outer"), middle: of("middle"), inner: of("inner") }).toEqual({
      outer,
      middle: middleTold,
      inner,
    });
  });

  it("of a call that was aborted before it began: none", async () => {
    const { caller } = setup();
    const { log, bracket } = moments();
    const controller = caller();
    controller.abort("gone");
    expect(await outcome(pipe(script({ value: 1 }), bracket("own"))(undefined, { signal: controller.signal }))).toEqual(
      {
        error: "gone",
      },
    );
    expect(log).toEqual([]);
  });

  it("of each attempt that a retry begins, though a layer inside refuses the later ones", async () => {
    setup();
    const { of, bracket } = moments();
    let admitted = 0;
    const once = bracket("once", { before: ({ input }) => (admitted++ === 0 ? input : refuse()) });
    const call = pipe(script({ error: down }), once, bracket("between"), retry({ base: 0 }), bracket("outer"));
    expect(await outcome(call(undefined))).toEqual({ error: down });
    expect(of("once")).toEqual(["before", "started", "after overloaded", "ended", "before"]);
    expect(of("between")).toEqual([
      ...["before", "started", "after overloaded", "ended"],
      ...["before", "after notAdmitted", "ended"],
    ]);
    expect(of("outer")).toEqual(["before", "started", "after overloaded", "ended"]);
  });

  it("a user's `ended` that throws is told to the bus, and the layers outside still hear of the true end", async () => {
    const { seen } = setup();
    const { of, bracket } = moments();
    const call = pipe(script({ value: 1 }), bracket("inner", { ended: fails }), bracket("outer"));
    expect(await call(undefined)).toBe(1);
    expect(of("outer").at(-1)).toBe("ended");
    expect(seen.of("listener.failed").map(({ error }) => error)).toEqual([bug]);
  });
});

describe("the true end", () => {
  it("of a timed-out attempt comes when the operation itself settles, though the caller was answered long ago", async () => {
    const { clock, seen } = setup();
    const { of, bracket } = moments();
    const { running, operation } = deaf();
    const call = pipe(operation, timeout("1s"), bracket("own"));
    const answered = outcome(call("x"));
    await clock.advance("1s");
    expect(await answered).toEqual({ error: expect.objectContaining({ code: "TIMEOUT" }) });
    expect(of("own")).toEqual(["before", "started", "after timeout"]);
    expect(seen.of("attempt.abandoned")).toEqual([expect.objectContaining({ reason: "timeout", stillRunning: true })]);
    await clock.advance("4s");
    running[0]?.resolve("late");
    await turn();
    expect(of("own")).toEqual(["before", "started", "after timeout", "ended"]);
    expect(seen.of("attempt.ended")).toEqual([expect.objectContaining({ attempt: 1, lateMs: 4_000, ok: true })]);
  });

  it.each(["abort", "deadline"] as const)("of an attempt cut by %s comes when the operation settles", async (how) => {
    const { clock, caller } = setup();
    const { of, bracket } = moments();
    const { running, operation } = deaf();
    const controller = caller();
    const call = pipe(operation, bracket("own"), deadline("1s"));
    const answered = watch(call("x", { signal: controller.signal }));
    if (how === "abort") controller.abort("gone");
    else await clock.advance("1s");
    await turn();
    expect(answered.at).toHaveProperty("error");
    expect(of("own")).toEqual(["before", "started", how === "abort" ? "after cancelled" : "after timeout"]);
    running[0]?.reject(new Error("late"));
    await turn();
    expect(of("own").at(-1)).toBe("ended");
    expect(of("own").filter((moment) => moment === "ended")).toHaveLength(1);
  });

  it("of an attempt that settles while the next one is waited for is told to its own layers at once, once", async () => {
    const { clock } = setup();
    const { of, bracket } = moments();
    const { running, operation } = deaf();
    const call = pipe(operation, bracket("inner"), timeout("1s"), retry({ jitter: "none", base: "5s" }));
    const answered = outcome(call("x"));
    await clock.advance("1s");
    expect(of("inner")).toEqual(["before", "started", "after timeout"]);
    running[0]?.resolve("late");
    await turn();
    expect(of("inner")).toEqual(["before", "started", "after timeout", "ended"]);
    await clock.advance("5s");
    running[1]?.resolve("second");
    expect(await answered).toEqual({ value: "second" });
    expect(of("inner")).toEqual([
      ...["before", "started", "after timeout", "ended"],
      ...["before", "started", "after ok", "ended"],
    ]);
  });

  it("of a call with a retry inside is that of its last running attempt, in whatever order they end", async () => {
    const { clock } = setup();
    const { of, bracket } = moments();
    const { running, operation } = deaf();
    const call = pipe(operation, timeout("1s"), retry({ base: 0 }), bracket("own"));
    const answered = outcome(call("x"));
    await clock.advance("2s");
    running[2]?.resolve("third");
    expect(await answered).toEqual({ value: "third" });
    expect(of("own")).toEqual(["before", "started", "after ok"]);
    running[1]?.reject(new Error("late"));
    await turn();
    expect(of("own")).toHaveLength(3);
    running[0]?.resolve("late");
    await turn();
    expect(of("own")).toEqual(["before", "started", "after ok", "ended"]);
  });

  it("of a call with tiers is that of the last running one", async () => {
    const { clock } = setup();
    const { of, bracket } = moments();
    const { running, operation } = deaf();
    const call = pipe(
      operation,
      bracket("first"),
      timeout("1s"),
      fallback([pipe(async (_: unknown): Promise<unknown> => "second", bracket("second"))]),
      bracket("own"),
    );
    const answered = outcome(call("x"));
    await clock.advance("1s");
    expect(await answered).toEqual({ value: "second" });
    expect(of("second")).toEqual(["before", "started", "after ok", "ended"]);
    expect(of("first")).toEqual(["before", "started", "after timeout"]);
    expect(of("own")).toEqual(["before", "started", "after ok"]);
    running[0]?.resolve("late");
    await turn();
    expect(of("first").at(-1)).toBe("ended");
    expect(of("own")).toEqual(["before", "started", "after ok", "ended"]);
  });

  it("of a call with a scope inside is that of what the scope left running", async () => {
    const { clock } = setup();
    const { of, bracket } = moments();
    const { running, operation } = deaf();
    const call = pipe(operation, bracket("inner"), retry(), timeout("1s"), bracket("outer"));
    const answered = outcome(call("x"));
    await clock.advance("1s");
    expect(await answered).toEqual({ error: expect.objectContaining({ code: "TIMEOUT" }) });
    expect([of("inner").at(-1), of("outer").at(-1)]).toEqual(["after timeout", "after timeout"]);
    running[0]?.resolve("late");
    await turn();
    expect([of("inner").at(-1), of("outer").at(-1)]).toEqual(["ended", "ended"]);
  });

  it("of a call with a promise-style layer inside is that of every attempt the layer began", async () => {
    setup();
    const { of, bracket } = moments();
    const { running, operation } = deaf();
    const race = around((run) => async (input, context) => Promise.race([run(input, context), run(input, context)]));
    const call = pipe(operation, bracket("inner"), race, bracket("outer"));
    const answered = outcome(call("x"));
    running[1]?.resolve("won");
    expect(await answered).toEqual({ value: "won" });
    expect(of("inner").filter((moment) => moment === "ended")).toHaveLength(1);
    expect(of("outer")).toEqual(["before", "started", "after ok"]);
    running[0]?.resolve("late");
    await turn();
    expect(of("inner").filter((moment) => moment === "ended")).toHaveLength(2);
    expect(of("outer").at(-1)).toBe("ended");
  });

  it("of an attempt that waits for a place and is abandoned is at once for the layers outside, and for the queue when the place is granted", async () => {
    const { caller } = setup();
    const { of, bracket } = moments();
    const { waiting, log, wrapper } = queue();
    const controller = caller();
    const call = pipe(script({ value: 1 }), bracket("inner"), wrapper, bracket("outer"));
    const answered = outcome(call(undefined, { signal: controller.signal }));
    controller.abort("gone");
    expect(await answered).toEqual({ error: "gone" });
    expect(of("outer")).toEqual(["before", "after cancelled", "ended"]);
    expect(log).toEqual(["queue.before"]);
    waiting[0]?.grant();
    await turn();
    expect(log).toEqual(["queue.before", "queue.after cancelled", "queue.ended"]);
    expect(of("inner")).toEqual([]);
  });

  it("of a delivered body is the body's, though the caller has it in his hands", async () => {
    setup();
    const { of, bracket } = moments();
    const call = pipe(async (_: string) => new Response("hello"), bracket("own"), retry());
    const response = await call("x");
    expect(of("own")).toEqual(["before", "started", "after ok"]);
    expect(await response.text()).toBe("hello");
    await turn();
    expect(of("own").at(-1)).toBe("ended");
  });

  it("late results go to `discard`, late failures to nobody, and neither changes how the call ended", async () => {
    const { clock } = setup();
    const { running, operation } = deaf();
    const dropped: unknown[] = [];
    const call = protect("late", operation, {
      timeout: "1s",
      retry: { attempts: 2, jitter: "none", base: 1 },
      discard: (value) => void dropped.push(value),
    });
    const answered = settled(call)("x");
    await clock.advance("3s");
    const { ok, story } = await answered;
    running[0]?.resolve("late");
    running[1]?.reject(new Error("late"));
    await turn();
    expect({ ok, state: story.state, attempts: story.attempts }).toEqual({ ok: false, state: "timedOut", attempts: 2 });
    expect(dropped).toEqual(["late"]);
  });
});

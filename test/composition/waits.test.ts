// Design rule 3: an async `before` is a wait that is registered with the attempt.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type Bracket,
  breaker,
  type CallContext,
  deadline,
  HoldfastError,
  pipe,
  protect,
  retry,
  settled,
  timeout,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { moments, outcome, queue, refuse, setup, turn, watch } from "./setup.ts";

const down = Object.assign(new Error("down"), { status: 500 });

describe("an async `before`", () => {
  it("is waited for, and what it gives is the input of what is inside", async () => {
    setup();
    const { of, bracket } = moments();
    const operation = script({ value: 1 });
    const call = pipe(operation, bracket("inner"), bracket("slow", { before: async ({ input }) => `${input}+` }));
    expect(await call("x")).toBe(1);
    expect(operation.calls[0]?.input).toBe("x+");
    expect(of("inner")).toEqual(["before", "started", "after ok", "ended"]);
  });

  it("may refuse, and what is inside is never entered", async () => {
    setup();
    const { log, of, bracket } = moments();
    const full = new HoldfastError("full");
    const operation = script({ value: 1 });
    const slow = bracket("slow", { before: async () => refuse(full) });
    const ended = await settled(pipe(operation, bracket("inner"), slow, bracket("outer")))(undefined);
    expect(ended).toMatchObject({ ok: false, error: full, story: { state: "notAdmitted", attempts: 0 } });
    expect(operation.calls).toEqual([]);
    expect([of("inner"), of("slow")]).toEqual([[], ["before"]]);
    expect(of("outer")).toEqual(["before", "after notAdmitted", "ended"]);
    expect(log).toHaveLength(4);
  });

  it("may give a thenable of its own, be it a broken one, and so may `judge`", async () => {
    setup();
    const { bracket } = moments();
    // biome-ignore lint/suspicious/noThenProperty: it is what this is about
    const own = (value: unknown) => ({ then: (done: (value: unknown) => void) => done(value) });
    const broken = {
      // biome-ignore lint/suspicious/noThenProperty: likewise
      then() {
        throw down;
      },
    };
    const good = bracket("good", { before: () => own("in"), judge: () => own("out") });
    const operation = script({ value: 1 }, { value: 2 });
    expect(await pipe(operation, good)("x")).toBe("out");
    expect(operation.calls[0]?.input).toBe("in");
    for (const bad of [{ before: () => broken }, { judge: () => broken }])
      expect(await settled(pipe(operation, bracket("bad", bad)))("x")).toMatchObject({ ok: false, error: down });
  });

  it("spends the deadline, not the attempt's timeout", async () => {
    const { clock } = setup();
    const { waiting, wrapper } = queue();
    const call = pipe(script({ value: 1, after: 900 }), timeout("1s"), wrapper, deadline("10s"));
    const answered = watch(call(undefined));
    await clock.advance("8s");
    waiting[0]?.grant();
    await clock.advance(900);
    expect(answered.at).toEqual({ value: 1 });
  });

  it("spends the deadline, not the attempt's timeout, where the timeout stands outside the queue too", async () => {
    const { clock } = setup();
    const { waiting, wrapper } = queue();
    const call = pipe(script({ value: 1, after: 900 }), wrapper, timeout("1s"));
    const answered = watch(call(undefined));
    await clock.advance("8s");
    expect(answered.at).toBeUndefined();
    waiting[0]?.grant();
    await clock.advance(900);
    expect(answered.at).toEqual({ value: 1 });
  });
});

describe("abandonment", () => {
  const cuts = [
    { cut: "abort", error: "gone" },
    { cut: "deadline", error: expect.objectContaining({ code: "DEADLINE_EXCEEDED" }) },
    { cut: "an outer scope", error: expect.objectContaining({ code: "TIMEOUT" }) },
    { cut: "the call around", error: expect.objectContaining({ code: "TIMEOUT" }) },
  ];

  function waiting({ cut, watched = true }: { cut: string; watched?: boolean }) {
    const { clock, caller, seen } = setup({ watched });
    const places = queue();
    const layers = moments();
    const operation = script({ value: 1 });
    const contexts: CallContext[] = [];
    const noting: Bracket = {
      before({ input, context }) {
        contexts.push(context);
        return input;
      },
    };
    const inside = pipe(operation, layers.bracket("inner"), places.wrapper, layers.bracket("outer", noting));
    const whole =
      cut === "an outer scope"
        ? pipe(inside, retry(), timeout("1s"))
        : cut === "the call around"
          ? protect("around", protect("inside", inside), { timeout: "1s" })
          : pipe(inside, deadline(cut === "deadline" ? "1s" : "1h"));
    const controller = caller();
    const answered = watch(whole("x", { signal: controller.signal }));
    async function end() {
      if (cut === "abort") controller.abort("gone");
      else await clock.advance("1s");
      await turn();
    }
    return { ...places, layers, operation, contexts, answered, end, clock, seen };
  }

  it.each(cuts)("by $cut ends the wait and answers now", async ({ cut, error }) => {
    const { answered, end, layers, contexts } = waiting({ cut });
    await turn();
    expect(answered.at).toBeUndefined();
    await end();
    expect(answered.at).toEqual({ error });
    expect(layers.of("outer").slice(-2)).toEqual([expect.stringMatching(/^after (cancelled|timeout)$/), "ended"]);
    expect(contexts.at(-1)?.signal.reason).toEqual(error);
  });

  it.each(cuts.flatMap((one) => [true, false].map((watched) => ({ ...one, watched }))))(
    "by $cut: a place granted afterwards goes straight back, and inner layers are never entered (watched: $watched)",
    async ({ cut, watched }) => {
      const { end, waiting: queued, log, layers, operation } = waiting({ cut, watched });
      await turn();
      await end();
      expect(log).toEqual(["queue.before"]);
      queued[0]?.grant();
      await turn();
      expect(log).toEqual(["queue.before", expect.stringMatching(/^queue.after (cancelled|timeout)$/), "queue.ended"]);
      expect(layers.of("inner")).toEqual([]);
      expect(operation.calls).toEqual([]);
    },
  );

  it.each(cuts)("by $cut: a refusal, or an error, that comes afterwards is nobody's", async ({ cut }) => {
    const { end, waiting: queued, log } = waiting({ cut });
    await turn();
    await end();
    queued[0]?.deny(new Error("too late"));
    await turn();
    expect(log).toEqual(["queue.before"]);
  });

  it("at the very moment when the place is granted: the place goes back, and nothing is called", async () => {
    const { caller } = setup();
    const { waiting: queued, log, wrapper } = queue();
    const { of, bracket } = moments();
    const operation = script({ value: 1 });
    const controller = caller();
    const call = pipe(operation, bracket("inner"), wrapper, retry());
    const answered = watch(call(undefined, { signal: controller.signal }));
    queued[0]?.grant();
    controller.abort("gone");
    await turn();
    expect(answered.at).toEqual({ error: "gone" });
    expect([operation.calls.length, of("inner")]).toEqual([0, []]);
    expect(log).toEqual(["queue.before", "queue.after cancelled", "queue.ended"]);
  });

  it("of the call while a later attempt waits: that place goes back too", async () => {
    const { caller } = setup();
    const { waiting: queued, log, wrapper } = queue();
    const operation = script({ error: down }, { value: 1 });
    const controller = caller();
    const call = pipe(operation, wrapper, retry({ base: 0 }));
    const answered = watch(call(undefined, { signal: controller.signal }));
    queued[0]?.grant();
    await turn();
    expect(queued).toHaveLength(2);
    controller.abort("gone");
    await turn();
    expect(answered.at).toEqual({ error: "gone" });
    queued[1]?.grant();
    await turn();
    expect(operation.calls).toHaveLength(1);
    expect(log.slice(-3)).toEqual(["queue.before", "queue.after cancelled", "queue.ended"]);
  });

  it("leaves the queue itself a signal to hear of it, so that the next one gets the place", async () => {
    const { caller } = setup();
    const { bracket } = moments();
    let free = 1;
    const inLine: (() => void)[] = [];
    const one = bracket("one", {
      before({ input, context }) {
        if (free > 0) {
          free--;
          return input;
        }
        return new Promise((resolve, reject) => {
          const go = () => resolve(input);
          inLine.push(go);
          context.signal.addEventListener("abort", () => {
            inLine.splice(inLine.indexOf(go), 1);
            reject(context.signal.reason);
          });
        });
      },
      ended() {
        const next = inLine.shift();
        if (next === undefined) free++;
        else next();
      },
    });
    const running: (() => void)[] = [];
    const call = pipe((_: string) => new Promise<string>((resolve) => running.push(() => resolve("done"))), one);
    const controller = caller();
    const [first, second, third] = [
      watch(call("1")),
      watch(call("2", { signal: controller.signal })),
      watch(call("3")),
    ];
    controller.abort("gone");
    await turn();
    expect([second.at, inLine.length]).toEqual([{ error: "gone" }, 1]);
    running[0]?.();
    await turn();
    running[1]?.();
    await turn();
    expect([first.at, third.at, free]).toEqual([{ value: "done" }, { value: "done" }, 1]);
  });

  it.each(["goes on", "refuses"])(
    "by a layer further in, as the wait is over, calls nothing, though that %s",
    async (how) => {
      const { caller } = setup({ watched: false });
      const gone = caller();
      const { wrapper, waiting } = queue();
      const { bracket, of } = moments();
      const leaving = bracket("leaving", {
        before({ input }) {
          gone.abort("gone");
          return how === "refuses" ? refuse() : input;
        },
      });
      const operation = script({ value: 1 });
      const call = pipe(operation, bracket("inside"), leaving, wrapper, retry({ attempts: 3, base: 0 }));
      const ended = outcome(call(undefined, { signal: gone.signal }));
      await turn();
      waiting[0]?.grant();
      expect(await ended).toEqual({ error: "gone" });
      expect([operation.calls.length, waiting.length]).toEqual([0, 1]);
      expect(of("inside").filter((moment) => moment === "started")).toEqual([]);
    },
  );

  it("is what a layer outside sees in the signal, be it the first that looks at it", async () => {
    const { caller } = setup({ watched: false });
    const seen: unknown[] = [];
    const { bracket } = moments();
    const looking = bracket("looking", {
      after: ({ context }) => void seen.push(context.signal.aborted, context.signal.reason),
    });
    const { wrapper, waiting } = queue();
    const gone = caller();
    const ended = outcome(pipe(script({ value: 1 }), wrapper, looking)(undefined, { signal: gone.signal }));
    await turn();
    gone.abort("gone");
    expect(await ended).toEqual({ error: "gone" });
    expect(seen).toEqual([true, "gone"]);
    waiting[0]?.grant();
    await turn();
  });

  it("of a thousand waiters leaves the capacity whole, and no timer", async () => {
    const { caller } = setup();
    const { waiting: queued, log, wrapper } = queue();
    const call = pipe(script({ value: 1 }), wrapper, retry());
    const controller = caller();
    const all = Array.from({ length: 1_000 }, () => outcome(call(undefined, { signal: controller.signal })));
    controller.abort("gone");
    expect(new Set((await Promise.all(all)).map((end) => (end as { error: unknown }).error))).toEqual(
      new Set(["gone"]),
    );
    for (const { grant } of queued) grant();
    await turn();
    expect(log.filter((line) => line === "queue.ended")).toHaveLength(1_000);
  });

  it("of an attempt whose place goes back through an `after` that throws still tells `ended`", async () => {
    const { caller } = setup();
    const { of, bracket } = moments();
    const places: (() => void)[] = [];
    const broken = bracket("broken", {
      before: ({ input }) => new Promise((resolve) => places.push(() => resolve(input))),
      after() {
        throw new Error("a mistake in a layer");
      },
    });
    const controller = caller();
    const answered = watch(pipe(script({ value: 1 }), broken)(undefined, { signal: controller.signal }));
    controller.abort("gone");
    places[0]?.();
    await turn();
    expect(answered.at).toEqual({ error: "gone" });
    expect(of("broken").at(-1)).toBe("ended");
  });
});

describe("an async guard", () => {
  it("is such a wait: the deadline ends it, and its late answer calls nothing", async () => {
    const { clock } = setup();
    const answers: ((finding: string | undefined) => void)[] = [];
    const operation = script({ value: 1 });
    const call = protect("guarded", operation, {
      guard: { checks: [() => new Promise<string | undefined>((resolve) => answers.push(resolve))] },
      deadline: "1s",
    });
    const answered = watch(call("x"));
    await clock.advance("1s");
    expect(answered.at).toEqual({ error: expect.objectContaining({ code: "DEADLINE_EXCEEDED" }) });
    answers[0]?.(undefined);
    await turn();
    expect(operation.calls).toEqual([]);
  });

  it("counts in no breaker and asks no retry or tier when it refuses", async () => {
    setup();
    const circuit = breaker({ consecutiveFailures: 1 });
    const operation = script({ value: 1 });
    const schema = z.string().refine(async () => false, "a better one");
    const ended = await settled(
      protect("guarded", operation, { input: schema, breaker: circuit, retry: {}, fallback: [operation] }),
    )("x");
    expect(ended).toMatchObject({ ok: false, error: { code: "INPUT_REJECTED" }, story: { state: "rejected" } });
    expect([operation.calls, circuit.state.calls]).toEqual([[], 0]);
  });
});

// Design rule 1: an attempt has one race, at the operation; timeout, deadline and cancellation end that race.
import { describe, expect, it } from "vitest";
import {
  breaker,
  type CallContext,
  deadline,
  fallback,
  pipe,
  protect,
  retry,
  settled,
  timeout,
  type Wrapper,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { around, moments, outcome, queue, recovering, setup, turn, watch } from "./setup.ts";

const down = Object.assign(new Error("down"), { status: 500 });
const steady = { jitter: "none", base: "10s", backoff: "constant" } as const;
const passing = around((run) => (input, context) => run(input, context));

/** Never settles, whatever becomes of its signal. */
function frozen() {
  const contexts: CallContext[] = [];
  const operation = (_: unknown, context: CallContext) => {
    contexts.push(context);
    return new Promise<unknown>(() => {});
  };
  return { contexts, operation };
}

describe("a timeout ends the race, so the breaker sees it at once wherever it stands", () => {
  const opening = () => breaker({ consecutiveFailures: 1 });
  it.each<{ where: string; layers: (circuit: Wrapper) => Wrapper[] }>([
    { where: "outside it", layers: (circuit) => [timeout("1s"), circuit] },
    { where: "inside it", layers: (circuit) => [circuit, timeout("1s")] },
    { where: "outside it, with a retry further out", layers: (circuit) => [timeout("1s"), circuit, retry(steady)] },
    { where: "inside it, with a retry further out", layers: (circuit) => [circuit, timeout("1s"), retry(steady)] },
    { where: "inside a retry that it stands round", layers: (circuit) => [circuit, retry(steady), timeout("1s")] },
    { where: "outside one that stands round a retry", layers: (circuit) => [retry(steady), timeout("1s"), circuit] },
    { where: "inside two of them", layers: (circuit) => [circuit, timeout("1s"), timeout("9s")] },
    { where: "outside a promise-style layer", layers: (circuit) => [timeout("1s"), passing, circuit] },
    { where: "outside it and a promise-style layer", layers: (circuit) => [passing, timeout("1s"), circuit] },
    { where: "inside a promise-style layer", layers: (circuit) => [circuit, passing, timeout("1s")] },
  ])("$where", async ({ layers }) => {
    const { clock, caller } = setup();
    const circuit = opening();
    const { operation } = frozen();
    const call = layers(circuit).reduce<(input: unknown, options?: object) => Promise<unknown>>(
      (inner, wrap) => wrap(inner as never) as never,
      operation as never,
    );
    const controller = caller();
    const answered = watch(call("x", { signal: controller.signal }));
    await clock.advance(999);
    expect(circuit.state.state).toBe("closed");
    await clock.advance(1);
    expect(circuit.state.state).toBe("open");
    controller.abort();
    await turn();
    expect(answered.at).toHaveProperty("error");
  });

  it("and one of an attempt that the operation ignores is counted once, not again when it settles", async () => {
    const { clock } = setup();
    const circuit = breaker({ failureRate: 1, minimumCalls: 2 });
    const late = () => new Promise((_, reject) => clock.timer(5_000, { expire: () => reject(down) }));
    const answered = watch(pipe(late, circuit, timeout("1s"))());
    await clock.advance("6s");
    expect(answered.at).toEqual({ error: expect.objectContaining({ code: "TIMEOUT" }) });
    expect(circuit.state).toMatchObject({ state: "closed", calls: 1, failures: 1 });
  });
});

describe("the caller is answered at once, though the operation ignores its signal", () => {
  const cuts = ["abort", "deadline"] as const;
  const places: {
    where: string;
    make: () => (input: unknown, options?: object) => Promise<unknown>;
    after?: number;
  }[] = [
    { where: "in the first attempt", make: () => pipe(frozen().operation, retry()) },
    { where: "with no layer at all", make: () => protect("bare", frozen().operation) },
    {
      where: "in the wait between two attempts",
      make: () => pipe(script({ error: down }), patient()),
    },
    { where: "in a recovery of a user's that never ends", make: () => pipe(script({ error: down }), hopeless()) },
    { where: "in a later attempt", make: () => pipe(later(), retry({ ...steady, base: 1 })), after: 100 },
    { where: "in a later tier", make: () => pipe(script({ error: down }), fallback([frozen().operation])) },
    { where: "in a wait for admission", make: () => pipe(script({ value: 1 }), queue().wrapper, retry()) },
    { where: "in an async judgement", make: () => pipe(script({ value: 1 }), endless(), retry()) },
    { where: "inside a timeout round a retry", make: () => pipe(frozen().operation, retry(), timeout("1h")) },
    { where: "inside a deadline with layers outside", make: () => pipe(frozen().operation, deadline("1h"), retry()) },
    { where: "inside a promise-style layer", make: () => pipe(frozen().operation, passing, retry()) },
    {
      where: "in a call made inside",
      make: () => protect("outer", protect("inner", frozen().operation, { retry: {} })),
    },
  ];
  const later = () => {
    const { operation } = frozen();
    let calls = 0;
    return (input: unknown, context: CallContext) => (calls++ === 0 ? Promise.reject(down) : operation(input, context));
  };
  const patient = () => recovering((_attempt, _outcome, _verdict, again) => again({ delayMs: 3_600_000 }));
  const hopeless = () => recovering(() => new Promise(() => {}));
  const endless = () => moments().bracket("judge", { judge: () => new Promise(() => {}) });

  it.each(
    places.flatMap((place) => cuts.flatMap((cut) => [true, false].map((watched) => ({ ...place, cut, watched })))),
  )("on $cut, $where, watched: $watched", async ({ make, after = 0, cut, watched }) => {
    const { clock, caller } = setup({ watched });
    const controller = caller();
    const answered = watch(make()("x", { signal: controller.signal, deadline: "5s" }));
    await clock.advance(after);
    expect(answered.at).toBeUndefined();
    const reason = { why: "the caller has gone" };
    if (cut === "abort") controller.abort(reason);
    else await clock.advance(5_000 - after);
    await turn();
    if (cut === "abort") expect((answered.at as { error: unknown }).error).toBe(reason);
    else expect(answered.at).toEqual({ error: expect.objectContaining({ code: "DEADLINE_EXCEEDED" }) });
  });
});

describe("the layers hear of the end from the attempt", () => {
  it.each([
    { cut: "abort", hears: "after cancelled" },
    { cut: "deadline", hears: "after timeout" },
    { cut: "timeout", hears: "after timeout" },
  ])("all of them, inside and outside the retry, at the moment of the $cut", async ({ cut, hears }) => {
    const { clock, caller } = setup();
    const { of, bracket } = moments();
    const controller = caller();
    const ended = cut === "timeout" ? timeout("5s") : deadline("5s");
    const call = pipe(frozen().operation, bracket("inner"), retry(), bracket("between"), ended, bracket("outer"));
    const answered = watch(call("x", { signal: controller.signal }));
    await clock.advance("4s");
    if (cut === "abort") controller.abort("gone");
    else await clock.advance("1s");
    await turn();
    expect(answered.at).toHaveProperty("error");
    expect([of("inner").at(-1), of("between").at(-1), of("outer").at(-1)]).toEqual([hears, hears, hears]);
  });

  it("with the verdict on it: the caller's abort counts for nothing", async () => {
    const { caller } = setup();
    const circuit = breaker({ consecutiveFailures: 1 });
    const controller = caller();
    const answered = watch(pipe(frozen().operation, circuit, retry())("x", { signal: controller.signal }));
    controller.abort(down);
    await turn();
    expect(answered.at).toEqual({ error: down });
    expect(circuit.state).toMatchObject({ state: "closed", calls: 0 });
  });

  it.each([
    { had: "at least half of the whole deadline", waited: "4s", state: "open" },
    { had: "less than half of the whole deadline", waited: "6s", state: "closed" },
  ])("with the verdict on it: the deadline counts if the attempt had $had: $state", async ({ waited, state }) => {
    const { clock } = setup();
    const circuit = breaker({ consecutiveFailures: 1 });
    const slow = moments().bracket("queue", {
      before: ({ input }) => clock.sleep(Number.parseInt(waited, 10) * 1_000).then(() => input),
    });
    const answered = watch(pipe(frozen().operation, circuit, slow, deadline("10s"))("x"));
    await clock.advance("10s");
    expect(answered.at).toHaveProperty("error");
    expect(circuit.state.state).toBe(state);
  });
});

describe("an attempt's signal", () => {
  it("is aborted with the reason by its own timeout; those of other attempts and calls are untouched", async () => {
    const { clock } = setup();
    const { operation, contexts } = frozen();
    const call = pipe(operation, timeout("1s"), retry({ ...steady, attempts: 2, base: 1 }));
    const first = watch(call("a"));
    await clock.advance(500);
    const second = watch(call("b"));
    await clock.advance(501);
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true, false, false]);
    expect(contexts[0]?.signal.reason).toMatchObject({ code: "TIMEOUT" });
    await clock.advance("3s");
    expect([first.at, second.at]).toEqual([
      { error: expect.objectContaining({ code: "TIMEOUT" }) },
      { error: expect.objectContaining({ code: "TIMEOUT" }) },
    ]);
  });

  it("is aborted with the caller's own reason in all attempts that run, in tiers and calls inside too", async () => {
    const { caller } = setup();
    const { operation, contexts } = frozen();
    const reason = new Error("gone");
    for (const call of [
      pipe(operation, retry()),
      pipe(script({ error: down }), fallback([operation])),
      protect("outer", protect("inner", operation)),
      pipe(operation, passing, timeout("1s")),
    ]) {
      const controller = caller();
      const answered = watch(call("x", { signal: controller.signal }));
      await turn();
      controller.abort(reason);
      await turn();
      expect(answered.at).toEqual({ error: reason });
      expect(contexts.at(-1)?.signal.reason).toBe(reason);
    }
    expect(contexts).toHaveLength(4);
  });

  it("is never aborted after a success, and an abort that comes after the result does not replace it", async () => {
    const { caller, clock } = setup();
    const operation = script({ value: 1 });
    const controller = caller();
    const running = settled(pipe(operation, timeout("1s"), retry(), deadline("1m")))(undefined, {
      signal: controller.signal,
    });
    controller.signal.addEventListener("abort", () => {}, { once: true });
    await turn();
    controller.abort("too late");
    await clock.advance("2m");
    expect(await running).toMatchObject({ ok: true, value: 1, story: { state: "succeeded" } });
    expect(operation.calls[0]?.context.signal.aborted).toBe(false);
  });

  it("is left as it is when the attempt has failed, and the call ends while the next one is waited for", async () => {
    const { caller } = setup();
    const controller = caller();
    const signals: AbortSignal[] = [];
    const failing = async (_: string, { signal }: CallContext) => {
      signals.push(signal);
      throw down;
    };
    const ended = outcome(pipe(failing, retry({ base: "1m" }))("x", { signal: controller.signal }));
    await turn();
    controller.abort("gone");
    expect(await ended).toEqual({ error: "gone" });
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });

  it("that was aborted before a late failure makes no unhandled rejection of it", async () => {
    const { clock, caller } = setup();
    const controller = caller();
    const late = () => new Promise((_, reject) => clock.timer(50, { expire: () => reject(new Error("late")) }));
    const answered = watch(pipe(late, timeout("10ms"), retry({ base: 0 }))(undefined, { signal: controller.signal }));
    controller.abort("gone");
    await clock.advance("1s");
    expect(answered.at).toEqual({ error: "gone" });
  });
});

describe("a recovery of a user's own", () => {
  it.each(["abort", "deadline"])("is not asked about the end of the call by %s", async (cut) => {
    const { clock, caller } = setup();
    const asked: unknown[] = [];
    const noting = recovering((_attempt, outcome) => void asked.push(outcome) as undefined);
    const { bracket } = moments();
    const judging = bracket("judge", { judge: () => new Promise(() => {}) });
    const controller = caller();
    const said = { signal: controller.signal, deadline: "1s" } as const;
    const running = watch(pipe(frozen().operation, noting)("x", said));
    const judged = watch(pipe(script({ value: 1 }), judging, noting)(undefined, said));
    if (cut === "abort") controller.abort("gone");
    else await clock.advance("1s");
    await turn();
    expect([running.at, judged.at]).toEqual([{ error: expect.anything() }, { error: expect.anything() }]);
    expect(asked).toEqual([]);
  });

  it("waits for nothing once the call has ended: what it begins after a while is refused at once", async () => {
    const { clock, caller } = setup();
    const controller = caller();
    const kept: ((options: { delayMs: number }) => Promise<unknown>)[] = [];
    const own = recovering((_, __, ___, again) => {
      kept.push(again);
      return new Promise(() => {});
    });
    const ended = outcome(pipe(async () => Promise.reject(down), own)(undefined, { signal: controller.signal }));
    await turn();
    controller.abort("gone");
    expect(await ended).toEqual({ error: "gone" });
    const late = watch((kept[0] as (typeof kept)[0])({ delayMs: 1_000 }));
    await turn();
    expect([late.at, clock.sleepers]).toEqual([{ error: "gone" }, 0]);
  });

  it("begins nothing once the call has ended, whatever it had kept of it", async () => {
    const { caller } = setup();
    const kept: ((options?: { delayMs?: number }) => Promise<unknown>)[] = [];
    const keeping = recovering((_attempt, _outcome, _verdict, again) => void kept.push(again) as undefined);
    const failing = script({ error: down }, { error: down }, { value: 1 });
    const failed = watch(pipe(failing, keeping)(undefined));
    await turn();
    const keepingOn = recovering((_attempt, _outcome, _verdict, again) => {
      kept.push(again);
      return new Promise(() => {});
    });
    const controller = caller();
    const aborted = watch(pipe(failing, keepingOn)(undefined, { signal: controller.signal }));
    await turn();
    controller.abort("gone");
    await turn();
    const late = await Promise.allSettled(kept.map((again) => again()));
    expect([failed.at, aborted.at]).toEqual([{ error: down }, { error: "gone" }]);
    expect(late.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(failing.calls).toHaveLength(2);
  });
});

describe("whatever ends a call first is its end", () => {
  it("caller's abort, timeout and deadline are three different rejections and states", async () => {
    const { clock, caller } = setup();
    const call = settled(protect("x", frozen().operation, { timeout: "1s", deadline: "10s" }));
    const controller = caller();
    const aborted = call("x", { signal: controller.signal });
    const timedOut = call("x");
    const overdue = call("x", { deadline: 500 });
    controller.abort("gone");
    await clock.advance("1s");
    const ends = await Promise.all([aborted, timedOut, overdue]);
    expect(ends.map((end) => [!end.ok && end.error, end.story.state])).toEqual([
      ["gone", "cancelled"],
      [expect.objectContaining({ code: "TIMEOUT" }), "timedOut"],
      [expect.objectContaining({ code: "DEADLINE_EXCEEDED" }), "timedOut"],
    ]);
  });

  it("an operation that answers its own abort with another error does not change the reason", async () => {
    const { clock, caller } = setup();
    const operation = script({ value: 1, after: "1m" });
    const other = async (input: unknown, context: CallContext) =>
      operation(input, context).catch(() => Promise.reject(new Error("I was interrupted")));
    const controller = caller();
    const aborted = watch(pipe(other, retry())("x", { signal: controller.signal }));
    controller.abort("gone");
    await turn();
    expect(aborted.at).toEqual({ error: "gone" });
    expect(clock.sleepers).toBe(0);
  });
});

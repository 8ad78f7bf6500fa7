// Design rule 8: a refusal after an attempt that ran ends the call with that attempt's failure and state; `notAdmitted` only when no operation ran.
import { describe, expect, it } from "vitest";
import {
  breaker,
  cache,
  fallback,
  HoldfastError,
  pipe,
  protect,
  retry,
  settled,
  TimeoutError,
  timeout,
  type Wrapper,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { moments, queue, recovering, refuse, setup, turn } from "./setup.ts";

function thrownBy(throws: () => never): unknown {
  try {
    return throws();
  } catch (error) {
    return error;
  }
}

const down = Object.assign(new Error("down"), { status: 500 });
const atOnce = (attempts = 5) => retry({ attempts, base: 0 });

/** Admits so many, then refuses. */
function admitting(count: number, how: "before" | "started" | "async before" = "before"): Wrapper {
  let admitted = 0;
  const turnAway = () => {
    if (admitted++ >= count) refuse(new HoldfastError(`full since ${count}`));
  };
  const { bracket } = moments();
  if (how === "started") return bracket("limit", { started: turnAway });
  return bracket("limit", {
    before({ input }) {
      if (how === "async before")
        return Promise.resolve()
          .then(turnAway)
          .then(() => input);
      turnAway();
      return input;
    },
  });
}

describe("a refusal after an attempt that ran ends the call with that attempt's failure and state", () => {
  it.each(["before", "started", "async before"] as const)("when it is refused by `%s`", async (how) => {
    setup();
    const operation = script({ error: down }, { value: 1 });
    const ended = await settled(pipe(operation, admitting(1, how), atOnce()))(undefined);
    expect(ended).toMatchObject({ ok: false, error: down, story: { state: "failed", attempts: 1 } });
    expect(operation.calls).toHaveLength(1);
  });

  it("a timeout's: the state is then `timedOut`", async () => {
    const { clock } = setup();
    const answered = settled(pipe(script("never"), timeout("1s"), admitting(1), atOnce()))(undefined);
    await clock.advance("1s");
    expect(await answered).toMatchObject({ error: { code: "TIMEOUT" }, story: { state: "timedOut", attempts: 1 } });
  });

  it("the last one's that ran, however many did", async () => {
    setup();
    const errors = [1, 2, 3].map((no) => Object.assign(new Error(`no. ${no}`), { status: 500 }));
    const operation = script(...errors.map((error) => ({ error })));
    const ended = await settled(pipe(operation, admitting(3), atOnce(9)))(undefined);
    expect(ended).toMatchObject({ error: errors[2], story: { state: "failed", attempts: 3 } });
  });

  it("when it was the attempt itself that opened the breaker", async () => {
    setup();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "30s" });
    const operation = script({ error: down }, { value: 1 });
    const ended = await settled(pipe(operation, circuit, atOnce()))(undefined);
    expect(ended).toMatchObject({ error: down, story: { state: "failed", attempts: 1 } });
    expect(operation.calls).toHaveLength(1);
  });

  it("when a value that tells of a failure was what came of it: that value is delivered", async () => {
    setup();
    const unavailable = new Response(null, { status: 503 });
    const ended = await settled(pipe(script({ value: unavailable }), admitting(1), atOnce()))(undefined);
    expect(ended.ok && ended.value).toBe(unavailable);
    expect(ended.story).toMatchObject({ state: "failed", attempts: 1 });
  });

  it("and the story tells of both: the attempt, then the refusal", async () => {
    setup();
    const { story } = await settled(pipe(script({ error: down }), admitting(1), atOnce()))(undefined);
    expect(story.failures.map(({ kind, attempt }) => [attempt, kind])).toEqual([
      [1, "transient"],
      [2, "notAdmitted"],
    ]);
  });

  it("also after a wait for the layer's own hint that did not help", async () => {
    const { clock } = setup();
    let admitted = 0;
    const { bracket } = moments();
    const busy = bracket("busy", {
      before({ input }) {
        if (admitted++ > 0)
          refuse(new HoldfastError("busy", { code: "RATE_LIMITED", retryable: true, retryAfterMs: 100 }));
        return input;
      },
    });
    const operation = script({ error: down }, { value: 1 });
    const answered = settled(pipe(operation, busy, atOnce()))(undefined);
    await clock.advance("5s");
    expect(await answered).toMatchObject({ error: down, story: { state: "failed", attempts: 1 } });
    expect([operation.calls.length, admitted]).toEqual([1, 5]); // asked once, then as often as a patience of 1 s allows
  });

  it("and a tier is asked: it sees why the attempt failed, and that it was then turned away", async () => {
    setup();
    const tier = script<unknown>({ value: "second" });
    const call = pipe(script<unknown>({ error: down }), admitting(1), atOnce(), fallback([tier]));
    expect(await call(undefined)).toBe("second");
    expect(tier.calls[0]?.context.previous.map(({ kind }) => kind)).toEqual(["transient", "notAdmitted"]);
  });

  it("also of a tier: all that ran is in the error, and the state is no `notAdmitted`", async () => {
    setup();
    const tier = pipe(script<unknown>({ value: 2 }), admitting(0));
    const ended = await settled(pipe(script<unknown>({ error: down }), fallback([tier])))(undefined);
    expect(ended).toMatchObject({
      ok: false,
      error: {
        code: "FALLBACK_EXHAUSTED",
        failures: [
          { error: down, tier: 0 },
          { kind: "notAdmitted", tier: 1 },
        ],
      },
      story: { state: "failed", attempts: 1 },
    });
  });

  it("when a call made inside was refused, after it had run", async () => {
    setup();
    const inner = protect("inner", script({ error: down }, { value: 1 }), { breaker: { consecutiveFailures: 1 } });
    const outer = protect("outer", (x: undefined, context) => inner(x, context), { retry: { base: 0 } });
    const ended = await settled(outer)(undefined);
    expect(ended).toMatchObject({ ok: false, story: { attempts: 2 } });
    expect(ended.story.children.map(({ state }) => state)).toEqual(["failed", "notAdmitted"]);
    expect(ended.story.state).not.toBe("notAdmitted");
  });
});

describe("`notAdmitted` only when no operation ran", () => {
  it.each(["before", "started", "async before"] as const)("refused by `%s`", async (how) => {
    const { seen } = setup();
    const full = await settled(pipe(script({ value: 1 }), admitting(0, how)))(undefined);
    expect(full).toMatchObject({
      ok: false,
      error: { message: "full since 0" },
      story: { state: "notAdmitted", attempts: 0 },
    });
    expect(seen.events.map(({ type }) => type)).toEqual(["call.started", "call.settled"]);
  });

  it("an open breaker costs no attempt, and a retry rejects at once where the probe is beyond its patience", async () => {
    const { clock } = setup();
    const circuit = breaker({ breakTime: "30s" });
    circuit.isolate();
    const operation = script({ value: 1 });
    const ended = await settled(pipe(operation, circuit, atOnce()))(undefined);
    expect(ended).toMatchObject({ error: { code: "BREAKER_OPEN" }, story: { state: "notAdmitted", attempts: 0 } });
    expect([operation.calls.length, clock.sleepers]).toEqual([0, 0]);
  });

  it("nor any tier's: all refused is `notAdmitted`", async () => {
    setup();
    const tier = pipe(script<unknown>({ value: 2 }), admitting(0));
    const ended = await settled(pipe(script<unknown>({ value: 1 }), admitting(0), fallback([tier])))(undefined);
    expect(ended).toMatchObject({
      error: { code: "FALLBACK_EXHAUSTED" },
      story: { state: "notAdmitted", attempts: 0 },
    });
  });

  it("a tier that ran makes it its own failure", async () => {
    setup();
    const ended = await settled(
      pipe(script<unknown>({ value: 1 }), admitting(0), fallback([script<unknown>({ error: down })])),
    )(undefined);
    expect(ended).toMatchObject({ error: { code: "FALLBACK_EXHAUSTED" }, story: { state: "failed", attempts: 1 } });
  });

  it("what was waited for and then admitted is a call like others", async () => {
    setup();
    const places = queue();
    const answered = settled(pipe(script({ value: 1 }), places.wrapper, atOnce()))(undefined);
    places.waiting[0]?.grant();
    await turn();
    expect(await answered).toMatchObject({ ok: true, story: { state: "succeeded", attempts: 1 } });
  });
});

describe("a refusal", () => {
  it("costs no number: the first attempt that runs is no. 1", async () => {
    const { clock } = setup();
    let asked = 0;
    const { bracket } = moments();
    const busy = bracket("busy", {
      before({ input }) {
        if (asked++ < 2) refuse(new HoldfastError("busy", { retryable: true, retryAfterMs: 100 }));
        return input;
      },
    });
    const operation = script({ error: down }, { value: 2 });
    const answered = settled(pipe(operation, busy, atOnce(2)))(undefined);
    await clock.advance("1s");
    expect(await answered).toMatchObject({ ok: true, value: 2, story: { attempts: 2 } });
    expect(operation.calls.map(({ context }) => context.attempt)).toEqual([1, 2]);
  });

  it.each(["the operation", "a tier"])("costs no number of %s either where a layer has looked at it", async (what) => {
    setup();
    const looked: number[] = [];
    const { bracket } = moments();
    const busy = bracket("busy", {
      before({ context, input }) {
        if (looked.push(context.attempt) !== 3) refuse();
        return input;
      },
    });
    const thrice = recovering((_, __, ___, again) => again().catch(() => again().catch(() => again())));
    const operation = script({ error: down });
    const call = pipe(operation, busy, thrice);
    const first = async () => Promise.reject(down);
    await settled(what === "a tier" ? pipe(first, fallback<void, unknown>([call])) : call)(undefined);
    expect(looked).toEqual([1, 1, 1, 2]);
    expect(operation.calls.map(({ context }) => context.attempt)).toEqual([1]);
  });

  it("costs no number either where a layer looks at it for the first time when that is turned away", async () => {
    setup();
    const looked: number[] = [];
    const { bracket } = moments();
    const looking = bracket("looking", { after: ({ context }) => void looked.push(context.attempt) });
    let asked = 0;
    const busy = bracket("busy", { before: ({ input }) => (++asked < 3 ? refuse() : input) });
    const thrice = recovering((_, __, ___, again) => again().catch(() => again()));
    const operation = script({ value: 1 });
    expect(await pipe(operation, busy, looking, thrice)(undefined)).toBe(1);
    expect(looked).toEqual([1, 1, 1]);
    expect(operation.calls.map(({ context }) => context.attempt)).toEqual([1]);
  });

  it("costs no number either where a cache had the answer and a layer had looked at it", async () => {
    setup();
    const looked: number[] = [];
    const { bracket } = moments();
    const looking = bracket("looking", {
      before({ context, input }) {
        looked.push(context.attempt);
        return input;
      },
    });
    const wrong = Object.assign(new Error("wrong"), { status: 400 });
    const call = pipe(
      async (_: string) => Promise.reject(wrong),
      ...([cache({ ttl: "1m", negative: "1m" }), looking, recovering((_, __, ___, again) => again())] as const),
    );
    for (let i = 0; i < 2; i++) await settled(call)("a");
    expect(looked).toEqual([1, 2, 1, 1]); // only the very first was called
  });

  it.each(["the operation", "a tier"])("gives back no number of %s that is taken again already", async (what) => {
    setup();
    const looked: number[] = [];
    const waiting: (() => void)[] = [];
    const { bracket } = moments();
    const busy = bracket("busy", {
      before({ context, input }) {
        if (looked.push(context.attempt) === 1) refuse();
        return new Promise((resolve, reject) => {
          waiting.push(() => (looked.length === 3 ? reject(thrownBy(refuse)) : resolve(input)));
        });
      },
    });
    const both = recovering(async (_, __, ___, again) => {
      const running = [again().catch(() => 0), again()];
      await turn();
      waiting[0]?.(); // the first of the two is turned away when the second has its number
      await turn();
      running.push(again());
      await turn();
      for (const go of waiting) go();
      return Promise.all(running);
    });
    const operation = script({ value: 1 });
    const call = pipe(operation, busy, both);
    const first = async () => Promise.reject(down);
    await settled(what === "a tier" ? pipe(first, fallback<void, unknown>([call])) : call)(undefined);
    expect(looked).toEqual([1, 1, 2, 3]);
  });

  it("of another call, which a user's layer throws on, is no refusal of its own but that layer's mistake", async () => {
    setup();
    const other = pipe(script({ value: 1 }), admitting(0));
    const { bracket } = moments();
    const asking = bracket("asking", { before: async () => other(undefined) });
    const ended = await settled(pipe(script({ value: 2 }), asking, atOnce()))(undefined);
    expect(ended.story.failures.map(({ kind }) => kind)).toEqual(["bug"]);
  });

  it("may be any of our errors, with its own code: a layer of a user's is believed", async () => {
    setup();
    const { bracket } = moments();
    const slow = bracket("slow", { before: () => refuse(new TimeoutError("mine", 5)) });
    const ended = await settled(pipe(script({ value: 1 }), slow))(undefined);
    expect(ended).toMatchObject({ error: { code: "TIMEOUT" }, story: { attempts: 0 } });
  });
});

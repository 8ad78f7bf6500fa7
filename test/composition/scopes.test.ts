// Design rule 2: a timeout's expiry ends the attempt; an abandonment from outside ends the scope.
import { describe, expect, it } from "vitest";
import {
  breaker,
  type CallContext,
  deadline,
  fallback,
  type Operation,
  pipe,
  protect,
  retry,
  settled,
  timeout,
  type Wrapper,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { around, moments, setup, turn, watch } from "./setup.ts";

const down = Object.assign(new Error("down"), { status: 500 });
const every = (base: number, attempts: number) => retry({ jitter: "none", backoff: "constant", base, attempts });
const timedOut = expect.objectContaining({ code: "TIMEOUT" });
const overdue = expect.objectContaining({ code: "DEADLINE_EXCEEDED" });

/** Notes the contexts it gets; takes so long each time, then fails or, at last, gives its number. */
function slow(...takes: (number | "fails")[]) {
  const contexts: CallContext[] = [];
  const answers = script<number>(
    ...takes.map((take, i) => (take === "fails" ? { error: down } : { value: i + 1, after: take })),
  );
  const operation: Operation<unknown, number> = (input, context) => {
    contexts.push(context);
    return answers(input, context);
  };
  return { contexts, operation };
}

describe("a timeout's expiry ends the attempt", () => {
  it("and no more: a retry outside goes on, with a fresh signal and the whole time again", async () => {
    const { clock } = setup();
    const { operation, contexts } = slow(5_000, 900);
    const answered = watch(pipe(operation, timeout("1s"), every(1, 3))("x"));
    await clock.advance(1_902);
    expect(answered.at).toEqual({ value: 2 });
    expect(contexts.map(({ signal, attempt }) => [attempt, signal.aborted])).toEqual([
      [1, true],
      [2, false],
    ]);
  });

  it("shows in no `deadlineAt`: what it limits is one attempt", async () => {
    const { clock } = setup();
    const { operation, contexts } = slow(10);
    const answered = watch(pipe(operation, timeout("1s"), retry())("x"));
    await clock.advance(10);
    expect(answered.at).toEqual({ value: 1 });
    expect([contexts[0]?.deadlineAt, contexts[0]?.remainingMs()]).toEqual([undefined, Number.POSITIVE_INFINITY]);
  });

  it("starts a tier, whose time is its own", async () => {
    const { clock } = setup();
    const { operation, contexts } = slow(5_000);
    const second = slow(900);
    const answered = watch(protect("x", operation, { timeout: "1s", fallback: [second.operation] })("x"));
    await clock.advance(1_900);
    expect(answered.at).toEqual({ value: 1 });
    expect([contexts[0]?.signal.aborted, second.contexts[0]?.signal.aborted]).toEqual([true, false]);
  });
});

describe("an abandonment from outside ends the scope: its attempts, waits and children", () => {
  it("of the call: nothing starts afterwards, neither attempt nor tier nor child", async () => {
    const { clock, caller } = setup();
    const controller = caller();
    const inner = slow("fails", "fails");
    const child = protect("child", inner.operation, { retry: { jitter: "none", base: 1_000 } });
    const tier = script<number>({ value: 9 });
    const call = protect("x", (input: unknown, context) => child(input, context), {
      retry: { attempts: 5, when: () => true },
      fallback: [{ name: "tier", operation: tier, when: () => true }],
    });
    const answered = watch(call("x", { signal: controller.signal }));
    await clock.advance(500);
    controller.abort("gone");
    await clock.advance("1m");
    expect(answered.at).toEqual({ error: "gone" });
    expect([inner.contexts.length, tier.calls.length]).toEqual([1, 0]);
  });

  it.each<{ limit: string; round: () => Wrapper }>([
    { limit: "a timeout round a retry", round: () => timeout("3s") },
    { limit: "a deadline with layers outside", round: () => deadline("3s") },
  ])("of $limit: its attempts, waits and children", async ({ round }) => {
    const { clock } = setup();
    const { of, bracket } = moments();
    const child = protect("child", () => new Promise<number>(() => {}), { retry: {} });
    const operation = async (what: string, context: CallContext) => {
      if (what === "child") return child(undefined, context);
      throw down;
    };
    const call = settled(pipe(operation, every(100_000, 9), round(), bracket("outside")));
    const running = [call("child"), call("wait")];
    await clock.advance("3s");
    const [inChild, inWait] = await Promise.all(running);
    expect([inChild?.ok, inWait?.ok, clock.sleepers]).toEqual([false, false, 0]);
    expect(inChild?.story.children.map(({ name, attempts }) => [name, attempts])).toEqual([["child", 1]]);
    expect(of("outside").filter((moment) => moment.startsWith("after"))).toHaveLength(2);
  });
});

describe("a timeout around a retry or another timeout, and a deadline with layers outside it", () => {
  const scopes: { what: string; layers: Wrapper[]; error: unknown }[] = [
    { what: "a timeout round a retry", layers: [every(10, 99), timeout("2s")], error: timedOut },
    {
      what: "a timeout round a retry with a bracket between",
      layers: [every(10, 99), breaker(), timeout("2s")],
      error: timedOut,
    },
    { what: "a timeout round another", layers: [timeout("9s"), timeout("2s")], error: timedOut },
    { what: "a deadline with a retry outside", layers: [deadline("2s"), every(10, 99)], error: overdue },
    { what: "a deadline with a bracket outside", layers: [every(10, 99), deadline("2s"), breaker()], error: overdue },
  ];

  it.each(scopes)(
    "is a scope of its own: contexts inside show it in `deadlineAt`: $what",
    async ({ layers, error }) => {
      const { clock } = setup();
      await clock.advance(700);
      const { operation, contexts } = slow(60_000);
      const answered = watch(apply(operation, layers)("x", { deadline: "1m" }));
      await clock.advance(50);
      const { deadlineAt, remainingMs } = contexts[0] as CallContext;
      expect([deadlineAt, remainingMs()]).toEqual([2_700, 1_950]);
      await clock.advance("10s");
      expect(answered.at).toEqual({ error });
    },
  );

  it.each(scopes)("shows the nearer limit, where the call's own deadline comes first: $what", async ({ layers }) => {
    const { clock } = setup();
    const { operation, contexts } = slow(60_000);
    const answered = watch(apply(operation, layers)("x", { deadline: "1s" }));
    await clock.advance(0);
    expect([contexts[0]?.deadlineAt, contexts[0]?.remainingMs()]).toEqual([1_000, 1_000]);
    await clock.advance("1s");
    expect(answered.at).toEqual({ error: overdue });
  });

  it.each(scopes)("rejects with the cut's reason, which is also the signal's: $what", async ({ layers, error }) => {
    const { clock } = setup();
    const { operation, contexts } = slow(60_000, 60_000, 60_000);
    const answered = watch(apply(operation, layers)("x"));
    await clock.advance("2s");
    expect(answered.at).toEqual({ error });
    expect(contexts[0]?.signal.reason).toBe((answered.at as { error: unknown }).error);
  });

  it.each(scopes.filter(({ what }) => !what.includes("retry outside")))(
    "when it is cut, nothing inside starts afterwards: $what",
    async ({ layers }) => {
      const { clock } = setup();
      let calls = 0;
      const operation = () => {
        calls++;
        return new Promise<never>((_, reject) => clock.timer(300, { expire: () => reject(down) }));
      };
      const answered = watch(apply(operation, layers)("x"));
      await clock.advance("2s");
      expect(answered.at).toBeDefined();
      const before = calls;
      await clock.advance("1m");
      expect(calls).toBe(before);
    },
  );
});

describe("a retry outside a timed scope goes on", () => {
  it("for the scope's timeout is a failure like others to it", async () => {
    const { clock } = setup();
    const { operation, contexts } = slow("fails", 5_000, "fails", 100);
    const call = pipe(operation, every(100, 9), timeout("1s"), every(500, 9));
    const answered = settled(call)("x");
    await clock.advance("10s");
    const { ok, story } = await answered;
    expect([ok, story.attempts, contexts.map(({ attempt }) => attempt)]).toEqual([true, 4, [1, 2, 3, 4]]);
    expect(story.failures.map(({ kind, attempt }) => [attempt, kind])).toEqual([
      [1, "transient"],
      [2, "timeout"],
      [3, "transient"],
    ]);
  });

  it("each time with the whole of the scope's time", async () => {
    const { clock } = setup();
    const { operation, contexts } = slow(60_000, 60_000, 60_000);
    const answered = watch(pipe(operation, timeout("1m"), timeout("1s"), every(500, 3))("x"));
    await clock.advance("5s");
    expect(answered.at).toEqual({ error: timedOut });
    expect(contexts.map(({ deadlineAt }) => deadlineAt)).toEqual([1_000, 2_500, 4_000]);
  });

  it("also where its time ran out in a wait, with nothing running", async () => {
    const { clock } = setup();
    const { operation } = slow("fails", 100);
    const patient = pipe(operation, every(5_000, 9), timeout("1s"), every(10, 9));
    const answered = watch(patient("x"));
    await clock.advance("2s");
    expect(answered.at).toEqual({ value: 2 });
  });

  it("and so does a fallback, and a breaker counts it", async () => {
    const { clock } = setup();
    const { operation } = slow(60_000, 60_000);
    const circuit = breaker({ consecutiveFailures: 1 });
    const call = pipe(operation, retry(), timeout("1s"), circuit, fallback([async () => 7]));
    const answered = watch(call("x"));
    await clock.advance("1s");
    expect(answered.at).toEqual({ value: 7 });
    expect(circuit.state.state).toBe("open");
  });
});

describe("a deadline with layers outside", () => {
  it.each([
    { had: "all of its time", waited: 0, state: "open" },
    { had: "less than half of its time", waited: 600, state: "closed" },
  ])("counts in a breaker outside it where the attempt had $had: $state", async ({ waited, state }) => {
    const { clock } = setup();
    const circuit = breaker({ consecutiveFailures: 1 });
    const slowly = moments().bracket("queue", { before: ({ input }) => clock.sleep(waited).then(() => input) });
    const answered = watch(pipe(slow(60_000).operation, slowly, deadline("1s"), circuit)("x"));
    await clock.advance("1s");
    expect(answered.at).toEqual({ error: overdue });
    expect(circuit.state.state).toBe(state);
  });
});

describe("a deadline's error is never retried", () => {
  it("by a retry outside the deadline, not even where `when` says so", async () => {
    const { clock } = setup();
    const { operation, contexts } = slow(60_000, 1);
    const asked: unknown[] = [];
    const eager = retry({ base: 1, when: (outcome) => asked.push(outcome) > 0 });
    const answered = watch(pipe(operation, deadline("1s"), eager)("x"));
    await clock.advance("1m");
    expect(answered.at).toEqual({ error: overdue });
    expect([contexts.length, asked]).toEqual([1, []]);
  });

  it("by the call's own retry, nor is it handed to a tier", async () => {
    const { clock } = setup();
    const { operation } = slow(60_000);
    const tier = script<number>({ value: 1 });
    const answered = watch(protect("x", operation, { deadline: "1s", retry: {}, fallback: [tier] })("x"));
    await clock.advance("1m");
    expect(answered.at).toEqual({ error: overdue });
    expect(tier.calls).toEqual([]);
  });

  it("by a retry of the call around, to which it is the error of a call made inside", async () => {
    const { clock } = setup();
    const { operation, contexts } = slow(60_000, 1);
    const inner = protect("inner", operation, { deadline: "1s" });
    const answered = watch(protect("outer", (x: unknown, context) => inner(x, context), { retry: { base: 1 } })("x"));
    await clock.advance("1m");
    expect(answered.at).toEqual({ error: overdue });
    expect(contexts).toHaveLength(1);
  });
});

describe("of two limits", () => {
  it.each([
    { inner: "9s", outer: "1s" },
    { inner: "1s", outer: "9s" },
  ] as const)("the shorter one wins: $inner inside $outer", async ({ inner, outer }) => {
    const { clock } = setup();
    const answered = watch(pipe(slow(60_000).operation, timeout(inner), timeout(outer))("x"));
    await clock.advance(999);
    expect(answered.at).toBeUndefined();
    await clock.advance(1);
    expect(answered.at).toEqual({ error: expect.objectContaining({ code: "TIMEOUT", afterMs: 1_000 }) });
  });

  it("a promise-style layer between them is the operation to the outer one", async () => {
    const { clock } = setup();
    const twice = around((run) => async (input, context) => {
      await run(input, context).catch(() => {});
      return run(input, context);
    });
    const { operation, contexts } = slow(60_000, 60_000, 60_000);
    const answered = watch(pipe(operation, timeout("1s"), twice, timeout("1500ms"))("x"));
    await clock.advance("1500ms");
    expect(answered.at).toEqual({ error: expect.objectContaining({ code: "TIMEOUT", afterMs: 1_500 }) });
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    await clock.advance("1m");
    await turn();
    expect(contexts).toHaveLength(2);
  });
});

function apply(operation: Operation<never, unknown>, layers: readonly Wrapper[]) {
  return layers.reduce<(input: unknown, options?: { deadline?: "1m" | "1s" }) => Promise<unknown>>(
    (inner, wrap) => wrap(inner as never) as never,
    operation as never,
  );
}

// Design rule 4: to layers outside it a promise-style layer is the operation; each call of its inner operation is a new attempt.
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  breaker,
  type CallContext,
  deadline,
  defineWrapper,
  fallback,
  named,
  type Operation,
  pipe,
  protect,
  retry,
  settled,
  timeout,
} from "../../src/index.ts";
import { reset, script } from "../../src/testing/index.ts";
import { around, moments, setup, turn, watch } from "./setup.ts";

const down = Object.assign(new Error("down"), { status: 500 });
const timedOut = expect.objectContaining({ code: "TIMEOUT" });
const passing = around((run) => (input, context) => run(input, context));
const twice = around((run) => async (input, context) => {
  await run(input, context).catch(() => {});
  return run(input, context);
});
/** The first to answer wins; the others are left to themselves. */
const race = (runners = 2) =>
  around((run) => (input, context) => Promise.any(Array.from({ length: runners }, () => run(input, context))));

/** Settles as the test says; notes its contexts. */
function held() {
  const contexts: CallContext[] = [];
  const running: { resolve(value: unknown): void; reject(error: unknown): void }[] = [];
  const operation: Operation<unknown, unknown> = (_, context) => {
    contexts.push(context);
    return new Promise((resolve, reject) => running.push({ resolve, reject }));
  };
  return { contexts, running, operation };
}

describe("each call of its inner operation is a new attempt", () => {
  it("with a context, a controller and a number of its own", async () => {
    setup();
    const operation = script({ error: down }, { value: 2 });
    expect(await pipe(operation, twice)(undefined)).toBe(2);
    const [first, second] = operation.calls.map(({ context }) => context);
    expect([first?.attempt, second?.attempt]).toEqual([1, 2]);
    expect(first).not.toBe(second);
    expect(first?.signal).not.toBe(second?.signal);
    expect(second?.previous).toEqual([expect.objectContaining({ error: down, attempt: 1 })]);
  });

  it("with the next number, whoever begins it: the layer, or a retry outside or inside it", async () => {
    setup();
    const operation = script(...Array.from({ length: 8 }, () => ({ error: down })));
    const rounds = () => retry({ attempts: 2, base: 0 });
    const { story } = await settled(pipe(operation, rounds(), twice, rounds()))(undefined);
    expect(operation.calls.map(({ context }) => context.attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(story.attempts).toBe(8);
    expect(story.failures.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("through all layers inside it, and the layers outside it see one", async () => {
    setup();
    const { of, bracket } = moments();
    const call = pipe(script({ error: down }, { value: 2 }), bracket("inner"), twice, bracket("outer"));
    expect(await call(undefined)).toBe(2);
    const attempt = (kind: string) => ["before", "started", `after ${kind}`, "ended"];
    expect(of("inner")).toEqual([...attempt("transient"), ...attempt("ok")]);
    expect(of("outer")).toEqual(attempt("ok"));
  });

  it("with what the layer gives it as input, and its answer is the layer's to change", async () => {
    setup();
    const operation = script({ value: 20 });
    const shout = around((run) => async (input, context) => ((await run(`${input}!`, context)) as number) + 1);
    expect(await pipe(operation, shout, retry())("x")).toBe(21);
    expect(operation.calls[0]?.input).toBe("x!");
  });

  it("needs the context: without it the layer fails with a word on what is missing", async () => {
    setup();
    const forgetful = around((run) => (input) => run(input, undefined as never));
    const { ok, error } = (await settled(pipe(script({ value: 1 }), forgetful))(undefined)) as {
      ok: false;
      error: Error;
    };
    expect([ok, error.message]).toEqual([false, '"own" has to pass its context on to the operation inside it.']);
  });

  it("takes a context that was spread, with data added", async () => {
    setup();
    const operation = script({ value: 1 });
    const adding = around((run) => (input, context) => run(input, { ...context, labels: { own: "yes" } }));
    expect(await pipe(operation, adding)(undefined)).toBe(1);
    expect(operation.calls[0]?.context.attempt).toBe(1);
  });

  it("takes one whose signal was left out: it ends with the layer", async () => {
    const { caller } = setup();
    const operation = script({ value: 1 }, "never");
    const unsigned = around((run) => (input, context) => run(input, { ...context, signal: undefined as never }));
    const controller = caller();
    const call = pipe(operation, unsigned);
    expect(await call(undefined)).toBe(1);
    const ended = watch(call(undefined, { signal: controller.signal }));
    controller.abort("gone");
    await turn();
    expect(ended.at).toEqual({ error: "gone" });
  });
});

describe("an inner attempt is cancelled with the context given", () => {
  it("when the caller aborts, with the caller's reason, at once", async () => {
    const { caller } = setup();
    const { operation, contexts } = held();
    const controller = caller();
    const reason = new Error("gone");
    const answered = watch(pipe(operation, race(), retry())("x", { signal: controller.signal }));
    controller.abort(reason);
    await turn();
    expect(answered.at).toEqual({ error: reason });
    expect(contexts.map(({ signal }) => signal.reason)).toEqual([reason, reason]);
  });

  it("when a timeout outside ends what it is part of: also calls made in it", async () => {
    const { clock } = setup();
    const { operation, contexts } = held();
    const child = protect("child", operation);
    const call = pipe((x: unknown, context: CallContext) => child(x, context), passing, timeout("1s"));
    const answered = settled(call)("x");
    await clock.advance("1s");
    const { story } = await answered;
    expect(story.children.map(({ state }) => state)).toEqual(["cancelled"]);
    expect(contexts[0]?.signal.reason).toMatchObject({ code: "TIMEOUT" });
  });

  it("alone, when the layer gives it a signal of its own and aborts that", async () => {
    const { seen } = setup();
    const { operation, contexts, running } = held();
    const own = new AbortController();
    const pair = around(
      (run) => (input, context) => Promise.any([run(input, { ...context, signal: own.signal }), run(input, context)]),
    );
    const answered = watch(pipe(operation, pair)("x"));
    own.abort("lost");
    await turn();
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    expect(contexts[0]?.signal.reason).toBe("lost");
    running[1]?.resolve(2);
    await turn();
    expect(answered.at).toEqual({ value: 2 });
    expect(seen.of("attempt.abandoned").map(({ attempt, reason }) => [attempt, reason])).toEqual([[1, "lost"]]);
  });

  it("and leaves no listener on such a signal", async () => {
    const { caller } = setup();
    const own = caller();
    const listening = around((run) => (input, context) => run(input, { ...context, signal: own.signal }));
    const call = pipe(script(...Array.from({ length: 100 }, (_, value) => ({ value }))), listening, retry());
    for (let i = 0; i < 100; i++) expect(await call(undefined)).toBe(i);
  });

  it("before it begins, when that signal was aborted already: nothing is called, no layer inside is entered", async () => {
    setup();
    const { log, bracket } = moments();
    const operation = script({ value: 1 });
    const late = around((run) => (input, context) => run(input, { ...context, signal: AbortSignal.abort("no more") }));
    const answered = watch(pipe(operation, bracket("inner"), late)(undefined));
    await turn();
    expect(answered.at).toEqual({ error: "no more" });
    expect([operation.calls.length, log]).toEqual([0, []]);
  });

  it("before it begins, when the layer is over: a timeout or an abort has ended it", async () => {
    const { clock, caller } = setup();
    const stubborn = around((run) => async (input, context) => {
      for (let i = 0; i < 9; i++) {
        await run(input, context).catch(() => {});
        await clock.sleep(100);
      }
      return run(input, context);
    });
    const operation = script(...Array.from({ length: 9 }, () => ({ error: down })));
    const timed = watch(pipe(operation, stubborn, timeout("250ms"))(undefined));
    await clock.advance(250);
    expect([timed.at, operation.calls.length]).toEqual([{ error: timedOut }, 3]);
    const controller = caller();
    const aborted = watch(pipe(operation, stubborn)(undefined, { signal: controller.signal }));
    await clock.advance(150);
    controller.abort("gone");
    await turn();
    expect([aborted.at, operation.calls.length]).toEqual([{ error: "gone" }, 5]);
    await clock.advance("1s");
    expect(operation.calls).toHaveLength(5);
  });
});

describe("when the layer is over, no inner attempt begins", () => {
  const trying = (clock: { sleep(ms: number): Promise<void> }) =>
    around((run) => async (input, context) => {
      await run(input, context).catch(() => {});
      await clock.sleep(500);
      return run(input, context);
    });

  it("while a retry outside still waits after the timeout", async () => {
    const { clock } = setup();
    const operation = script({ error: down }, { value: 1 }, { value: 2 });
    const call = pipe(operation, trying(clock), timeout("250ms"), retry({ jitter: "none", base: "10s", attempts: 2 }));
    const answered = watch(call(undefined));
    await clock.advance("9s");
    expect([answered.at, operation.calls.length]).toEqual([undefined, 1]);
    await clock.advance("2s");
    expect([answered.at, operation.calls.length]).toEqual([{ error: timedOut }, 2]);
  });

  it("while its answer is still judged outside", async () => {
    const { clock } = setup();
    const { bracket } = moments();
    const slowly = bracket("judge", { judge: (_, value) => clock.sleep(5_000).then(() => value) });
    const eager = around((run) => (input, context) => {
      clock.sleep(100).then(() => void run(input, context));
      return run(input, context);
    });
    const operation = script({ value: 1 }, { value: 2 });
    const answered = watch(pipe(operation, eager, slowly)(undefined));
    await clock.advance("5s");
    expect([answered.at, operation.calls.length]).toEqual([{ value: 1 }, 1]);
  });
});

describe("a value that it drops goes to `discard`", () => {
  beforeEach(() => reset());

  /** Tells when it was let go. */
  function disposable(name: string, log: string[]) {
    return { name, [Symbol.dispose]: () => void log.push(name) };
  }

  it("the loser's of a race, when it comes late", async () => {
    setup();
    const { operation, running } = held();
    const dropped: string[] = [];
    const answered = watch(pipe(operation, race(), retry())("x"));
    const won = disposable("winner", dropped);
    running[1]?.resolve(won);
    await turn();
    expect(answered.at).toEqual({ value: won });
    running[0]?.resolve(disposable("loser", dropped));
    await turn();
    expect(dropped).toEqual(["loser"]);
  });

  it("a late response's body, so that its connection is free", async () => {
    setup();
    const { operation, running } = held();
    const answered = watch(pipe(operation, race())("x"));
    running[0]?.resolve("won");
    await turn();
    expect(answered.at).toEqual({ value: "won" });
    let cancelled = false;
    const body = new ReadableStream({
      cancel() {
        cancelled = true;
      },
    });
    running[1]?.resolve(new Response(body));
    await turn();
    expect(cancelled).toBe(true);
  });

  it("by the declaration's own `discard`, where there is one", async () => {
    setup();
    const { operation, running } = held();
    const dropped: unknown[] = [];
    const call = protect("x", pipe(operation, race(3)), { discard: (value) => void dropped.push(value) });
    const answered = watch(call("x"));
    running[2]?.resolve("c");
    await turn();
    running[0]?.resolve("a");
    running[1]?.reject(down);
    await turn();
    expect([answered.at, dropped]).toEqual([{ value: "c" }, ["a"]]);
  });

  it("the others', when it waits for several and answers with one of them", async () => {
    setup();
    const { operation, running } = held();
    const dropped: string[] = [];
    const last = around((run) => async (input, context) => {
      const all = await Promise.all([run(input, context), run(input, context), run(input, context)]);
      return all[1];
    });
    const answered = watch(pipe(operation, last)("x"));
    running.forEach(({ resolve }, i) => {
      resolve(disposable(String(i), dropped));
    });
    await turn();
    expect(answered.at).toMatchObject({ value: { name: "1" } });
    expect(dropped).toEqual(["0", "2"]);
  });

  it("the first's, when the layer tries again because it did not like it", async () => {
    setup();
    const dropped: string[] = [];
    const operation = script({ value: disposable("poor", dropped) }, { value: disposable("good", dropped) });
    const choosy = around((run) => async (input, context) => {
      const first = await run(input, context);
      return (first as { name: string }).name === "good" ? first : run(input, context);
    });
    expect(await pipe(operation, choosy)(undefined)).toMatchObject({ name: "good" });
    expect(dropped).toEqual(["poor"]);
  });

  it("its own answer too, when it comes late, with all that it had got", async () => {
    const { clock } = setup();
    const dropped: string[] = [];
    const slow = around((run) => async (input, context) => {
      const got = await run(input, context);
      await clock.sleep(5_000);
      return { ...disposable("answer", dropped), got };
    });
    const operation = script({ value: disposable("part", dropped) });
    const answered = watch(pipe(operation, slow, timeout("1s"))(undefined));
    await clock.advance("6s");
    expect(answered.at).toEqual({ error: timedOut });
    expect(dropped).toEqual(["part", "answer"]);
  });

  it("but not what its answer is made of", async () => {
    setup();
    const dropped: string[] = [];
    const both = around((run) => async (input, context) => ({
      all: [await run(input, context), await run(input, context)],
    }));
    const operation = script({ value: disposable("1", dropped) }, { value: disposable("2", dropped) });
    expect(await pipe(operation, both, retry())(undefined)).toMatchObject({ all: [{ name: "1" }, { name: "2" }] });
    expect(dropped).toEqual([]);
  });
});

describe("what a layer leaves running when it has answered has lost", () => {
  it("it is ended, with the layers inside told, and its signal aborted; its failure is nobody's", async () => {
    const { seen } = setup();
    const { of, bracket } = moments();
    const { operation, contexts, running } = held();
    const answered = settled(pipe(operation, bracket("inner"), race(), retry()))("x");
    running[1]?.resolve("won");
    expect(await answered).toMatchObject({ ok: true, value: "won", story: { attempts: 2, failures: [] } });
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    expect(of("inner").filter((moment) => moment.startsWith("after"))).toEqual(["after ok", "after cancelled"]);
    expect(seen.of("attempt.abandoned")).toEqual([
      expect.objectContaining({ attempt: 1, reason: "lost", stillRunning: true }),
    ]);
    running[0]?.reject(down);
    await turn();
    expect(seen.of("attempt.ended")).toEqual([expect.objectContaining({ attempt: 1, ok: false })]);
    expect(seen.of("call.settled")).toHaveLength(1);
  });

  it("also when the layer gave up, by an error of its own", async () => {
    setup();
    const { operation, contexts } = held();
    const hasty = around((run) => async (input, context) => {
      run(input, context);
      throw down;
    });
    const answered = watch(pipe(operation, hasty, retry({ attempts: 2, base: 0 }))("x"));
    await turn();
    expect(answered.at).toEqual({ error: down });
    expect(contexts.map(({ signal, attempt }) => [attempt, signal.aborted])).toEqual([
      [1, true],
      [2, true],
    ]);
  });

  it("and counts in no breaker", async () => {
    setup();
    const circuit = breaker({ consecutiveFailures: 1 });
    const { operation, running } = held();
    const answered = watch(pipe(operation, circuit, race(3))("x"));
    running[0]?.resolve(1);
    await turn();
    running[1]?.reject(down);
    await turn();
    expect(answered.at).toEqual({ value: 1 });
    expect(circuit.state).toMatchObject({ state: "closed", calls: 1, failures: 0 });
  });

  it("and what it would begin afterwards is not begun", async () => {
    const { clock } = setup();
    const operation = script({ value: 1 }, { value: 2 });
    const hedge = around((run) => (input, context) => {
      const later = clock.sleep(100).then(() => run(input, context));
      return Promise.any([run(input, context), later]);
    });
    const answered = watch(pipe(operation, hedge)(undefined));
    await clock.advance(100);
    expect([answered.at, operation.calls.length]).toEqual([{ value: 1 }, 1]);
  });
});

describe("to layers outside it, it is the operation", () => {
  it("a timeout outside measures all it does, and a retry outside begins it anew", async () => {
    const { clock } = setup();
    const operation = script(
      { value: 1, after: 700 },
      { value: 2, after: 700 },
      { value: 3, after: 10 },
      { value: 4, after: 10 },
    );
    const call = pipe(operation, twice, timeout("1s"), retry({ jitter: "none", base: 1 }));
    const answered = watch(call(undefined));
    await clock.advance("2s");
    expect(answered.at).toEqual({ value: 4 });
    expect(operation.calls.map(({ context }) => [context.attempt, context.signal.aborted])).toEqual([
      [1, false],
      [2, true],
      [3, false],
      [4, false],
    ]);
  });

  it("a timeout inside limits each of its attempts", async () => {
    const { clock } = setup();
    const operation = script({ value: 1, after: 5_000 }, { value: 2, after: 900 });
    const answered = watch(pipe(operation, timeout("1s"), twice)(undefined));
    await clock.advance(1_900);
    expect(answered.at).toEqual({ value: 2 });
  });

  it("a breaker inside counts each of its attempts, one outside what came of them", async () => {
    setup();
    const [inner, outer] = [breaker(), breaker()];
    expect(await pipe(script({ error: down }, { value: 2 }), inner, twice, outer)(undefined)).toBe(2);
    expect([inner.state, outer.state]).toMatchObject([
      { calls: 2, failures: 1 },
      { calls: 1, failures: 0 },
    ]);
  });

  it("its error is judged by what it is, whatever the attempts inside gave", async () => {
    setup();
    const translating = around(
      (run) => (input, context) =>
        run(input, context).catch((cause: unknown) =>
          Promise.reject(Object.assign(new Error("mine", { cause }), { status: 404 })),
        ),
    );
    const operation = script({ error: down });
    const { story } = await settled(pipe(operation, translating, retry({ base: 0 })))(undefined);
    expect(operation.calls).toHaveLength(1);
    expect(story.failures.map(({ kind }) => kind)).toEqual(["transient", "invalid"]);
  });

  it("its value is judged too: a response of its own making that tells of a failure is tried again", async () => {
    setup();
    const operation = script({ value: new Response("{}", { status: 503 }) }, { value: new Response("ok") });
    const copying = around((run) => async (input, context) => {
      const response = (await run(input, context)) as Response;
      return new Response(response.body, response);
    });
    const response = await pipe(operation, copying, retry({ base: 0 }))(undefined);
    expect([response.status, await response.text()]).toEqual([200, "ok"]);
    expect(operation.calls).toHaveLength(2);
  });

  it("an own timeout of its own, by an aborted signal, is a timeout to a retry outside", async () => {
    const { clock } = setup();
    const limited = around((run) => (input, context) => {
      const own = new AbortController();
      clock.sleep(100, own.signal).then(
        () => own.abort(new DOMException("too slow", "TimeoutError")),
        () => {},
      );
      return run(input, { ...context, signal: own.signal }).finally(() => own.abort("over"));
    });
    const operation = script({ value: 1, after: 5_000 }, { value: 2 });
    const answered = settled(pipe(operation, limited, retry({ base: 0 })))(undefined);
    await clock.advance(100);
    const { ok, story } = await answered;
    expect([ok, story.attempts]).toEqual([true, 2]);
  });

  it("an abort of its own is a failure like others, whatever the operation was about: a call made in it too", async () => {
    const { clock } = setup();
    const limited = around((run) => (input, context) => {
      const own = new AbortController();
      void clock.sleep(100).then(() => own.abort());
      return run(input, { ...context, signal: own.signal });
    });
    const answer = (ms: number) => clock.sleep(ms).then(() => ms);
    const inner = protect("inner", answer);
    for (const ask of [answer, (ms: number, context: CallContext) => inner(ms, context)]) {
      const operation = (_: string, context: CallContext) => ask(context.attempt === 1 ? 5_000 : 10, context);
      const answered = settled(pipe(operation, limited, retry({ base: 0 })))("x");
      await clock.advance("6s");
      const { ok, story } = await answered;
      expect([ok, story.attempts, story.failures.map(({ kind }) => kind)]).toEqual([true, 2, ["unknown"]]);
    }
  });

  it("keeps the record: name, labels, cost and failures are the call's", async () => {
    setup();
    let calls = 0;
    const spending = named("priced", async (_: string, { cost }: CallContext) => {
      cost({ inputTokens: 10 });
      if (++calls === 1) throw down;
      return "done";
    });
    const { ok, story } = await settled(pipe(spending, twice, deadline("1m")))("x", { labels: { request: "r1" } });
    expect(ok).toBe(true);
    expect(story).toMatchObject({
      ...{ name: "priced", state: "succeeded", attempts: 2, labels: { request: "r1" }, cost: { inputTokens: 20 } },
      failures: [{ error: down, attempt: 1, cost: { inputTokens: 10 } }],
    });
  });

  it("keeps deadline and tiers: contexts inside show both", async () => {
    setup();
    const tier = script<unknown>({ error: down }, { value: "second" });
    const call = pipe(script<unknown>({ error: down }), fallback([pipe(tier, twice)]), deadline("1s"));
    expect(await call(undefined)).toBe("second");
    expect(tier.calls.map(({ context }) => [context.tier, context.attempt, context.deadlineAt])).toEqual([
      [1, 1, 1_000],
      [1, 2, 1_000],
    ]);
  });

  it("may be written with no word on types, and the wrapper keeps those of what it wraps", async () => {
    setup();
    const doubled = (times: number) =>
      defineWrapper("doubled", z.int(), times, (times) => ({
        around: (operation) => async (input, context) => {
          for (let i = 1; i < times; i++) await operation(input, context);
          return operation(input, context);
        },
      }));
    const call = pipe(async (name: string) => name.length, doubled(2), retry());
    const length: number = await call("ada");
    expect(length).toBe(3);
  });

  it("that throws synchronously is one that rejects", async () => {
    setup();
    const broken = around(() => () => {
      throw down;
    });
    const answered = watch(pipe(script({ value: 1 }), broken)(undefined));
    await turn();
    expect(answered.at).toEqual({ error: down });
  });
});

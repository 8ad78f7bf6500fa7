// Design §2: a policy is one component's options and state, for many calls.
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { z } from "zod";
import {
  BreakerOpenError,
  breaker,
  type CallContext,
  eventBus,
  explain,
  OptionsInvalidError,
  type PolicyOptions,
  protect,
  retry,
  settled,
  standard,
  timeout,
} from "../../src/index.ts";
import { record, script } from "../../src/testing/index.ts";
import { setup } from "./setup.ts";

const down = new Error("down");

function kinds(of: unknown): string[] {
  return explain(of).map(({ kind }) => kind);
}

function optionsOf(call: unknown, kind: string): unknown {
  return explain(call).find((layer) => layer.kind === kind)?.options;
}

/** What was thrown, as findings. */
function issuesOf(make: () => unknown): unknown[] {
  try {
    make();
  } catch (error) {
    if (error instanceof OptionsInvalidError) return [error.operation, ...error.issues.map(({ path }) => path)];
    throw error;
  }
  return ["nothing was thrown"];
}

describe("own keys of a call", () => {
  it("merge into the policy's, option by option", () => {
    const stripe = protect.with("stripe", { retry: { attempts: 5, base: "50ms" }, timeout: "2s", deadline: "9s" });
    const charge = stripe("charge", async () => 1, { retry: { base: "10ms" }, timeout: "1s" });
    expect(optionsOf(charge, "retry")).toMatchObject({ attempts: 5, base: 10 });
    expect(optionsOf(charge, "timeout")).toEqual({ after: 1_000 });
    expect(optionsOf(charge, "deadline")).toEqual({ within: 9_000 });
  });

  it("leave the policy, and its other calls, as they are", () => {
    const options: PolicyOptions = { retry: { attempts: 5 } };
    const stripe = protect.with("stripe", options);
    stripe("charge", async () => 1, { retry: { attempts: 2 } });
    expect(
      optionsOf(
        stripe("refund", async () => 1),
        "retry",
      ),
    ).toMatchObject({ attempts: 5 });
    expect(options).toEqual({ retry: { attempts: 5 } });
  });

  it("that say nothing (`undefined`) change nothing", () => {
    const stripe = protect.with("stripe", { retry: { attempts: 5, base: "50ms" }, timeout: "2s" });
    const charge = stripe("charge", async () => 1, { retry: { base: undefined }, timeout: undefined });
    expect(optionsOf(charge, "retry")).toMatchObject({ attempts: 5, base: 50 });
    expect(optionsOf(charge, "timeout")).toEqual({ after: 2_000 });
  });

  it("may switch off whatever the policy has", () => {
    const all = protect.with("stripe", { ...standard });
    const off = { deadline: false, timeout: false, retry: false, breaker: false } as const;
    expect(kinds(all("charge", async () => 1, off))).toEqual([]);
  });

  it("may add what a policy does not have: schemas, a fallback, a key", async () => {
    const { clock } = setup();
    const stripe = protect.with("stripe", { retry: { attempts: 2 } });
    const operation = script<number>({ error: down }, { error: down });
    const charge = stripe("charge", (charge, context) => operation(charge, context), {
      input: z.object({ cents: z.number() }),
      idempotencyKey: ({ cents }) => `k${cents}`,
      fallback: [async () => 7],
    });
    const ended = charge({ cents: 3 });
    await clock.advance("5s");
    expect(await ended).toBe(7);
    expect(operation.calls.map(({ context }) => context.idempotencyKey)).toEqual(["k3", "k3"]);
  });

  it("take a wrapper made before, in place of the policy's options", () => {
    const stripe = protect.with("stripe", { retry: { attempts: 5 }, timeout: "2s" });
    const charge = stripe("charge", async () => 1, { retry: retry({ attempts: 9 }), timeout: timeout("3s") });
    expect(optionsOf(charge, "retry")).toMatchObject({ attempts: 9, base: 100 });
    expect(optionsOf(charge, "timeout")).toEqual({ after: 3_000 });
  });

  it("take options, in place of a policy's wrapper made before", () => {
    const stripe = protect.with("stripe", { retry: retry({ attempts: 9 }) });
    expect(
      optionsOf(
        stripe("charge", async () => 1, { retry: { base: 7 } }),
        "retry",
      ),
    ).toMatchObject({
      ...{ attempts: 3, base: 7 },
    });
  });
});

describe("what a policy owns", () => {
  it("is shared by its calls and by what is run on it: one breaker for all", async () => {
    setup();
    const stripe = protect.with("stripe", { breaker: { consecutiveFailures: 2, breakTime: "1m" } });
    const charge = stripe("charge", script({ error: down }));
    const refund = stripe("refund", async () => 1);
    await settled(charge)(undefined);
    await stripe.run(async () => Promise.reject(down)).catch(() => {});
    const [refused, run] = [await settled(refund)(), await stripe.run(async () => 1).catch((error) => error)];
    expect(refused).toMatchObject({ error: expect.any(BreakerOpenError), story: { state: "notAdmitted" } });
    expect(run).toBeInstanceOf(BreakerOpenError);
    expect((refused as { error: BreakerOpenError }).error.message).toContain('"refund" is not being called');
    expect((refused as { error: BreakerOpenError }).error.breaker).toBe("stripe");
  });

  it("may only be switched off by a call", async () => {
    setup();
    const circuit = breaker({ breakTime: "1m" });
    circuit.isolate();
    const stripe = protect.with("stripe", { breaker: circuit });
    expect(await stripe("ping", async () => 1, { breaker: false })()).toBe(1);
  });

  it.each([
    ["options", {}],
    ["a wrapper", breaker()],
  ])("is not changed by a call: %s throws, and names the policy", (_, own) => {
    const stripe = protect.with("stripe", { breaker: {} });
    expect(() => stripe("charge", async () => 1, { breaker: own })).toThrow(/"charge".*breaker.*"stripe"/);
    expect(issuesOf(() => stripe("charge", async () => 1, { breaker: own }))).toEqual(["charge", "breaker"]);
  });

  it("is a call's own matter where the policy has none", () => {
    const stripe = protect.with("stripe", { retry: {} });
    expect(kinds(stripe("charge", async () => 1, { breaker: {} }))).toEqual(["retry", "breaker"]);
  });

  it("may be a wrapper made before, shared with whoever has it too", async () => {
    setup();
    const circuit = breaker({ consecutiveFailures: 1 });
    await settled(protect.with("a", { breaker: circuit })("x", script({ error: down })))(undefined);
    const end = await settled(protect.with("b", { breaker: circuit })("y", async () => 1))();
    expect(end).toMatchObject({ error: expect.any(BreakerOpenError) });
  });

  it("is the policy object's, not its name's: another policy of that name has its own", async () => {
    setup();
    const make = () => protect.with("stripe", { breaker: { consecutiveFailures: 1 } });
    const [first, second] = [make(), make()];
    await settled(first("charge", script({ error: down })))(undefined);
    expect(await settled(first("charge", async () => 1))()).toMatchObject({ ok: false });
    expect(await settled(second("charge", async () => 1))()).toMatchObject({ ok: true });
  });

  it("is nobody else's: the same options given to two policies are no shared state", async () => {
    setup();
    const common = { ...standard, retry: false, breaker: { consecutiveFailures: 1 } } as const;
    await settled(protect.with("a", common)("x", script({ error: down })))(undefined);
    expect(await settled(protect.with("b", common)("x", async () => 1))()).toMatchObject({ ok: true });
  });
});

describe("a policy's `run`", () => {
  it("runs one on it, named after the component", async () => {
    const { seen } = setup();
    const stripe = protect.with("stripe", { timeout: "1s", deadline: "5s" });
    const contexts: CallContext[] = [];
    const answer = await stripe.run(async (context) => {
      contexts.push(context);
      return 42;
    });
    expect(answer).toBe(42);
    expect(contexts[0]).toMatchObject({ name: "stripe", component: "stripe", attempt: 1, deadlineAt: 5_000 });
    expect(contexts[0]?.signal).toBeInstanceOf(AbortSignal);
    expect(seen.of("call.settled")).toMatchObject([{ name: "stripe", component: "stripe", state: "succeeded" }]);
  });

  it("has the policy's retry, timeout, breaker and deadline", async () => {
    const { clock } = setup();
    const stripe = protect.with("stripe", { retry: { attempts: 2 }, timeout: "1s", deadline: "5s" });
    let runs = 0;
    const ended = stripe.run(() => (runs++ === 0 ? new Promise<number>(() => {}) : Promise.resolve(runs)));
    await clock.advance("3s");
    expect(await ended).toBe(2);
  });

  it("takes what a caller may say of one call", async () => {
    const { clock, seen, caller } = setup();
    const stripe = protect.with("stripe", { retry: {} });
    const controller = caller();
    const never = () => new Promise<number>(() => {});
    const ends = [
      stripe.run(never, { signal: controller.signal, labels: { request: "r1" } }),
      stripe.run(never, { deadline: "1s" }),
      stripe.run(async () => Promise.reject(down), { retry: false }),
    ].map((end) => end.catch((error) => error));
    controller.abort("stop");
    await clock.advance("1s");
    expect(await Promise.all(ends)).toEqual(["stop", expect.objectContaining({ code: "DEADLINE_EXCEEDED" }), down]);
    expect(seen.of("call.settled").map(({ state, labels }) => [state, labels])).toEqual(
      [
        ["cancelled", { request: "r1" }],
        ["failed", {}],
        ["timedOut", {}],
      ].sort(),
    );
  });

  it("is a child inside another call, when it is given the context", async () => {
    setup();
    const stripe = protect.with("stripe", {});
    const outer = protect("order", async (_: void, context) => stripe.run(async () => 1, context));
    const { story } = await settled(outer)();
    expect(story.children.map(({ name }) => name)).toEqual(["stripe"]);
  });

  it("rejects with what the operation throws at once, and with a clear word where there is none", async () => {
    setup();
    const stripe = protect.with("stripe", {});
    const thrown = () => {
      throw down;
    };
    expect(await stripe.run(thrown).catch((error) => error)).toBe(down);
    expect(await stripe.run(undefined as never).catch((error) => error)).toBeInstanceOf(OptionsInvalidError);
  });

  it("builds nothing anew: what makes a function protected happens once", async () => {
    setup();
    const stripe = protect.with("stripe", { ...standard });
    const making = vi.spyOn(Object, "defineProperty");
    onTestFinished(() => making.mockRestore());
    const made = () => making.mock.calls.filter(([on]) => typeof on === "function").length;
    for (let i = 0; i < 100; i++) await stripe.run(async () => i);
    expect(made()).toBe(0);
    stripe("charge", async () => 1);
    expect(made()).toBeGreaterThan(0);
  });
});

describe("the component", () => {
  it("is the policy's name in events, stories and contexts; the name is the call's", async () => {
    const { seen } = setup();
    const stripe = protect.with("stripe", { retry: { attempts: 1 } });
    const contexts: CallContext[] = [];
    const { story } = await settled(
      stripe("charge", async (_: void, context) => {
        contexts.push(context);
        throw down;
      }),
    )();
    expect(stripe.component).toBe("stripe");
    expect([story.name, story.component]).toEqual(["charge", "stripe"]);
    expect([contexts[0]?.name, contexts[0]?.component]).toEqual(["charge", "stripe"]);
    expect(new Set(seen.events.map(({ name, component }) => `${name} ${component}`))).toEqual(
      new Set(["charge stripe"]),
    );
  });

  it("is what a listener can be narrowed to", async () => {
    const { events } = setup();
    const heard: string[] = [];
    events.on("call.settled", ({ name }) => heard.push(name), { component: "stripe" });
    const stripe = protect.with("stripe", {});
    await stripe("charge", async () => 1)();
    await protect("other", async () => 1)();
    await stripe("refund", async () => 1)();
    expect(heard).toEqual(["charge", "refund"]);
  });

  it("of a call without a policy is the call's own name", async () => {
    const { seen } = setup();
    await protect("user", async () => 1)();
    expect(seen.of("call.settled")).toMatchObject([{ name: "user", component: "user" }]);
  });
});

describe("a policy's `criticality` and `seams`", () => {
  it("are what every call of it has", async () => {
    const { clock } = setup();
    const bus = eventBus();
    const own = record(bus);
    const policy = protect.with("p", { criticality: "sheddable", seams: { events: bus, clock } });
    const operation = script({ value: 1 }, { value: 2 });
    await policy("call", operation)(undefined);
    await policy("call", operation, { criticality: "critical" })(undefined);
    expect(operation.calls.map(({ context }) => context.criticality)).toEqual(["sheddable", "critical"]);
    expect(own.of("call.settled")).toHaveLength(2);
  });

  it("give way to what the caller says", async () => {
    setup();
    const operation = script({ value: 1 });
    await protect.with("p", { criticality: "sheddable" })("call", operation)(undefined, { criticality: "critical" });
    expect(operation.calls[0]?.context.criticality).toBe("critical");
  });
});

describe("a policy that cannot be meant", () => {
  it.each<[what: string, options: object, paths: readonly string[]]>([
    ["a typo", { retyr: {} }, ["retyr"]],
    [
      "bad values, all at once, with their paths",
      { timeout: "soon", retry: { attempts: 0 } },
      ["timeout", "retry.attempts"],
    ],
    ["what is a call's alone", { input: z.string() }, ["input"]],
  ])("throws when it is made: %s", (_, options, paths) => {
    const [operation, ...issues] = issuesOf(() => protect.with("stripe", options as PolicyOptions));
    expect(operation).toBe("stripe");
    expect(issues).toEqual(paths);
  });

  it("throws when a call of it is made with a name that is none, or with nothing to call", () => {
    const stripe = protect.with("stripe", {});
    expect(() => stripe("", async () => 1)).toThrow(OptionsInvalidError);
    expect(() => stripe("charge", undefined as never)).toThrow(OptionsInvalidError);
    expect(() => protect.with("", {})).toThrow(OptionsInvalidError);
  });
});

describe("`standard`", () => {
  it("is a plain, frozen object: deadline 30 s, timeout 10 s, three attempts, a breaker", () => {
    expect(standard).toEqual({ deadline: "30s", timeout: "10s", retry: { attempts: 3 }, breaker: {} });
    expect(Object.getPrototypeOf(standard)).toBe(Object.prototype);
    expect([standard, standard.retry, standard.breaker].every((one) => Object.isFrozen(one))).toBe(true);
  });

  it("spread into a declaration gives just that", () => {
    const call = protect("user", async () => 1, { ...standard, timeout: "2s" });
    expect(kinds(call)).toEqual(["deadline", "retry", "breaker", "timeout"]);
    expect(optionsOf(call, "deadline")).toEqual({ within: 30_000 });
    expect(optionsOf(call, "timeout")).toEqual({ after: 2_000 });
    expect(optionsOf(call, "retry")).toMatchObject({ attempts: 3 });
  });

  it("gives every call a breaker of its own", async () => {
    setup();
    const options = { ...standard, retry: false } as const;
    const call = protect("a", async () => Promise.reject(down), options);
    for (let i = 0; i < 20; i++) await call().catch(() => {});
    expect(await settled(call)()).toMatchObject({ error: expect.any(BreakerOpenError) });
    expect(await protect("b", async () => 1, options)()).toBe(1);
  });
});

// Design §2: `configure(policy, …)` changes what its calls share for all of them, and the defaults under their own keys.
import { describe, expect, it } from "vitest";
import {
  BreakerOpenError,
  breaker,
  type Change,
  configure,
  explain,
  OptionsInvalidError,
  protect,
  retry,
  settled,
} from "../src/index.ts";
import { script } from "../src/testing/index.ts";
import { setup, watch } from "./composition/setup.ts";

const down = new Error("down");
const options = { retry: { attempts: 5, base: "50ms" }, timeout: "2s", deadline: "9s", breaker: {} } as const;

function optionsOf(call: unknown, kind: string): unknown {
  return explain(call).find((layer) => layer.kind === kind)?.options;
}

function refusalOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    if (error instanceof OptionsInvalidError) return [error.operation, ...error.issues.map(({ path }) => path)];
    throw error;
  }
  return "nothing was thrown";
}

describe("a policy that is changed", () => {
  it("changes its calls, made before and after, and what is run on it", () => {
    const stripe = protect.with("stripe", options);
    const before = stripe("before", async () => 1);
    const undo = configure(stripe, { timeout: "3s", retry: { attempts: 2 }, deadline: "8s", breaker: { ramp: "1s" } });
    const after = stripe("after", async () => 1);
    for (const one of [before, after, stripe]) {
      expect(optionsOf(one, "timeout")).toEqual({ after: 3_000 });
      expect(optionsOf(one, "retry")).toMatchObject({ attempts: 2, base: 50 });
      expect(optionsOf(one, "deadline")).toEqual({ within: 8_000 });
      expect(optionsOf(one, "breaker")).toMatchObject({ ramp: 1_000 });
    }
    undo();
    for (const one of [before, after, stripe]) {
      expect(optionsOf(one, "timeout")).toEqual({ after: 2_000 });
      expect(optionsOf(one, "retry")).toMatchObject({ attempts: 5, base: 50 });
      expect(optionsOf(one, "breaker")).toMatchObject({ ramp: 0 });
    }
  });

  it("leaves to each call its own keys, option by option, written or changed", () => {
    const stripe = protect.with("stripe", options);
    const charge = stripe("charge", async () => 1, { retry: { attempts: 9 }, timeout: "1s", deadline: false });
    const refund = stripe("refund", async () => 1);
    const undoOwn = configure(refund, { retry: { attempts: 7 } });
    expect(optionsOf(refund, "retry")).toMatchObject({ attempts: 7, base: 50 });
    configure(stripe, { retry: { attempts: 2, base: "10ms" }, timeout: "3s", deadline: "8s" });
    expect(optionsOf(charge, "retry")).toMatchObject({ attempts: 9, base: 10 });
    expect(optionsOf(charge, "timeout")).toEqual({ after: 1_000 });
    expect(optionsOf(charge, "deadline")).toBeUndefined();
    expect(optionsOf(refund, "retry")).toMatchObject({ attempts: 7, base: 10 });
    undoOwn();
    expect(optionsOf(refund, "retry")).toMatchObject({ attempts: 2, base: 10 });
    expect(optionsOf(stripe, "retry")).toMatchObject({ attempts: 2, base: 10 });
  });

  it("is not changed by what is changed of one call", () => {
    const stripe = protect.with("stripe", options);
    const [charge, refund] = [stripe("charge", async () => 1), stripe("refund", async () => 1)];
    configure(charge, { retry: { attempts: 1 }, timeout: "1s" });
    for (const one of [refund, stripe, stripe("later", async () => 1)]) {
      expect(optionsOf(one, "retry")).toMatchObject({ attempts: 5 });
      expect(optionsOf(one, "timeout")).toEqual({ after: 2_000 });
    }
  });

  it("has one breaker still, with what it has counted", async () => {
    setup();
    const stripe = protect.with("stripe", { breaker: { consecutiveFailures: 5, breakTime: "1m" } });
    const charge = stripe("charge", script({ error: down }, { error: down }));
    await settled(charge)(undefined);
    configure(stripe, { breaker: { consecutiveFailures: 2 } });
    await stripe.run(async () => Promise.reject(down)).catch(() => {});
    expect(await settled(charge)(undefined)).toMatchObject({ error: expect.any(BreakerOpenError) });
  });

  it("tells so once, in the component's name", () => {
    const { seen } = setup();
    const stripe = protect.with("stripe", options);
    const calls = [stripe("a", async () => 1), stripe("b", async () => 1)];
    configure(stripe, { timeout: "3s" });
    expect(seen.of("options.changed")).toMatchObject([{ name: "stripe", component: "stripe", layer: "timeout" }]);
    expect(calls).toHaveLength(2);
  });

  it("is in force for what is run on it", async () => {
    const { clock } = setup();
    const stripe = protect.with("stripe", { timeout: "5s" });
    configure(stripe, { timeout: "1s" });
    const seen = watch(stripe.run(() => new Promise(() => {})));
    await clock.advance("1s");
    expect(seen.at).toMatchObject({ error: { code: "TIMEOUT", afterMs: 1_000 } });
  });

  it("says what it has not, as a call does", () => {
    const stripe = protect.with("stripe", { timeout: "5s" });
    expect(refusalOf(() => configure(stripe, { retry: {}, gate: {} }))).toEqual(["stripe", "retry", "gate"]);
    expect(() => configure(stripe, { retry: {} })).toThrow(/this policy has timeout/);
  });

  it("leaves a call its own wrapper, made before, and changes its own for all who have it", () => {
    const common = retry({ attempts: 4 });
    const stripe = protect.with("stripe", { retry: common });
    const charge = stripe("charge", async () => 1, { retry: retry({ attempts: 8 }) });
    const refund = stripe("refund", async () => 1);
    const mine = stripe("mine", async () => 1, { retry: { base: 7 } });
    configure(stripe, { retry: { attempts: 2 } });
    const attempts = [charge, refund, mine, protect("else", async () => 1, { retry: common })].map((one) =>
      optionsOf(one, "retry"),
    );
    expect(attempts).toMatchObject([{ attempts: 8 }, { attempts: 2 }, { attempts: 3 }, { attempts: 2 }]);
  });

  it("holds none of its calls: one that nobody refers to any more is collected", async () => {
    const stripe = protect.with("stripe", options);
    const drop = () => new WeakRef(stripe("charge", async () => 1));
    const dropped = Array.from({ length: 100 }, drop);
    for (let turn = 0; turn < 50 && dropped.some((one) => one.deref() !== undefined); turn++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      (globalThis as { gc?: () => void }).gc?.();
    }
    expect(dropped.filter((one) => one.deref() !== undefined)).toEqual([]);
    const kept = Array.from({ length: 100 }, () => stripe("kept", async () => 1));
    configure(stripe, { timeout: "3s" });
    expect(kept.map((one) => optionsOf(one, "timeout"))).toEqual(kept.map(() => ({ after: 3_000 })));
  });
});

describe("what a policy owns", () => {
  it.each<[string, Change]>([
    ["a breaker", { breaker: { ramp: "1s" } }],
    ["a breaker that should go", { breaker: false }],
  ])("is not changed on one of its calls: that names the policy, and changes nothing: %s", (_, change) => {
    const stripe = protect.with("stripe", options);
    const charge = stripe("charge", async () => 1);
    expect(() => configure(charge, { ...change, timeout: "1s" })).toThrow(/"charge".*breaker.*the policy "stripe"/);
    expect(refusalOf(() => configure(charge, change))).toEqual(["charge", "breaker"]);
    expect(optionsOf(charge, "timeout")).toEqual({ after: 2_000 });
    expect(optionsOf(charge, "breaker")).toMatchObject({ ramp: 0 });
  });

  it("is likewise any wrapper that it shares", () => {
    const stripe = protect.with("stripe", { retry: retry(), breaker: breaker() });
    const charge = stripe("charge", async () => 1);
    expect(refusalOf(() => configure(charge, { retry: {}, breaker: {} }))).toEqual(["charge", "retry", "breaker"]);
  });

  it("is a call's own matter where the policy has none", () => {
    const stripe = protect.with("stripe", { timeout: "1s" });
    const charge = stripe("charge", async () => 1, { breaker: {} });
    configure(charge, { breaker: { ramp: "1s" } });
    expect(optionsOf(charge, "breaker")).toMatchObject({ ramp: 1_000 });
  });
});

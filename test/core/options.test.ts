// What is laid over options, and taken away again.
import { describe, expect, it } from "vitest";
import { type Laid, LiveOptions } from "../../src/core/options.ts";

const gc = (globalThis as { gc?: () => void }).gc as () => void;

function setup(own: object = { a: 0 }) {
  const live = new LiveOptions<unknown>((written) => written, own).changedBy({ change: () => () => {} });
  return {
    live,
    lay(written: unknown): Laid {
      const laid = { written };
      live.lay(laid).make();
      return laid;
    },
    kept: () => (live as unknown as { readonly laid: readonly unknown[] }).laid.length,
  };
}

describe("what is laid over options", () => {
  it("is kept in its order, each part by itself", () => {
    const { live, lay } = setup();
    const [first, second] = [lay({ a: 1, b: 1 }), lay({ a: 2 })];
    expect(live.now).toEqual({ a: 2, b: 1 });
    live.lift(first).make();
    expect(live.now).toEqual({ a: 2 });
    live.lift(second).make();
    expect(live.now).toEqual({ a: 0 });
  });

  it("is only planned until it is made", () => {
    const { live } = setup();
    const plan = live.lay({ written: { a: 1 } });
    expect(live.now).toEqual({ a: 0 });
    expect(plan.make()).toBe(true);
    expect(live.now).toEqual({ a: 1 });
    plan.back();
    expect(live.now).toEqual({ a: 0 });
  });

  it("and was only planned, takes nothing back", () => {
    const { live, lay } = setup();
    const plan = live.lay({ written: { a: 1 } });
    lay({ a: 2 });
    plan.back();
    expect(live.now).toEqual({ a: 2 });
  });

  it("says whether anything is different", () => {
    const { live } = setup();
    expect(live.lay({ written: { a: 0 } }).make()).toBe(false);
    expect(live.lay({ written: { a: undefined } }).make()).toBe(false);
  });

  it("and cannot be taken away any more, by anybody, is kept as one, between those that can", async () => {
    const { live, lay, kept } = setup();
    const early = lay({ early: 1, a: 1 });
    const many = () => {
      for (let i = 0; i < 300; i++) lay({ a: i, [`b${i % 3}`]: i });
    };
    many();
    // what is weakly referred to lives as long as the turn does
    for (let turn = 0; turn < 50 && kept() > 20; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      gc();
      lay({ turn });
    }
    expect(kept()).toBeLessThan(20);
    const late = lay({ late: 1, a: 999 });
    const all = { b0: 297, b1: 298, b2: 299, turn: expect.any(Number) };
    expect(live.now).toEqual({ ...all, a: 999, early: 1, late: 1 });
    live.lift(early).make();
    live.lift(late).make();
    expect(live.now).toEqual({ ...all, a: 299 });
  });

  it("is written out in full first, where a short form was given", () => {
    const full = (given: unknown) => (typeof given === "number" ? { n: given } : given);
    const live = new LiveOptions<unknown>(full, 1, full).changedBy({ change: () => () => {} });
    live.lay({ written: { m: 2 } }).make();
    live.lay({ written: 3 }).make();
    expect(live.now).toEqual({ n: 3, m: 2 });
  });
});

describe("options that inherit", () => {
  it("stand over the others, option by option, whichever changes", () => {
    const [policy, call] = [setup({ a: 0, b: 0 }), setup({ a: 1 })];
    call.live.inherit(policy.live, { a: 1 });
    policy.lay({ a: 5, b: 5 });
    expect(call.live.now).toEqual({ a: 1, b: 5 });
    const own = call.lay({ b: 7 });
    policy.lay({ b: 6 });
    expect(call.live.now).toEqual({ a: 1, b: 7 });
    call.live.lift(own).make();
    expect(call.live.now).toEqual({ a: 1, b: 6 });
    expect(policy.live.now).toEqual({ a: 5, b: 6 });
  });

  it("refuse for all what one of them cannot take", () => {
    const [policy, call] = [setup({ a: 0 }), setup({ a: 0 })];
    call.live.inherit(policy.live, undefined);
    call.live.changedBy({
      change: () => {
        throw new Error("not here");
      },
    });
    expect(() => policy.live.lay({ written: { a: 1 } })).toThrow("not here");
    expect([policy.live.now, call.live.now]).toEqual([{ a: 0 }, { a: 0 }]);
  });
});

// A cache whose options are changed while it runs.
import { describe, expect, it } from "vitest";
import { cache, configure, explain, OptionsInvalidError, pipe, protect } from "../../src/index.ts";
import { setup, watch } from "../composition/setup.ts";
import { operation } from "./cache-setup.ts";

function counting(options: { ttl: `${number}s`; max?: number }) {
  const around = setup();
  let calls = 0;
  const call = protect("x", async (_: string) => ++calls, { cache: options });
  return { ...around, call };
}

describe("a change", () => {
  it("to 0 switches off what is for a while: stale answers, patience, failures that are kept; so it may be declared too", async () => {
    const { clock } = setup();
    let calls = 0;
    const options = { ttl: "1s", staleOnError: "1h", whileRevalidating: "1h", patience: "1s", negative: "1h" } as const;
    const call = protect(
      "x",
      async (_: string) => {
        if (++calls > 1) throw Object.assign(new Error("not there"), { status: calls === 2 ? 503 : 404 });
        return calls;
      },
      { cache: options },
    );
    expect(await call("a")).toBe(1);
    await clock.advance("2s");
    const off = { staleOnError: 0, whileRevalidating: 0, patience: 0, negative: 0 } as const;
    configure(call, { cache: off });
    expect(explain(call)[0]).toMatchObject({ options: off });
    await expect(call("a")).rejects.toThrow("not there");
    await expect(call("a")).rejects.toThrow("not there");
    await expect(call("a")).rejects.toThrow("not there");
    expect(calls).toBe(4);
    expect(() => cache({ ttl: 5, ...off })).not.toThrow();
    expect(() => cache({ ttl: 5, patience: 0 })).not.toThrow();
  });

  it("of the lifetime holds at once for what is kept: shorter, and back", async () => {
    const { clock, call, seen } = counting({ ttl: "60s" });
    await call("a");
    await clock.advance("10s");
    const undo = configure(call, { cache: { ttl: "5s" } });
    expect(explain(call)[0]).toMatchObject({ options: { ttl: 5_000, max: 1_000 }, state: { entries: 1 } });
    expect(await call("b")).toBe(2);
    undo();
    expect([await call("a"), await call("b")]).toEqual([1, 2]);
    expect(seen.of("options.changed")).toMatchObject([{ layer: "cache" }, { layer: "cache" }]);
    configure(call, { cache: { ttl: "5s" } });
    expect(await call("a")).toBe(3);
  });

  it("longer, for what is kept from then on: nothing is prolonged", async () => {
    const { clock, call } = counting({ ttl: "10s" });
    await call("a");
    configure(call, { cache: { ttl: "60s" } });
    await clock.advance("11s");
    expect(await call("a")).toBe(2);
    await clock.advance("59s");
    expect(await call("a")).toBe(2);
  });

  it("of `max` keeps those that were used last, with the time that is left to them", async () => {
    const { clock, call } = counting({ ttl: "10s", max: 5 });
    for (const key of ["a", "b", "c", "d", "e"]) await call(key);
    await call("a");
    configure(call, { cache: { max: 2 } });
    expect(explain(call)[0]).toMatchObject({ options: { max: 2 }, state: { entries: 2 } });
    expect([await call("a"), await call("e")]).toEqual([1, 5]);
    configure(call, { cache: { max: 3 } });
    await clock.advance("9s");
    await call("f");
    expect([await call("a"), await call("e"), await call("f")]).toEqual([1, 5, 6]);
    await clock.advance("1s");
    expect(await call("a")).toBe(7);
  });

  it("reaches every call that the cache is laid round, now and later", async () => {
    const { clock } = setup();
    let calls = 0;
    const wrapper = cache({ ttl: "60s" });
    const ask = async (_: string) => ++calls;
    const [one, other] = [pipe(ask, wrapper), pipe(ask, wrapper)];
    configure(one, { cache: { ttl: "1s" } });
    const later = pipe(ask, wrapper);
    for (const call of [one, other, later]) {
      const before = await call("a");
      await clock.advance("1s");
      expect(await call("a")).toBe(before + 1);
    }
  });

  it("leaves what is being loaded alone", async () => {
    setup();
    const { ask, runs } = operation();
    const call = protect("x", ask, { cache: { ttl: "60s" } });
    const ended = [watch(call("a")), watch(call("a"))];
    configure(call, { cache: { ttl: "1s", max: 1, whileRevalidating: "1s", negative: "1s" } });
    const late = watch(call("a"));
    await runs[0]?.answer(1);
    expect([...ended, late].map(({ at }) => at)).toEqual([{ value: 1 }, { value: 1 }, { value: 1 }]);
    expect([runs.length, await call("a")]).toEqual([1, 1]);
  });

  it("that cannot be meant changes nothing", () => {
    const { call } = counting({ ttl: "60s" });
    expect(() => configure(call, { cache: { max: 0 } })).toThrow(OptionsInvalidError);
    expect(() => configure(call, { cache: { patience: "1s" } })).toThrow("cache.whileRevalidating");
    expect(explain(call)[0]).toMatchObject({ options: { ttl: 60_000, max: 1_000 } });
  });
});

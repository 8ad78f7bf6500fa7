// A cache whose options are changed while it runs.
import { describe, expect, it } from "vitest";
import { type CallContext, cache, configure, explain, OptionsInvalidError, pipe, protect } from "../../src/index.ts";
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

  it("nor is it where it may be served stale for longer than both", async () => {
    const { clock } = setup();
    let calls = 0;
    const call = protect("x", async (_: string) => ++calls, { cache: { ttl: "10s", staleOnError: "1h" } });
    await call("a");
    configure(call, { cache: { ttl: "60s" } });
    await clock.advance("11s");
    expect(await call("a")).toBe(2);
  });

  it("to a shorter number holds for lifetimes that answers set themselves too; a longer one prolongs none", async () => {
    const { clock } = setup();
    let calls = 0;
    const call = protect("x", async (_: string) => ++calls, { cache: { ttl: () => "60s", staleOnError: "1h" } });
    expect([await call("a"), await call("b")]).toEqual([1, 2]);
    await clock.advance("10s");
    const undo = configure(call, { cache: { ttl: "10s" } });
    expect(await call("a")).toBe(3);
    undo();
    expect(await call("b")).toBe(2);
    configure(call, { cache: { ttl: "1h" } });
    await clock.advance("50s");
    expect(await call("b")).toBe(4);
  });

  it("from a number to a function leaves what is kept as it was, and asks it of what comes", async () => {
    const { clock, call } = counting({ ttl: "10s" });
    await call("a");
    configure(call, { cache: { ttl: () => "20s" } });
    await clock.advance("9s");
    expect(await call("a")).toBe(1);
    await clock.advance("1s");
    expect(await call("a")).toBe(2);
    await clock.advance("19s");
    expect(await call("a")).toBe(2);
    await clock.advance("1s");
    expect(await call("a")).toBe(3);
  });

  it("of `negative` holds for failures that are kept in the same way", async () => {
    const { clock } = setup();
    let calls = 0;
    const missing = async (_: string): Promise<number> => {
      calls++;
      throw Object.assign(new Error("not there"), { status: 404 });
    };
    const call = protect("x", missing, { cache: { ttl: "1m", negative: "10s" } });
    const ask = () => call("a").catch(() => calls);
    await ask();
    const undo = configure(call, { cache: { negative: "1m" } });
    await clock.advance("9s");
    expect(await ask()).toBe(1);
    await clock.advance("1s");
    expect(await ask()).toBe(2);
    undo();
    await clock.advance("10s");
    expect(await ask()).toBe(3);
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

describe("a change of the key", () => {
  type User = { readonly tenant: string; readonly id: string };
  const [ours, theirs] = [
    { tenant: "acme", id: "7" },
    { tenant: "7", id: "1" },
  ];
  const byId = (user: User) => user.id;
  const byTenant = (user: User) => user.tenant;

  it("forgets what is kept: what was kept by the old one may be another's by the new one", async () => {
    setup();
    const call = protect("x", async ({ tenant }: User) => `of ${tenant}`, { cache: { ttl: "1h", key: byId } });
    await call(ours);
    const undo = configure(call, { cache: { key: byTenant } });
    expect(explain(call)[0]).toMatchObject({ state: { entries: 0 } });
    expect(await call(theirs)).toBe("of 7");
    undo();
    expect(await call(ours)).toBe("of acme");
  });

  it("lets what is being loaded go: it serves those who wait for it, joins nobody new, and is not kept", async () => {
    setup();
    const { ask, runs } = operation();
    const call = protect("x", ask as never as (user: User) => Promise<unknown>, { cache: { ttl: "1h", key: byId } });
    const old = watch(call(ours));
    configure(call, { cache: { key: byTenant } });
    const now = watch(call(theirs));
    expect(runs.map(({ input }) => input)).toEqual([ours, theirs]);
    await runs[1]?.answer("theirs");
    await runs[0]?.answer("ours");
    expect([old.at, now.at]).toEqual([{ value: "ours" }, { value: "theirs" }]);
    expect(await call(theirs)).toBe("theirs");
    expect(runs).toHaveLength(2);
  });

  it("who asks once more, since a load gave something stale, asks by the new one", async () => {
    const { clock } = setup();
    let up = true;
    const of = ({ tenant, id }: User) => `${tenant}/${id}`;
    const source = protect(
      "source",
      async (user: User) => {
        await clock.sleep(1_000);
        if (!up) throw Object.assign(new Error("down"), { status: 503 });
        return of(user);
      },
      { cache: { ttl: "1s", key: of, staleOnError: "1h" } },
    );
    const call = protect("x", (user: User, context: CallContext) => source(user, context), {
      cache: { ttl: "1h", key: byId },
    });
    const known = source(ours);
    await clock.advance("1s");
    await known;
    await clock.advance("2s");
    up = false;
    const content = watch(call(ours));
    const fresh = watch(call(ours, { accept: "fresh" }));
    configure(call, { cache: { key: byTenant } });
    await clock.advance("1s");
    expect([content.at, fresh.at]).toEqual([{ value: "acme/7" }, undefined]);
    up = true;
    await clock.advance("1s");
    expect(fresh.at).toEqual({ value: "acme/7" });
    const other = watch(call(theirs));
    await clock.advance("1s");
    expect(other.at).toEqual({ value: "7/1" });
  });

  it("is none where something else is changed, or it is said again as it is", async () => {
    setup();
    let calls = 0;
    const call = protect("x", async (_: User) => ++calls, { cache: { ttl: "1h", key: byId, tenants: "apart" } });
    await call(ours);
    configure(call, { cache: { key: byId, tenants: "apart", ttl: "2h", max: 5 } });
    expect(await call(ours)).toBe(1);
  });

  it("`tenants` from shared to apart is one too", async () => {
    setup();
    const call = protect("x", async (_: string, { labels }: CallContext) => labels?.tenant, {
      cache: { ttl: "1h", tenants: "shared" },
    });
    expect(await call("a", { labels: { tenant: "one" } })).toBe("one");
    const undo = configure(call, { cache: { tenants: "apart" } });
    expect([await call("a"), await call("a", { labels: { tenant: "two" } })]).toEqual([undefined, "two"]);
    undo();
    expect(await call("a", { labels: { tenant: "three" } })).toBe("three");
  });
});

// A `discard` of one's own is never given what a cache keeps or others got, and be it a text or a number.
import { describe, expect, it } from "vitest";
import { protect } from "../../src/index.ts";
import { outcome, setup, watch } from "../composition/setup.ts";
import { operation } from "./cache-setup.ts";

const values: readonly (readonly [string, unknown])[] = [
  ["a text", "lease-7"],
  ["a number", 4_711],
  ["an object", { lease: 7 }],
];

describe.each(values)("%s that several have", (_, value) => {
  function leases() {
    const around = setup();
    const { ask, runs } = operation();
    const gone: unknown[] = [];
    const discard = (one: unknown) => void gone.push(one);
    return { ...around, ask, runs, gone, discard };
  }

  it("stays where one of those who waited for it has left", async () => {
    const { caller, ask, runs, gone, discard } = leases();
    const call = protect("lease", ask, { cache: { ttl: "1m" }, discard });
    const leaver = caller();
    const [left, stays, late] = [
      outcome(call("a", { signal: leaver.signal })),
      watch(call("a")),
      outcome(call("a", { deadline: 10 })),
    ];
    leaver.abort("gone");
    await runs[0]?.answer(value);
    expect([await left, stays.at, gone]).toEqual([{ error: "gone" }, { value }, []]);
    expect(await late).toEqual({ value });
    expect([await call("a"), gone]).toEqual([value, []]);
  });

  it("is let go where all have left: it is nobody's", async () => {
    const { caller, ask, runs, gone, discard } = leases();
    const call = protect("lease", ask, { cache: { ttl: "1m" }, discard });
    const leaver = caller();
    const left = outcome(call("a", { signal: leaver.signal }));
    leaver.abort("gone");
    await left;
    // of its own for each kind: what was shared before stays
    const nobodys = typeof value === "object" ? { own: 1 } : typeof value === "number" ? 815 : "lease-8";
    await runs[0]?.answer(nobodys);
    expect(gone).toEqual([nobodys]);
  });

  it("stays where a call around, with a `discard` of its own, was cut while it asked for it", async () => {
    const { clock, caller, ask, runs, gone, discard } = leases();
    const lease = protect("lease", ask, { cache: { ttl: "1m" } });
    const first = lease("a");
    await runs[0]?.answer(value);
    await first;
    const slow = async (id: string) => {
      const one = await lease(id);
      await clock.sleep(100);
      return one;
    };
    const timed = outcome(protect("timed", slow, { timeout: 10, discard })("a"));
    const leaver = caller();
    const left = outcome(protect("left", slow, { discard })("a", { signal: leaver.signal }));
    const retried = outcome(protect("retried", slow, { timeout: 60, retry: { attempts: 2, base: 0 }, discard })("a"));
    leaver.abort("gone");
    await clock.advance("1s");
    expect([await timed, await left]).toMatchObject([{ error: { code: "TIMEOUT" } }, { error: "gone" }]);
    await retried;
    expect([await lease("a"), gone]).toEqual([value, []]);
  });
});

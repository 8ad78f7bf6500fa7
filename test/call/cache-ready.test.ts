// A tier with a cache is ready where it has the answer for whoever asks, though what it asks is not.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  breaker,
  type CallOptions,
  cache,
  defineWrapper,
  type Operation,
  pipe,
  protect,
  settled,
} from "../../src/index.ts";
import { setup } from "../composition/setup.ts";
import { down } from "./cache-setup.ts";

type Labels = Readonly<Record<string, string>>;

/** A copy that knows "a" by heart for these callers, and whose breaker is open. */
async function copyOf(
  known: readonly (Labels | undefined)[],
  options: { tenants?: "shared"; staleOnError?: "1h" } = {},
) {
  const { clock, seen } = setup();
  let up = true;
  const copy = pipe(
    async (_: string): Promise<string> => (up ? "known" : Promise.reject(down)),
    breaker({ consecutiveFailures: 1, breakTime: "1h" }),
    cache({ ttl: "1m", ...options }),
  );
  for (const labels of known) await copy("a", { labels });
  up = false;
  await copy("other").catch(() => {});
  const main = settled(
    protect("main", async (_: string): Promise<string> => Promise.reject(down), { fallback: [copy] }),
  );
  const ask = async (given: CallOptions) => {
    const passedOver = () => seen.of("fallback.skipped").filter(({ reason }) => reason === "breakerOpen").length;
    const before = passedOver();
    const result = await main("a", given);
    if (passedOver() > before) return "passed over";
    return result.ok ? `${result.value} by tier ${result.story.tier}` : "asked in vain";
  };
  return { ask, clock, copy };
}

describe("a tier with a cache, whose operation is not ready", () => {
  it("is taken for the tenant whose answer it has, and passed over for the others", async () => {
    const { ask, copy } = await copyOf([{ tenant: "A" }]);
    expect(await copy("a", { labels: { tenant: "A" } })).toBe("known");
    expect(await ask({ labels: { tenant: "A" } })).toBe("known by tier 1");
    expect(await ask({ labels: { tenant: "B" } })).toBe("passed over");
    expect(await ask({})).toBe("passed over");
  });

  it("an answer of no tenant makes it ready for none", async () => {
    const { ask } = await copyOf([undefined]);
    expect(await ask({})).toBe("known by tier 1");
    expect(await ask({ labels: { tenant: "A" } })).toBe("passed over");
  });

  it("one that tenants share makes it ready for all", async () => {
    const { ask } = await copyOf([{ tenant: "A" }], { tenants: "shared" });
    expect(await ask({ labels: { tenant: "B" } })).toBe("known by tier 1");
    expect(await ask({})).toBe("known by tier 1");
  });

  it("has only what the caller accepts", async () => {
    const { ask, clock } = await copyOf([undefined], { staleOnError: "1h" });
    expect(await ask({ accept: "fresh" })).toBe("known by tier 1");
    expect(await ask({ accept: "uncached" })).toBe("passed over");
    await clock.advance("2m");
    expect(await ask({ accept: "fresh" })).toBe("passed over");
    expect(await ask({})).toBe("known by tier 1");
  });
});

it("a `ready` of one's own is given the input and nothing else", async () => {
  setup();
  const given: unknown[][] = [];
  const layer = {
    bracket: {
      ready(...all: unknown[]) {
        given.push(all);
        return 0;
      },
    },
  };
  const own = defineWrapper("own", z.undefined(), undefined, () => layer);
  const copy: Operation<string, number> = pipe(async (_: string) => 1, own);
  expect(
    await protect("main", async (_: string): Promise<number> => Promise.reject(down), { fallback: [copy] })("a"),
  ).toBe(1);
  expect(given).toEqual([["a"]]);
});

// Fair shares between tenants beside one that floods: of the places alone, and of a bulkhead with a queue.
import { LoadShedError, protect, shed } from "holdfast";
import { reset } from "holdfast/testing";
import { afterEach, describe, expect, it } from "vitest";
import { Queue } from "../../src/call/bulkhead/queue.ts";
import { crowd, service } from "./adaptive-setup.ts";
import { of, type Tenant, world } from "./shed-setup.ts";

const fairBy = ({ tenant }: Tenant) => tenant;
const [ms, places, warm, until] = [50, 10, 3_000, 18_000];

afterEach(() => reset());

/** By tenant, where each offers so many times the capacity: the share of the capacity it had, and of its calls that was refused. */
async function shares(loads: readonly number[], queue: number, spread: "constant" | "exponential" = "exponential") {
  const { clock, events, random } = world();
  const other = service({ clock, random }, places, ms, spread);
  const call = protect("search", (_: Tenant) => other.operation(), {
    ...{ bulkhead: { concurrency: places, queue }, shed: { fairBy } },
    seams: { clock, events, random },
  });
  const capacity = (places * 1_000) / ms;
  const tenants = loads.map((load, i) => crowd({ clock, random }, call, load * capacity, undefined, of(`${i}`)));
  await clock.advance(until);
  const had = tenants.map((one) => one.served(warm) / ((capacity * (until - warm)) / 1_000));
  return { had, refused: tenants.map((one) => one.share(warm)), used: had.reduce((sum, one) => sum + one, 0) };
}

describe("beside a tenant that offers eight times the capacity", { timeout: 60_000 }, () => {
  it.each([
    [0, "exponential", 0.9],
    [0, "constant", 0.9],
    [10, "exponential", 0.97],
    [10, "constant", 0.97],
  ] as const)(
    "who offers more than a share has an equal one, by queue of %i and %s times",
    async (queue, spread, least) => {
      const { had, used } = await shares([8, 1, 1], queue, spread);
      for (const one of had) expect(one / (used / 3)).toBeGreaterThan(0.94);
      expect(used).toBeGreaterThan(least);
    },
  );

  it.each([
    [10, "exponential"],
    [10, "constant"],
    [20, "exponential"],
  ] as const)(
    "with a queue of %i who offers less than a share is next to never refused, and nothing is left idle: %s times",
    async (queue, spread) => {
      const { refused, used } = await shares([8, 0.2, 0.2], queue, spread);
      expect(Math.max(...refused.slice(1))).toBeLessThan(0.03);
      expect(used).toBeGreaterThan(0.97);
    },
  );

  it("with a longer queue that holds nearly up to the share, and beside two that flood", async () => {
    const near = await shares([8, 0.3, 0.1], 20);
    expect(Math.max(...near.refused.slice(1))).toBeLessThan(0.03);
    const two = await shares([8, 8, 0.2], 20);
    expect(two.refused[2]).toBeLessThan(0.03);
    expect(two.used).toBeGreaterThan(0.97);
  });

  it("without a queue it is chance and the places kept that decide: who comes now and then is served", async () => {
    const { refused, used } = await shares([8, 0.05, 0.05], 0);
    expect(Math.max(...refused.slice(1))).toBeLessThan(0.04);
    expect(used).toBeGreaterThan(0.76);
    const more = await shares([8, 0.2, 0.2], 0);
    expect(Math.max(...more.refused.slice(1))).toBeLessThan(0.14);
  });
});

describe("a bulkhead's queue inside load shedding that tells tenants apart", () => {
  function setup(queue: number) {
    const { clock, events, random } = world();
    const order: string[] = [];
    const ends: (() => void)[] = [];
    const call = protect(
      "search",
      ({ tenant }: Tenant) => {
        order.push(tenant);
        return new Promise<void>((resolve) => ends.push(resolve));
      },
      {
        ...{ bulkhead: { concurrency: 1, queue }, shed: shed<Tenant>({ fairBy }) },
        seams: { clock, events, random },
      },
    );
    const come = (tenant: string) =>
      call(of(tenant)).then(
        () => "served",
        (error) => (error instanceof LoadShedError ? error.why : error.reason),
      );
    return {
      ...{ call, clock, come },
      async served() {
        for (let i = 0; i < 20; i++) {
          ends.shift()?.();
          await clock.advance(1);
        }
        return order.join("");
      },
    };
  }

  it("lets them in by turns, each in its own order", async () => {
    const { come, served } = setup(9);
    for (const tenant of "aaaabbc") come(tenant);
    expect(await served()).toBe("aabcaba");
  });

  it("where it is full, the last of the tenant with most under way makes room for one with less, and its next is refused", async () => {
    const { come, served } = setup(3);
    const a = [come("a"), come("a"), come("a"), come("a")];
    const b = come("b");
    const c = come("c");
    const more = come("a");
    expect(await served()).toBe("aabc");
    expect(await Promise.all([...a, b, c, more])).toEqual([
      ...["served", "served", "fairness", "fairness"],
      ...["served", "served", "fairness"],
    ]);
  });

  it("says so to whom it turns away", async () => {
    const { call, clock } = setup(2);
    const waits = [call(of("a")), call(of("a")), call(of("a"))].map((one) => one.catch((error) => error));
    call(of("b"));
    await clock.advance(1);
    const error = await waits[2];
    expect(error).toMatchObject({ code: "BULKHEAD_FULL", reason: "fairness" });
    expect(error.message).toBe(
      '"search" was not called: a tenant that has less under way took its place in the queue of its bulkhead (1 running, 1 allowed, 2 waiting). Send less at once for this tenant, or raise its `concurrency` or `queue`.',
    );
  });

  it("alone a tenant has all of it", async () => {
    const { come, served } = setup(3);
    const ends = ["a", "a", "a", "a", "a"].map(come);
    expect(await served()).toBe("aaaa");
    expect(await Promise.all(ends)).toEqual(["served", "served", "served", "served", "limit"]);
  });
});

describe("turns", () => {
  it("go on with the next tenant when a line is empty, whoever leaves (against a model)", () => {
    const tenants = [..."abc"].map((name) => ({
      name,
      among: { leave() {} },
      running: 0,
      seenAt: 0,
      used: 0,
      usedAt: 0,
    }));
    type One = {
      rank: number;
      tenant: (typeof tenants)[number] | undefined;
      n: number;
      ahead: One | null;
      behind: One | null;
    };
    const queue = new Queue<One>();
    const all: One[] = [];
    const { random } = world(7);
    for (let n = 0; n < 5_000; n++) {
      const pick = random();
      if (pick < 0.5) {
        const one: One = {
          ...{ rank: 1, tenant: [...tenants, undefined][Math.floor(random() * 4)], n, ahead: null, behind: null },
        };
        queue.add(one);
        all.push(one);
      } else if (all.length > 0) {
        const one = pick < 0.8 ? queue.first : all[Math.floor(random() * all.length)];
        if (one === undefined) continue;
        // of its tenant nobody came before the one that is first
        if (pick < 0.8) expect(all.find(({ tenant }) => tenant === one.tenant)).toBe(one);
        queue.remove(one);
        all.splice(all.indexOf(one), 1);
      }
      expect(queue.size).toBe(all.length);
    }
    // each that waits has its turn before any has two
    const turns: (string | undefined)[] = [];
    const waiting = new Set(all.map(({ tenant }) => tenant?.name)).size;
    for (let i = 0; i < waiting; i++) turns.push(queue.takeFirst()?.tenant?.name);
    expect(new Set(turns).size).toBe(waiting);
  });
});

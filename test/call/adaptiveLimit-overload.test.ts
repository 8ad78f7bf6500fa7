// What answers such as a 503 do to a limit that is found out: where they come of too much, where they do not, and when they are over.
import { configure, pipe, protect } from "holdfast";
import { describe, expect, it } from "vitest";
import { crowd, type Heard, setup, type World } from "./adaptive-setup.ts";

const tooMuch = () => Object.assign(new Error("overloaded"), { status: 503 });

/** Serves so many at once in 100 ms; answers what is more, and a share of all, with a 503 after `dropMs`. */
function server({ clock, random }: World, { places = 1_000, share = 0, dropMs = 5 }) {
  const own = { places, share, busy: 0, most: 0, dropped: 0, operation };
  async function operation() {
    if (own.busy >= own.places || random() < own.share) {
      own.dropped++;
      await clock.sleep(dropMs);
      throw tooMuch();
    }
    own.busy++;
    await clock.sleep(100);
    own.busy--;
  }
  return own;
}

/** Of the calls since then, the share that the limit refused. */
function refused({ all }: { all: readonly Heard[] }, since: number): number {
  const calls = all.filter(({ at }) => at >= since);
  return (
    calls.filter(({ error }) => (error as { code?: string } | undefined)?.code === "LOAD_SHED").length / calls.length
  );
}

describe("503 that fewer calls make no fewer", { timeout: 60_000 }, () => {
  it.each([
    [0.04, 100, 0.01],
    [0.1, 100, 0.06],
    [0.1, 1_000, 0.06],
    [0.3, 100, 0.12],
  ])(
    "as of one bad instance of several, a share of %d at %d a second: hardly anybody is refused for them",
    async (share, perSecond, atMost) => {
      const world = setup();
      const other = server(world, { share: 0 });
      const calls = crowd(world, world.limit(other.operation), perSecond);
      await world.clock.advance("20s");
      other.share = share;
      await world.clock.advance("60s");
      expect(refused(calls, 20_000)).toBeLessThan(atMost);
    },
  );

  it("hide no overload that comes beside them", async () => {
    const world = setup();
    const other = server(world, { share: 0.1 });
    crowd(world, world.limit(other.operation), 300);
    await world.clock.advance("60s");
    other.places = 10;
    await world.clock.advance("10s");
    const before = other.dropped;
    await world.clock.advance("20s");
    expect(world.limit.limit).toBeLessThanOrEqual(15);
    expect((other.dropped - before) / 20).toBeLessThan(100); // of 200 that come and are too many
  });
});

describe("503 beyond so many at once", { timeout: 60_000 }, () => {
  it.each([
    ["at once", 0, 1_000],
    ["at once, at a mild overload", 0, 150],
    ["after 5 ms", 5, 1_000],
    ["as late as an answer", 100, 1_000],
  ])("%s: the limit is held at about so many", async (_, dropMs, perSecond) => {
    const world = setup();
    const other = server(world, { places: 10, dropMs });
    const calls = crowd(world, world.limit(other.operation), perSecond);
    await world.clock.advance("10s");
    let [least, most] = [Number.POSITIVE_INFINITY, 0];
    for (let second = 0; second < 20; second++) {
      await world.clock.advance("1s");
      least = Math.min(least, world.limit.limit);
      most = Math.max(most, world.limit.limit);
    }
    expect(most).toBeLessThanOrEqual(15);
    expect(least).toBeGreaterThanOrEqual(6);
    expect(calls.served(10_000) / 2_000).toBeGreaterThan(0.75);
  });

  it("are found where there are suddenly far fewer places", async () => {
    const world = setup();
    const other = server(world, { places: 100, dropMs: 0 });
    crowd(world, world.limit(other.operation), 1_000);
    await world.clock.advance("10s");
    other.places = 10;
    await world.clock.advance("5s");
    expect(world.limit.limit).toBeLessThanOrEqual(15);
  });
});

describe("after an outage in which all was a 503", { timeout: 60_000 }, () => {
  it.each([
    [100, 5_000],
    [100, 1_000],
    [100, 30_000],
    [1_000, 5_000],
  ])("the limit is at its floor, and soon back: %d a second, after %d ms", async (perSecond, ms) => {
    const world = setup();
    const other = server(world, {});
    const calls = crowd(world, world.limit(other.operation), perSecond);
    await world.clock.advance("10s");
    other.share = 1;
    await world.clock.advance(ms);
    expect(world.limit.limit).toBeLessThanOrEqual(2);
    other.share = 0;
    await world.clock.advance("3s");
    const back = world.clock.monotonic();
    await world.clock.advance("5s");
    expect(calls.share(back)).toBeLessThan(0.1);
  });

  it("likewise with a breaker in front, from when that is closed", async () => {
    const world = setup();
    const { clock, events, random, limit } = world;
    const other = server(world, {});
    const call = protect("search", other.operation, {
      adaptiveLimit: limit,
      breaker: {},
      seams: { clock, events, random },
    });
    const calls = crowd(world, call, 100);
    await clock.advance("10s");
    other.share = 1;
    await clock.advance("30s");
    other.share = 0;
    let closedAt = Number.NaN;
    events.on("breaker.closed", () => {
      closedAt = clock.monotonic();
    });
    await clock.advance("60s");
    expect(calls.share(closedAt + 3_000)).toBeLessThan(0.02);
  });

  it("leaves a floor of one by itself, where it was never higher", async () => {
    const world = setup({ max: 1 });
    const other = server(world, {});
    const call = pipe(other.operation, world.limit);
    const calls = crowd(world, call, 100);
    await world.clock.advance("5s");
    configure(call, { adaptiveLimit: { max: 1_000 } });
    await world.clock.advance("4s");
    const since = world.clock.monotonic();
    await world.clock.advance("3s");
    expect(calls.share(since)).toBeLessThan(0.1);
  });
});

// A limit that is found out, before services of known capacity: field/call.md › adaptive concurrency.
import { describe, expect, it } from "vitest";
import { crowd, said, service, setup } from "./adaptive-setup.ts";

describe("under an overload of ten times the capacity", { timeout: 60_000 }, () => {
  it.each([
    { slots: 4, ms: 50 },
    { slots: 10, ms: 100 },
    { slots: 20, ms: 100 },
    { slots: 50, ms: 100 },
  ])(
    "%o: the other side is busy, and nobody waits there for longer than it takes to be served",
    async ({ slots, ms }) => {
      const world = setup({ reserve: { critical: 0.1 } });
      const other = service(world, slots, ms);
      const call = world.limit(other.operation);
      const perSecond = (slots / ms) * 1_000;
      crowd(world, call, 9.5 * perSecond);
      const critical = crowd(world, call, 0.5 * perSecond, said("critical"));
      await world.clock.advance("3s");
      const before = other.served;
      await world.clock.advance("6s");
      expect((other.served - before) / (6 * perSecond)).toBeGreaterThan(0.95);
      expect(critical.within(0.99, 3_000)).toBeLessThanOrEqual(2 * ms);
    },
  );

  it("keeps it nearly so busy also where no two take the same time, whatever chance makes of it", async () => {
    const shares = [];
    for (const seed of [1, 2, 3, 4]) {
      const world = setup({ reserve: { critical: 0.1 } }, seed);
      const other = service(world, 20, 50, "exponential");
      const call = world.limit(other.operation);
      crowd(world, call, 3_800);
      const critical = crowd(world, call, 200, said("critical"));
      await world.clock.advance("5s");
      const before = other.served;
      await world.clock.advance("30s");
      shares.push((other.served - before) / 12_000);
      expect(critical.within(0.99, 5_000)).toBeLessThanOrEqual(1.2 * 50 * Math.log(100)); // alone: 50 ms × ln 100
    }
    expect(Math.min(...shares)).toBeGreaterThan(0.87);
    expect(shares.reduce((sum, share) => sum + share, 0) / shares.length).toBeGreaterThan(0.95);
  });
});

describe("the limit", { timeout: 60_000 }, () => {
  it("does not creep up under steady modest overload, for however long", async () => {
    const world = setup();
    const other = service(world, 10, 100);
    crowd(world, world.limit(other.operation), 130);
    const found: number[] = [];
    for (let minute = 0; minute < 5; minute++) {
      await world.clock.advance("1m");
      found.push(world.limit.limit);
    }
    expect(Math.max(...found)).toBeLessThanOrEqual(20);
    expect(Math.min(...found)).toBeGreaterThanOrEqual(11);
  });

  it("leaves its floor after a lasting rise of the base latency: the baseline is measured anew", async () => {
    const world = setup();
    const other = service(world, 20, 50);
    crowd(world, world.limit(other.operation), 1_500);
    await world.clock.advance("5s");
    other.ms = 150;
    await world.clock.advance("8s");
    const before = other.served;
    await world.clock.advance("10s");
    expect(world.limit.limit).toBeGreaterThan(20);
    expect((other.served - before) / ((20 / 150) * 10_000)).toBeGreaterThan(0.95);
  });

  it("falls once for one rise of the latency, and not again by what it took at the limit of before", async () => {
    const world = setup();
    const other = service(world, 40, 50);
    crowd(world, world.limit(other.operation), 3_000);
    await world.clock.advance("5s");
    other.ms = 150;
    const before = other.served;
    await world.clock.advance("4s");
    expect((other.served - before) / ((40 / 150) * 4_000)).toBeGreaterThan(0.77);
  });

  it("follows a service that has become smaller, and larger again", async () => {
    const world = setup();
    const other = service(world, 40, 50);
    crowd(world, world.limit(other.operation), 3_000);
    await world.clock.advance("5s");
    other.slots = 10;
    await world.clock.advance("5s");
    expect(world.limit.limit).toBeLessThanOrEqual(20);
    other.slots = 40;
    await world.clock.advance("8s");
    expect(world.limit.limit).toBeGreaterThan(40);
  });

  it("reaches a concurrency of 400 from cold in ten steps", async () => {
    const world = setup();
    const other = service(world, 400, 100);
    crowd(world, world.limit(other.operation), 8_000);
    await world.clock.advance("3s");
    expect(world.limit.limit).toBeGreaterThan(400);
    expect(world.seen.of("limit.changed").length).toBeLessThanOrEqual(10);
  });

  it("does not rise while it is not used", async () => {
    const world = setup();
    const other = service(world, 1_000, 100);
    crowd(world, world.limit(other.operation), 30);
    await world.clock.advance("60s");
    expect([world.limit.limit, world.seen.of("limit.changed")]).toEqual([10, []]);
  });
});

describe("the base latency", { timeout: 60_000 }, () => {
  it("does not climb from window to window under lasting load: what began before a window is no sample of it", async () => {
    const world = setup();
    const other = service(world, 10, 100);
    const call = world.limit(other.operation);
    crowd(world, call, 300);
    const found: number[] = [];
    for (let minute = 0; minute < 5; minute++) {
      await world.clock.advance("30s");
      found.push(world.limit.limit);
    }
    expect(Math.max(...found)).toBeLessThanOrEqual(18);
    expect(other.most).toBeLessThanOrEqual(20);
  });
});

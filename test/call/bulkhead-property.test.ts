// What holds of a bulkhead whatever comes: random arrivals, criticalities, aborts, limits of time, late settlements, changes.
import fc from "fast-check";
import { type Criticality, configure, eventBus, named, pipe, retry, timeout } from "holdfast";
import { testClock } from "holdfast/testing";
import { expect, it } from "vitest";
import type { Places } from "../../src/call/bulkhead/places.ts";
import { bulkhead } from "../../src/call/bulkhead.ts";
import { explain } from "../../src/core/explain.ts";
import { specOf } from "../../src/core/wrapper.ts";

const ms = fc.integer({ min: 1, max: 60 });
const arrival = fc.record({
  after: fc.integer({ min: 0, max: 25 }),
  takes: ms,
  fails: fc.boolean(),
  criticality: fc.constantFrom<Criticality | undefined>("critical", "normal", "sheddable", "background", undefined),
  abortAfter: fc.option(ms, { nil: undefined }),
  deadline: fc.option(ms, { nil: undefined }),
});
const options = fc
  .record({
    concurrency: fc.integer({ min: 1, max: 4 }),
    queue: fc.integer({ min: 0, max: 5 }),
    queueTimeout: fc.option(ms, { nil: undefined }),
  })
  .map((given) => (given.queue > 0 ? given : { ...given, queueTimeout: undefined }));

it("runs no more than allowed to their true ends, answers everyone once, lets the more critical go first, and in the end its capacity is whole", async () => {
  await fc.assert(
    fc.asyncProperty(
      options,
      fc.array(arrival, { minLength: 1, maxLength: 40 }),
      fc.option(ms, { nil: undefined }),
      fc.boolean(),
      async (given, arrivals, limit, again) => {
        const clock = testClock();
        const seams = { clock, events: eventBus(), random: () => 0.5 };
        const places = bulkhead(given, seams);
        const seen = { running: 0, most: 0, without: false };
        const operation = named("work", async ({ takes, fails }: { takes: number; fails: boolean }) => {
          seen.most = Math.max(seen.most, ++seen.running);
          seen.without ||= places.running < seen.running;
          await clock.sleep(takes); // whatever becomes of its caller
          seen.running--;
          if (fails) throw new Error("failed");
        });
        const timed = limit === undefined ? operation : pipe(operation, timeout(limit, seams));
        const inPlace = places(timed);
        const call = again ? pipe(inPlace, retry({ attempts: 2, base: 5, jitter: "none" }, seams)) : inPlace;
        const answers = new Map<number, number>();
        for (const [i, { after, abortAfter, ...said }] of arrivals.entries()) {
          await clock.advance(after);
          const controller = new AbortController();
          const options = { signal: controller.signal, criticality: said.criticality, deadline: said.deadline };
          const settles = () => answers.set(i, (answers.get(i) ?? 0) + 1);
          call(said, options).then(settles, settles);
          if (abortAfter !== undefined) void clock.sleep(abortAfter).then(() => controller.abort("gone"));
          expect(places.running).toBeLessThanOrEqual(given.concurrency);
          expect(places.queued).toBeLessThanOrEqual(given.queue);
          // who waits does so because nothing is free
          if (places.queued > 0) expect(places.running).toBe(given.concurrency);
        }
        await clock.advance("10s");
        expect([...answers.values()]).toEqual(arrivals.map(() => 1));
        expect(seen.most).toBeLessThanOrEqual(given.concurrency);
        expect(seen.without).toBe(false);
        expect(explain(places(operation))[0]?.state).toEqual({ running: 0, queued: 0, abandoned: 0 });
        expect(clock.sleepers).toBe(0);
        const permits = Array.from({ length: given.concurrency }, () => places.acquire());
        expect([permits.every((permit) => permit !== undefined), places.acquire()]).toEqual([true, undefined]);
      },
    ),
    { numRuns: 60 },
  );
});

it("the more critical never waits behind the less critical, and of equals the first comes first", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(arrival, { minLength: 1, maxLength: 30 }), async (arrivals) => {
      const clock = testClock();
      const seams = { clock, events: eventBus() };
      const places = bulkhead({ concurrency: 1, queue: 100 }, seams);
      const started: number[] = [];
      const call = places(
        named("work", async (i: number) => {
          started.push(i);
          await clock.sleep(1);
        }),
      );
      const permit = places.acquire();
      for (const [i, { criticality }] of arrivals.entries()) void call(i, { criticality });
      permit?.done({ ok: true, value: undefined });
      await clock.advance("1s");
      const rank = (i: number) =>
        ["critical", "normal", "sheddable", "background"].indexOf(arrivals[i]?.criticality ?? "normal");
      expect(started).toEqual(arrivals.map((_, i) => i).toSorted((a, b) => rank(a) - rank(b) || a - b));
    }),
    { numRuns: 50 },
  );
});

it("keeps all of that while its settings are changed and operations are abandoned", async () => {
  const change = fc.record({ concurrency: fc.integer({ min: 1, max: 4 }), queue: fc.integer({ min: 0, max: 5 }) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(arrival, fc.option(change, { nil: undefined })), { minLength: 1, maxLength: 30 }),
      ms,
      async (steps, abandonAfter) => {
        const clock = testClock();
        const seams = { clock, events: eventBus() };
        const places = bulkhead({ concurrency: 2, queue: 2, abandonAfter }, seams);
        const { layer } = specOf(places) as never as { layer: { bracket: { places: Places } } };
        const held = layer.bracket.places;
        const call = places(named("work", async ({ takes }: { takes: number }) => clock.sleep(takes)));
        const answers = new Map<number, number>();
        let most = 2;
        for (const [i, [{ after, takes, criticality, deadline }, change]] of steps.entries()) {
          await clock.advance(after);
          if (change !== undefined) {
            most = Math.max(most, change.concurrency);
            configure(call, { bulkhead: change });
          }
          const settles = () => answers.set(i, (answers.get(i) ?? 0) + 1);
          call({ takes }, { criticality, deadline }).then(settles, settles);
          const { running, queued, abandoned } = held;
          expect([running >= 0, running <= most, abandoned >= 0]).toEqual([true, true, true]);
          if (queued > 0) expect(running).toBeGreaterThanOrEqual(held.settings.concurrency);
        }
        await clock.advance("10s");
        expect([...answers.values()]).toEqual(steps.map(() => 1));
        expect(held).toMatchObject({ running: 0, queued: 0, abandoned: 0 });
        expect(clock.sleepers).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});

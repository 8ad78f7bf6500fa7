// What holds of a budget whatever comes: attempts stay within calls, their share, and the minimum.
import fc from "fast-check";
import { budget, eventBus, pipe, protect, retry } from "holdfast";
import { testClock } from "holdfast/testing";
import { expect, it } from "vitest";

const arrival = fc.record({
  after: fc.integer({ min: 0, max: 3_000 }),
  at: fc.integer({ min: 0, max: 2 }),
  takes: fc.integer({ min: 0, max: 5_000 }),
  fails: fc.constantFrom(0, 0, 1, 2, 9),
  deadline: fc.option(fc.integer({ min: 1, max: 4_000 }), { nil: undefined }),
});

it("attempts are at most (1 + share) × calls and the minimum, in all and from any moment on", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(0, 0.1, 0.25, 1),
      fc.constantFrom(0, 0.5, 2),
      fc.integer({ min: 1, max: 6 }),
      fc.array(arrival, { minLength: 1, maxLength: 60 }),
      async (share, perSecond, attempts, arrivals) => {
        const clock = testClock();
        const seams = { clock, events: eventBus(), random: () => 0.5 };
        const spare = budget({ share, perSecond }, seams);
        const begun: number[] = [];
        const called: number[] = [];
        const operation = async ({ takes, fails, no }: { takes: number; fails: number; no: number }) => {
          begun.push(clock.monotonic());
          tries[no] = (tries[no] ?? 0) + 1;
          await clock.sleep(takes);
          if (tries[no]! <= fails) throw Object.assign(new Error("down"), { status: 500 });
        };
        const tries: number[] = [];
        const calls = [
          pipe(operation, retry({ attempts, budget: spare, base: 100 }, seams)),
          protect("b", operation, { retry: { attempts, base: 500 }, budget: spare, seams }),
          protect("c", operation, {
            retry: { attempts, base: 0, budget: spare },
            budget: spare,
            timeout: 1_000,
            seams,
          }),
        ] as const;
        const ended = arrivals.map(() => false);
        for (const [no, { after, at, takes, fails, deadline }] of arrivals.entries()) {
          await clock.advance(after);
          called.push(clock.monotonic());
          const settles = () => {
            ended[no] = true;
          };
          calls[at]!({ takes, fails, no }, { deadline }).then(settles, settles);
          expect(spare.left).toBeGreaterThanOrEqual(0);
        }
        await clock.advance("2m");
        expect(ended).toEqual(arrivals.map(() => true));
        const minimum = (from: number, to: number) =>
          perSecond === 0 ? 0 : Math.max(1, perSecond * 10) + (perSecond * (to - from)) / 1_000;
        const last = begun.at(-1) ?? 0;
        expect(begun.length).toBeLessThanOrEqual((1 + share) * called.length + minimum(0, last) + 1e-6);
        // the same from any moment on: nothing is saved up for longer than ten seconds; a call brings its share when it is answered
        for (const from of called) {
          const tried = begun.filter((when) => when >= from).length;
          const paid = called.filter((when) => when >= from - 10_000 - 6_000 * attempts).length;
          const firsts = called.filter((when) => when >= from).length;
          expect(tried).toBeLessThanOrEqual(firsts + share * paid + minimum(from, last) + 1e-6);
        }
        expect(clock.sleepers).toBe(0);
      },
    ),
    { numRuns: 100 },
  );
});

it("under an outage attempts rise by at most the share, however many callers retry and how often", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(0.05, 0.1, 0.2),
      fc.integer({ min: 2, max: 12 }),
      fc.integer({ min: 5, max: 60 }),
      async (share, attempts, perTick) => {
        const clock = testClock();
        const seams = { clock, events: eventBus(), random: () => 0.5 };
        const spare = budget({ share, perSecond: 1 }, seams);
        let tries = 0;
        const down = pipe(
          async () => {
            tries++;
            throw Object.assign(new Error("down"), { status: 500 });
          },
          retry({ attempts, base: 10, cap: 1_000, budget: spare }, seams),
        );
        let calls = 0;
        for (let tick = 0; tick < 100; tick++) {
          for (let i = 0; i < perTick; i++, calls++) void down().catch(() => {});
          await clock.advance(100);
        }
        await clock.advance("1m");
        expect(tries).toBeLessThanOrEqual(calls * (1 + share) + 10 + 10 + 1);
        expect(tries).toBeGreaterThan(calls * (1 + share) * 0.98);
      },
    ),
    { numRuns: 15 },
  );
});

// Whatever comes in whatever order: arrivals, aborts, deadlines, answers, failures, evictions and time.
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  type CallContext,
  type CallOptions,
  cache,
  eventBus,
  HoldfastError,
  pipe,
  protect,
  settled,
} from "../../src/index.ts";
import { seams, testClock } from "../../src/testing/index.ts";
import { down, status } from "./cache-setup.ts";

const [ttl, staleOnError, whileRevalidating] = [100, 400, 200];

interface Running {
  readonly key: string;
  readonly context: CallContext;
  settle(how: "answer" | "fail" | "deny"): void;
}
interface Asked {
  readonly key: string;
  readonly at: number;
  readonly dueAt: number;
  readonly accept: CallOptions["accept"];
  readonly gone: AbortController;
  readonly settlements: { at: number; ok: boolean; given: unknown; reason: string | undefined }[];
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("ask" as const),
      key: fc.constantFrom("a", "b", "c"),
      deadline: fc.option(fc.integer({ min: 1, max: 300 })),
      accept: fc.constantFrom("any" as const, "any" as const, "fresh" as const, "uncached" as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("settle" as const),
      which: fc.nat(20),
      how: fc.constantFrom("answer" as const, "answer" as const, "fail" as const, "deny" as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("abort" as const), which: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("time" as const), ms: fc.integer({ min: 1, max: 250 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("delete" as const), key: fc.constantFrom("a", "b") }) },
);

function world(patience: number | undefined, watched: boolean) {
  const clock = testClock();
  const events = eventBus();
  if (watched) events.onAny(() => {});
  const restore = seams({ clock, events });
  const running = new Set<Running>();
  const asked: Asked[] = [];
  const deletions: { key: string; at: number }[] = [];
  const answers = cache<string>({ ttl, staleOnError, whileRevalidating, patience, max: 2, key: (key) => key });
  const operation = (key: string, context: CallContext) =>
    new Promise<{ key: string; at: number }>((resolve, reject) => {
      const run: Running = {
        key,
        context,
        settle(how) {
          running.delete(run);
          if (how === "answer") resolve({ key, at: clock.monotonic() });
          else reject(how === "fail" ? down : status(404));
        },
      };
      running.add(run);
    });
  const call = settled(
    patience === undefined ? pipe(operation, answers) : protect("x", operation, { cache: answers, deadline: 1_000 }),
  );
  return { clock, restore, running, asked, deletions, answers, call };
}

it("at most one flight a key, each sharer settles once and by its own deadline, and nothing is older than allowed", async () => {
  const unheard: unknown[] = [];
  const note = (error: unknown) => void unheard.push(error);
  process.on("unhandledRejection", note);
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 60, size: "max" }),
      fc.option(fc.constantFrom(30, 150), { nil: undefined }),
      fc.boolean(),
      async (steps, patience, watched) => {
        const { clock, restore, running, asked, deletions, answers, call } = world(patience, watched);
        try {
          for (const one of steps) {
            const now = clock.monotonic();
            if (one.kind === "ask") {
              const { key, accept, deadline } = one;
              const own: Asked = {
                key,
                accept,
                at: now,
                dueAt: now + (deadline ?? Number.POSITIVE_INFINITY),
                gone: new AbortController(),
                settlements: [],
              };
              asked.push(own);
              const options = { accept, signal: own.gone.signal, ...(deadline !== null && { deadline }) };
              call(key, options).then((ended) =>
                own.settlements.push({
                  at: clock.monotonic(),
                  ok: ended.ok,
                  given: ended.ok ? ended.value : ended.error,
                  reason: ended.story.degraded?.reason,
                }),
              );
            } else if (one.kind === "settle") {
              const runs = [...running];
              if (runs.length > 0) runs[one.which % runs.length]?.settle(one.how);
            } else if (one.kind === "abort") {
              if (asked.length > 0) asked[one.which % asked.length]?.gone.abort("gone");
            } else if (one.kind === "delete") {
              answers.delete(one.key);
              deletions.push({ key: one.key, at: now });
            } else await clock.advance(one.ms);
            await clock.advance(0);
            flightsAreWanted(running, asked, deletions);
          }
          await clock.advance(2_000);
          for (const run of [...running]) run.settle("answer");
          await clock.advance(2_000);
          for (const one of asked) settledRightly(one);
          expect(clock.sleepers).toBe(0);
        } finally {
          restore[Symbol.dispose]();
        }
      },
    ),
    { numRuns: 300 },
  );
  process.off("unhandledRejection", note);
  expect(unheard).toEqual([]);
});

/** Of what is not aborted, one a key; a second only beside one that began before the key was deleted, or for who wants none of the cache. */
function flightsAreWanted(
  running: ReadonlySet<Running>,
  asked: readonly Asked[],
  deletions: readonly { key: string; at: number }[],
): void {
  for (const key of ["a", "b", "c"]) {
    const live = [...running].filter((run) => run.key === key && !run.context.signal.aborted);
    const shared = live.filter(({ context }) => context.accept !== "uncached");
    if (!deletions.some((one) => one.key === key)) expect(shared.length).toBeLessThanOrEqual(1);
    const waiting = asked.filter((one) => one.key === key && one.settlements.length === 0);
    // nobody waits for it: then it is a refresh, or it has been told to stop
    for (const { context } of live) if (waiting.length === 0) expect(context.criticality).toBe("background");
    if (waiting.length > 0) expect(live.length).toBeGreaterThan(0);
  }
}

function settledRightly({ key, at, dueAt, accept, gone, settlements }: Asked): void {
  if (settlements.length === 0) throw new Error(`a call for "${key}" of ${at} never settled`);
  expect(settlements).toHaveLength(1);
  const [{ at: when, ok, given, reason }] = settlements as [Asked["settlements"][0]];
  expect(when).toBeLessThanOrEqual(dueAt);
  if (ok) {
    const value = given as { key: string; at: number };
    expect(value.key).toBe(key);
    const stale = reason === undefined ? 0 : reason === "stale" || reason === "slow" ? whileRevalidating : staleOnError;
    const oldest = accept === "uncached" ? 0 : accept === "fresh" ? ttl : ttl + stale;
    expect(when - value.at).toBeLessThanOrEqual(oldest);
  } else if (given === "gone") expect(gone.signal.aborted).toBe(true);
  else if (HoldfastError.is(given, "DEADLINE_EXCEEDED"))
    expect(when).toBeGreaterThanOrEqual(Math.min(dueAt, at + 1_000));
  else expect((given as { status: number }).status).toBeGreaterThan(0);
}

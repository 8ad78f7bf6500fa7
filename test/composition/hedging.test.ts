// A hedge among other layers: whatever stands inside it or outside it, the first good answer is the answer, once.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { bulkhead, gate, hedge, named, pipe, protect, retry, settled, timeout } from "../../src/index.ts";
import { type Answer, script } from "../../src/testing/index.ts";
import { moments, outcome, setup } from "./setup.ts";

const down = Object.assign(new Error("down"), { status: 503 });
const slow: Answer<string> = { value: "slow", after: 500 };

describe("a hedge and what is inside it", () => {
  it("a retry inside is the first run's own: it goes on no more once it has lost", async () => {
    const { clock } = setup();
    const operation = script<string>({ error: down, after: 90 }, { value: "hedged", after: 20 }, { value: "late" });
    const call = pipe(named("call", operation), retry({ base: 1_000, jitter: "none" }), hedge({ after: 100 }));
    const answer = outcome(call(undefined));
    await clock.advance(120);
    expect(await answer).toEqual({ value: "hedged" });
    await clock.advance("1m");
    expect(operation.calls.length).toBe(2);
  });

  it("a hedge inside a hedge: each has its own runs, and one answer ends them all", async () => {
    const { clock } = setup();
    const operation = script<string>(slow, slow, slow, { value: "fourth", after: 10 });
    const call = pipe(named("call", operation), hedge({ after: 100 }), hedge({ after: 150 }));
    const answer = outcome(call(undefined));
    await clock.advance(260);
    expect(await answer).toEqual({ value: "fourth" });
    expect(operation.calls.map(({ context }) => context.signal.aborted)).toEqual([true, true, true, false]);
  });

  it("a time-out inside ends one run, and spares those beside it", async () => {
    const { clock } = setup();
    const operation = script<string>("never", { value: "hedged", after: 150 });
    const call = pipe(named("call", operation), timeout(200), hedge({ after: 100 }));
    const answer = outcome(call(undefined));
    await clock.advance(200);
    expect(operation.calls.map(({ context }) => context.signal.aborted)).toEqual([true, false]);
    await clock.advance(50);
    expect(await answer).toEqual({ value: "hedged" });
  });

  it("a run that waits for a place leaves the queue when another has the answer", async () => {
    const { clock } = setup();
    const places = bulkhead({ concurrency: 1, queue: 5 });
    const other = script<string>({ value: "target", after: 10 });
    const operation = script<string>({ value: "queued" });
    const held = places.acquire();
    const call = pipe(named("call", operation), places, hedge({ after: 100, to: [other] }));
    const answer = outcome(call(undefined));
    await clock.advance(110);
    expect(await answer).toEqual({ value: "target" });
    held?.done({ ok: true, value: undefined });
    await clock.advance(10);
    expect(operation.calls.length).toBe(0);
    expect([places.running, places.queued]).toEqual([0, 0]);
  });

  it("an answer that is still being judged has lost when another is good, and is let go", async () => {
    const { clock } = setup();
    const dropped: unknown[] = [];
    const operation = script<{ n: number }>({ value: { n: 1 }, after: 90 }, { value: { n: 2 }, after: 10 });
    const judged = gate(z.object({ n: z.number() }), {
      checks: [async ({ n }) => (n === 1 ? clock.sleep(1_000).then(() => undefined) : undefined)],
    });
    const call = protect("call", pipe(operation, judged, hedge({ after: 100 })), {
      discard: (value) => void dropped.push(value),
    });
    const answer = outcome(call(undefined));
    await clock.advance(110);
    expect(await answer).toEqual({ value: { n: 2 } });
    await clock.advance("2s");
    expect(dropped).toEqual([{ n: 1 }]);
  });

  it("a failure that came as a value is let go when another run has the answer", async () => {
    const { clock } = setup();
    const failed = new Response("busy", { status: 503 });
    const operation = script<Response>({ value: failed, after: 10 }, { value: new Response("fine"), after: 10 });
    const answer = hedge({ after: 100 })(named("call", operation))(undefined);
    await clock.advance(20);
    expect(await (await answer).text()).toBe("fine");
    expect(failed.bodyUsed).toBe(true);
  });
});

describe("a hedge and what is outside it", () => {
  it("a time-out outside ends all runs", async () => {
    const { clock } = setup();
    const operation = script<string>("never", "never");
    const call = pipe(named("call", operation), hedge({ after: 100 }), timeout(200));
    const answer = outcome(call(undefined));
    await clock.advance(200);
    expect(await answer).toMatchObject({ error: { code: "TIMEOUT" } });
    expect(operation.calls.map(({ context }) => context.signal.aborted)).toEqual([true, true]);
  });

  it("a gate outside judges with a context that nothing has ended, of the attempt that gave the answer", async () => {
    const { clock } = setup();
    const seen: unknown[] = [];
    const judged = gate(z.string(), {
      checks: [(_, { attempt, signal }) => void seen.push([attempt, signal.aborted])],
    });
    const hedged = script<string>(slow, { value: "hedged", after: 10 });
    const first = outcome(pipe(named("call", hedged), hedge({ after: 100 }), judged)(undefined));
    await clock.advance(110);
    expect(await first).toEqual({ value: "hedged" });
    const retried = script<string>("never", { value: "retried", after: 10 });
    const rounds = pipe(named("call", retried), timeout(50), retry({ base: 1, jitter: "none" }), judged);
    const second = outcome(rounds(undefined));
    await clock.advance(61);
    expect(await second).toEqual({ value: "retried" });
    expect(seen).toEqual([
      [2, false],
      [2, false],
    ]);
  });

  it("an abort while a gate outside still judges ends it there", async () => {
    const { clock, caller } = setup();
    const reasons: unknown[] = [];
    const judged = gate(z.string(), {
      checks: [
        async (_, { signal }) => {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          reasons.push(signal.reason);
          return undefined;
        },
      ],
    });
    const operation = script<string>(slow, { value: "hedged", after: 10 });
    const controller = caller();
    const call = pipe(named("call", operation), hedge({ after: 100 }), judged);
    const answer = outcome(call(undefined, { signal: controller.signal }));
    await clock.advance(110);
    controller.abort("enough");
    await clock.advance(1);
    expect([await answer, reasons]).toEqual([{ error: "enough" }, ["enough"]]);
  });

  it("layers on both sides hear of one end each, the inner ones of each run", async () => {
    const { clock } = setup();
    const { bracket, log } = moments();
    const operation = script<string>(slow, { value: "hedged", after: 10 });
    const own = named("call", operation);
    const call = pipe(own, bracket("inside"), hedge({ after: 100 }), bracket("outside"));
    const answer = settled(call)(undefined);
    await clock.advance(110);
    expect(await answer).toMatchObject({ ok: true, value: "hedged" });
    await clock.advance("1s");
    expect(log.filter((line) => !line.endsWith("started"))).toEqual([
      ...["outside.before", "inside.before", "inside.before"],
      ...["inside.after ok", "inside.ended", "inside.after cancelled", "outside.after ok"],
      ...["inside.ended", "outside.ended"],
    ]);
  });
});

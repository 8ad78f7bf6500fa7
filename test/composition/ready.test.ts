// Design rule 10: a layer may say in how many ms it would admit, taking nothing; fallback skips and retry gives way by it.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type Bracket,
  breaker,
  defineWrapper,
  fallback,
  type Operation,
  pipe,
  protect,
  retry,
  settled,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup } from "./setup.ts";

const down = new Error("down");

function own(bracket: Bracket) {
  return defineWrapper("own", z.undefined(), undefined, () => ({ bracket }));
}

/** A layer that says so many ms, and notes what it was asked and whether it was entered. */
function saying(ms: number) {
  const asked: unknown[] = [];
  const entered: unknown[] = [];
  const layer = own({
    before({ input }) {
      entered.push(input);
      return input;
    },
    ready(input) {
      asked.push(input);
      return ms;
    },
  });
  return { asked, entered, layer };
}

function limited(retryAfterMs: number): Error {
  return Object.assign(new Error("slow down"), { status: 429, headers: { "retry-after-ms": String(retryAfterMs) } });
}

describe("a tier whose layer says that it would not admit", () => {
  it("is skipped uncalled, and the next one is asked; the bus is told", async () => {
    const { seen } = setup();
    const busy = saying(5_000);
    const operation = script<number>({ value: 1 });
    const tier = { name: "busy", operation: pipe(operation, busy.layer) };
    const call = protect("user", script<number>({ error: down }), { fallback: [tier, async () => 2] });
    expect(await call("ada")).toBe(2);
    expect([busy.asked, busy.entered, operation.calls]).toEqual([["ada"], [], []]);
    expect(seen.of("fallback.skipped")).toMatchObject([{ tier: "busy", reason: "breakerOpen" }]);
  });

  it("is a tier of its own where it is a protected call: that answers the largest of its layers", async () => {
    setup();
    const [no, longest, short] = [saying(0), saying(5_000), saying(10)];
    const inner = protect("copy", pipe(script<number>({ value: 1 }), short.layer, longest.layer, no.layer));
    const call = protect("user", script<number>({ error: down }), { fallback: [inner, async () => 2] });
    expect(await call("ada")).toBe(2);
    expect([no, longest, short].map(({ asked }) => asked.length)).toEqual([1, 1, 1]);
  });

  it("is asked about the input of the call", async () => {
    setup();
    const byTenant = own({ ready: (input) => (input === "busy tenant" ? 1_000 : 0) });
    const call = protect("user", async (_: string): Promise<number> => Promise.reject(down), {
      fallback: [pipe(async (_: string) => 1, byTenant)],
    });
    expect(await settled(call)("busy tenant")).toMatchObject({ ok: false, error: down });
    expect(await settled(call)("other")).toMatchObject({ ok: true, value: 1 });
  });

  it("leaves the call with its own failure when no other is left", async () => {
    setup();
    const call = protect("user", script<number>({ error: down }), {
      fallback: [pipe(script<number>({ value: 1 }), saying(1).layer)],
    });
    expect(await settled(call)(undefined)).toMatchObject({ ok: false, error: down, story: { state: "failed" } });
  });
});

describe("a tier that is ready", () => {
  it("is a bare function: 0", async () => {
    setup();
    expect(await protect("user", script<number>({ error: down }), { fallback: [async () => 2] })(undefined)).toBe(2);
  });

  it("is one whose layers say 0, or nothing", async () => {
    setup();
    const tier = pipe(async () => 2, saying(0).layer, own({}));
    expect(await protect("user", script<number>({ error: down }), { fallback: [tier] })(undefined)).toBe(2);
  });

  it("is one whose breaker is half-open with a free place: asking took none", async () => {
    const { clock } = setup();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "5s" });
    const tier = pipe(script<number>({ error: down }, { value: 2 }), circuit);
    const call = protect("user", script<number>({ error: down }, { error: down }), { fallback: [tier] });
    await settled(call)(undefined);
    expect(circuit.state.state).toBe("open");
    await clock.advance("5s");
    expect(await settled(call)(undefined)).toMatchObject({ ok: true, value: 2 });
    expect(circuit.state.state).toBe("closed");
  });

  it("is one whose open breaker only observes", async () => {
    setup();
    const circuit = breaker({ mode: "observe" });
    circuit.isolate();
    const tier = pipe(async () => 2, circuit);
    expect(await protect("user", script<number>({ error: down }), { fallback: [tier] })(undefined)).toBe(2);
  });
});

describe("retry gives way", () => {
  it("to a ready tier, where it would wait longer than `patience`", async () => {
    const { clock } = setup();
    const operation = script<number>({ error: limited(5_000) });
    const call = protect("user", operation, { retry: {}, fallback: [async () => 2] });
    const ended = settled(call)(undefined);
    await clock.advance(0);
    expect(await ended).toMatchObject({ ok: true, value: 2 });
    expect(operation.calls).toHaveLength(1);
  });

  it("not to a tier that is not ready: the hint is waited for", async () => {
    const { clock } = setup();
    const operation = script<number>({ error: limited(5_000) }, { value: 1 });
    const busy = saying(60_000);
    const call = protect("user", operation, { retry: {}, fallback: [pipe(async () => 2, busy.layer)] });
    const ended = settled(call)(undefined);
    await clock.advance("5s");
    expect(await ended).toMatchObject({ ok: true, value: 1 });
    expect(busy.entered).toEqual([]);
  });

  it("not where it would wait no longer than `patience`", async () => {
    const { clock } = setup();
    const operation = script<number>({ error: limited(900) }, { value: 1 });
    const call = protect("user", operation, { retry: { patience: "1s" }, fallback: [async () => 2] });
    const ended = settled(call)(undefined);
    await clock.advance("1s");
    expect(await ended).toMatchObject({ ok: true, value: 1 });
  });

  it("to a tier of the call it is part of, through hand-made layers and through a call that is the operation", async () => {
    const { clock } = setup();
    const shapes = [
      (operation: Operation<unknown, number>) => pipe(operation, retry(), fallback([async () => 2])),
      (operation: Operation<unknown, number>) =>
        protect("outer", protect("inner", operation, { retry: {} }), { fallback: [async () => 2] }),
    ];
    for (const shape of shapes) {
      const ended = settled(shape(script<number>({ error: limited(5_000) })))(undefined);
      await clock.advance(0);
      expect(await ended).toMatchObject({ ok: true, value: 2 });
    }
  });

  it("to the tier after it, where it is a tier itself; not to one that was asked before", async () => {
    const { clock } = setup();
    const second = protect("second", script<number>({ error: limited(5_000) }), { retry: {} });
    const third = protect("third", script<number>({ error: limited(5_000) }, { value: 3 }), { retry: {} });
    const ended = settled(protect("first", script<number>({ error: down }), { fallback: [second, third] }))(undefined);
    await clock.advance("5s");
    const { story, ...end } = await ended;
    expect(end).toEqual({ ok: true, value: 3 });
    expect(story.children.map(({ name, attempts, elapsedMs }) => [name, attempts, elapsedMs])).toEqual([
      ["second", 1, 0],
      ["third", 2, 5_000],
    ]);
  });

  it("not to a tier that this call must not use (`fallback: false`)", async () => {
    const { clock } = setup();
    const operation = script<number>({ error: limited(5_000) }, { value: 1 });
    const ended = protect("user", operation, { retry: {}, fallback: [async () => 2] })(undefined, { fallback: false });
    await clock.advance("5s");
    expect(await ended).toBe(1);
  });

  it("at once to a ready tier from an open breaker, though that would be tried again within `patience`", async () => {
    const { clock } = setup();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: 500 });
    const call = protect("user", script<number>({ error: down }), {
      breaker: circuit,
      retry: {},
      fallback: [async () => 2],
    });
    await settled(call)(undefined, { fallback: false, retry: false });
    const ended = settled(call)(undefined);
    await clock.advance(0);
    expect(await ended).toMatchObject({ ok: true, value: 2, story: { attempts: 1 } });
  });
});

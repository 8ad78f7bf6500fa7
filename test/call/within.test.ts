// What is said for all calls made inside a function, and who may say otherwise.
import { type CallContext, cache, deadline, pipe, protect, retry, within } from "holdfast";
import { script, seams, testClock } from "holdfast/testing";
import { describe, expect, it } from "vitest";

/** A call that gives what its context says. */
const look = protect("look", async (_: void, context) => said(context));

function said({ criticality, labels, remainingMs }: CallContext) {
  return { leftMs: remainingMs(), criticality, labels };
}

function setup() {
  const clock = testClock();
  return { clock, undo: seams({ clock }) };
}

describe("calls made inside `within`, without a context", () => {
  it("take its deadline, criticality and labels; calls outside take none", async () => {
    using _ = setup().undo;
    const inside = await within({ deadline: "2s", criticality: "critical", labels: { request: "r1" } }, () => look());
    expect(inside).toEqual({ leftMs: 2_000, criticality: "critical", labels: { request: "r1" } });
    expect((await look()).leftMs).toBe(Number.POSITIVE_INFINITY);
  });

  it("keep their own word, the nearer deadline, and add their labels", async () => {
    using _ = setup().undo;
    const options = { deadline: "2s", criticality: "critical", labels: { request: "r1", tenant: "a" } } as const;
    const own = { deadline: "1s", criticality: "background", labels: { tenant: "b" } } as const;
    expect(await within(options, () => look(undefined, own))).toEqual({
      leftMs: 1_000,
      criticality: "background",
      labels: { request: "r1", tenant: "b" },
    });
    expect((await within(options, () => look(undefined, { deadline: "1h" }))).leftMs).toBe(2_000);
  });

  it("share what is left, across every wait, and do not begin when it is over", async () => {
    const { clock, undo } = setup();
    using _ = undo;
    const work = script({ value: 1 });
    const ended = within({ deadline: "1s" }, async () => {
      await clock.sleep(400);
      const { leftMs } = await look();
      await clock.sleep(600);
      return [leftMs, await pipe(work, retry())(undefined).catch((error) => error.code)];
    });
    await clock.advance("2s");
    expect(await ended).toEqual([600, "DEADLINE_EXCEEDED"]);
    expect([work.calls.length, clock.sleepers]).toEqual([0, 0]);
  });

  it("are ended by it while they run", async () => {
    const { clock, undo } = setup();
    using _ = undo;
    const hangs = protect("hangs", (_: void, { signal }) => {
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    });
    const ended = within({ deadline: "1s" }, () => hangs().catch((error) => error.code));
    await clock.advance("1s");
    expect(await ended).toBe("DEADLINE_EXCEEDED");
  });

  it("begin no back-off that it leaves no time for", async () => {
    const { clock, undo } = setup();
    using _ = undo;
    const work = script({ error: Object.assign(new Error("busy"), { status: 503 }) });
    const call = pipe(work, retry({ base: "5s", jitter: "none" }));
    const ended = within({ deadline: "1s" }, () => call(undefined).catch((error) => error.message));
    await clock.advance(0);
    expect([await ended, clock.sleepers]).toEqual(["busy", 0]);
  });
});

describe("one `within` inside another", () => {
  it("narrows it, and never widens it", async () => {
    using _ = setup().undo;
    const nested = (own: { deadline: "1s" | "1h"; labels: Record<string, string> }) =>
      within({ deadline: "2s", criticality: "sheddable", labels: { a: "1" } }, () => within(own, () => look()));
    expect(await nested({ deadline: "1s", labels: { b: "2" } })).toEqual({
      leftMs: 1_000,
      criticality: "sheddable",
      labels: { a: "1", b: "2" },
    });
    expect((await nested({ deadline: "1h", labels: {} })).leftMs).toBe(2_000);
  });
});

describe("a context that is passed on", () => {
  it("keeps its criticality and labels, and the nearest deadline holds", async () => {
    using _ = setup().undo;
    const outer = pipe(
      (_: void, context: CallContext) =>
        within({ deadline: "1s", criticality: "background", labels: { in: "x" } }, () => look(undefined, context)),
      deadline("5s"),
    );
    const seen = await outer(undefined, { criticality: "critical", labels: { out: "y" } });
    expect(seen).toEqual({ leftMs: 1_000, criticality: "critical", labels: { out: "y" } });
  });

  it("in a run that several share, leaves it the latest deadline of those in it", async () => {
    const { clock, undo } = setup();
    using _ = undo;
    const slow = protect("slow", () => clock.sleep(2_000));
    const load = pipe((_: string, context: CallContext) => slow(undefined, context), cache({ ttl: "1h" }));
    const outcome = () =>
      load("key").then(
        () => "done",
        (error) => error.code,
      );
    const [first, joined] = [within({ deadline: "1s" }, outcome), outcome()];
    await clock.advance("3s");
    expect([await first, await joined]).toEqual(["DEADLINE_EXCEEDED", "done"]);
  });
});

describe("`within` itself", () => {
  it("gives what the function gives, and rejects with what it throws", async () => {
    expect(await within({}, async () => 1)).toBe(1);
    const thrown = new Error("at once");
    const throws = () => {
      throw thrown;
    };
    await expect(within({}, throws)).rejects.toBe(thrown);
  });

  it("throws for options that cannot be meant, with their paths", () => {
    const bad = { deadline: "soon", criticality: "high", extra: 1 } as never;
    expect(() => within(bad, async () => 1)).toThrow(/deadline[\s\S]*criticality/);
    expect(() => within({ deadline: "1s" }, undefined as never)).toThrow(/options of "within"[\s\S]*run.*a function/);
  });
});

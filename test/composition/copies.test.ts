// Design §3: two copies of holdfast in one process are one system.
import { describe, expect, it, onTestFinished, vi } from "vitest";
import * as ours from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup } from "./setup.ts";

type Copy = typeof ours;

/** The same package once more, as another dependency would bring it. */
async function another(): Promise<Copy & { testing: typeof import("../../src/testing/index.ts") }> {
  vi.resetModules();
  const copy = await import("../../src/index.ts");
  const testing = await import("../../src/testing/index.ts");
  expect(copy.protect).not.toBe(ours.protect);
  return { ...copy, testing };
}

const down = new Error("down");

async function both() {
  const { clock, seen } = setup();
  return { clock, seen, theirs: await another() };
}

describe("the shared bus", () => {
  it("is one: who listens to one copy hears the calls of the other", async () => {
    const theirs = await another();
    expect(theirs.events).toBe(ours.events);
    const heard: string[] = [];
    onTestFinished(ours.events.on("call.settled", ({ name }) => heard.push(name)));
    await theirs.protect("theirs", async () => 1)();
    expect(heard).toEqual(["theirs"]);
  });
});

describe("`HoldfastError.is`", () => {
  it("knows the errors of the other copy, where `instanceof` does not", async () => {
    const { theirs } = await both();
    const error = await theirs
      .protect("a", () => new Promise(() => {}))(undefined, { deadline: 0 })
      .catch((e) => e);
    expect(error).not.toBeInstanceOf(ours.HoldfastError);
    expect(ours.HoldfastError.is(error, "DEADLINE_EXCEEDED")).toBe(true);
    expect(ours.problem(error).status).toBe(504);
    expect(ours.classify(error)).toMatchObject({ kind: "timeout", retry: false });
  });
});

describe("stories", () => {
  it("of one copy are found by the other: by error, by id, as a report", async () => {
    const { theirs } = await both();
    const { story, ...end } = await theirs.settled(theirs.protect("theirs", async () => Promise.reject(down)))();
    expect(end).toEqual({ ok: false, error: down });
    expect(ours.storyOf(down)?.id).toBe(story.id);
    expect(ours.stories.get(story.id)?.name).toBe("theirs");
    expect(ours.report(down)).toContain('"theirs" ended as failed');
  });
});

describe("time and chance", () => {
  it("put in place by one copy hold for the other's calls", async () => {
    const { theirs, clock } = await both();
    const ended = theirs.settled(theirs.protect("slow", () => new Promise(() => {}), { deadline: "1s" }))();
    await clock.advance("1s");
    expect(await ended).toMatchObject({ ok: false, error: { code: "DEADLINE_EXCEEDED" } });
  });

  it("are as new for both after a `reset()` of one", async () => {
    const { theirs } = await both();
    const circuit = ours.breaker();
    circuit.isolate();
    theirs.testing.reset();
    expect(circuit.state.state).toBe("closed");
  });
});

describe("a call of one copy inside a call of the other", () => {
  it("is its child: same deadline, same cancellation, its story inside the outer one's", async () => {
    const { theirs, clock } = await both();
    const inner = theirs.protect("inner", () => new Promise<never>(() => {}));
    const outer = ours.protect("outer", (_: void, context) => inner(undefined, context), { deadline: "2s" });
    const ended = ours.settled(outer)();
    await clock.advance("2s");
    const { story } = await ended;
    expect(story).toMatchObject({ state: "timedOut", children: [{ name: "inner", attempts: 1 }] });
  });

  it("that gave up is final for a retry of the other", async () => {
    const { theirs, clock } = await both();
    const operation = script<number>({ error: down }, { error: down });
    const inner = theirs.protect("inner", operation, { retry: { attempts: 2 } });
    const ended = ours.settled(ours.protect("outer", inner, { retry: { attempts: 3 } }))(undefined);
    await clock.advance("1m");
    expect(await ended).toMatchObject({ ok: false, error: down, story: { attempts: 1 } });
    expect(operation.calls).toHaveLength(2);
  });
});

describe("wrappers of both copies in one pipe", () => {
  it("are one stack, in the order in which they stand", async () => {
    const { theirs, seen } = await both();
    const call = ours.pipe(
      theirs.timeout("1s")(async () => 1),
      ours.breaker(),
      theirs.retry(),
    );
    expect(ours.explain(call).map(({ kind }) => kind)).toEqual(["retry", "breaker", "timeout"]);
    expect(await call()).toBe(1);
    expect(seen.of("call.settled")).toHaveLength(1);
  });

  it("refuse in each other's stacks: an open breaker of one turns away a call of the other", async () => {
    const { theirs } = await both();
    const circuit = ours.breaker();
    circuit.isolate();
    const operation = script<number>({ value: 1 });
    const end = await theirs.settled(theirs.retry()(circuit(operation)))(undefined);
    expect(end).toMatchObject({ ok: false, error: { code: "BREAKER_OPEN" }, story: { state: "notAdmitted" } });
    expect(operation.calls).toEqual([]);
  });

  it("refuse by a wrapper of one's own that throws its refusal", async () => {
    const { theirs } = await both();
    const { z } = await import("zod");
    const closed = ours.defineWrapper("closed", z.undefined(), undefined, (_, { refuse }) => ({
      bracket: { before: () => refuse(new ours.HoldfastError("no")) },
    }));
    const end = await theirs.settled(theirs.retry()(closed(async () => 1)))();
    expect(end).toMatchObject({ ok: false, story: { state: "notAdmitted", failures: [{ kind: "notAdmitted" }] } });
  });

  it("share what a user's function threw: it is a bug in both, never tried again", async () => {
    const { theirs, clock } = await both();
    const boom = new Error("boom");
    const thrown = () => {
      throw boom;
    };
    const operation = script<number>({ error: down });
    const call = theirs.retry({ attempts: 4 })(ours.retry({ attempts: 3, when: thrown })(operation));
    const ended = theirs.settled(call)(undefined);
    await clock.advance("1m");
    expect(await ended).toMatchObject({ ok: false, error: boom, story: { attempts: 1 } });
  });

  it("tell stale outcomes by one count of attempts", async () => {
    const { theirs } = await both();
    // ours has made many more attempts than theirs
    for (let i = 0; i < 50; i++) await ours.protect("many", async () => 1)();
    const circuit = ours.breaker({ consecutiveFailures: 1 });
    circuit.isolate()();
    circuit.close();
    await theirs.settled(theirs.timeout("1s")(circuit(async () => Promise.reject(down))))();
    expect(circuit.state.state).toBe("open");
  });
});

describe("a body that calls of both copies delivered", () => {
  it("is followed once: the deadline of either ends it", async () => {
    const { theirs, clock } = await both();
    const response = new Response(new ReadableStream({}));
    const inner = theirs.protect("inner", async () => response, { deadline: "1s" });
    const outer = ours.protect("outer", (_: void, context) => inner(undefined, context), { deadline: "5s" });
    const text = (await outer()).text().catch((error) => error);
    await clock.advance("1s");
    expect(await text).toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });
});

describe("what was said by `within` of one copy", () => {
  it("holds for the calls of the other made inside, also where only the other ever used it", async () => {
    const { theirs, clock } = await both();
    const look = (copy: Copy) =>
      copy.protect("look", async (_: void, { criticality, labels, remainingMs }) => ({
        leftMs: remainingMs(),
        ...{ criticality, labels },
      }));
    const wanted = { leftMs: 2_000, criticality: "critical", labels: { request: "r1" } };
    const options = { deadline: "2s", criticality: "critical", labels: { request: "r1" } } as const;
    expect(await theirs.within(options, () => look(ours)())).toEqual(wanted);
    expect(await ours.within(options, () => look(theirs)())).toEqual(wanted);
    const nested = ours.within({ deadline: "1h" }, () => theirs.within(options, () => look(ours)()));
    expect(await nested).toEqual(wanted);
    const hangs = theirs.protect("hangs", () => new Promise<never>(() => {}));
    const ended = ours.settled(() => ours.within({ deadline: "1s" }, () => hangs()))();
    await clock.advance("1s");
    expect(await ended).toMatchObject({ ok: false, error: { code: "DEADLINE_EXCEEDED" } });
  });
});

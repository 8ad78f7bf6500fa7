// Design §2: `classify:` on a call or a policy wraps the standard table; everybody reads its verdict.
import { describe, expect, it } from "vitest";
import {
  breaker,
  type Classify,
  classify,
  fallback,
  type Outcome,
  pipe,
  protect,
  retry,
  settled,
  type Verdict,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup } from "./setup.ts";

const duplicate = Object.assign(new Error("duplicate key"), { code: "23505" });
const busy: Verdict = { kind: "overloaded", retry: true, counts: true, fallBack: true };

describe("`classify`", () => {
  it("gives the verdict of an error or of a value; `undefined`: nothing wrong with it", () => {
    expect(classify(duplicate)).toEqual({ kind: "invalid", retry: false, counts: false, fallBack: false });
    expect(classify(new Response(null, { status: 503 }))?.kind).toBe("overloaded");
    expect(classify(new Response(null, { status: 200 }))).toBeUndefined();
    expect(classify({ words: 3 })).toBeUndefined();
  });
});

describe("`classify:` of a call", () => {
  it("stands round the standard table: it gets what was seen and the table to lean on", async () => {
    setup();
    const seen: unknown[] = [];
    const own: Classify = (given, standard) => {
      seen.push(given, standard(given)?.kind);
      return standard(given);
    };
    await settled(protect("db", script({ error: duplicate }), { classify: own }))(undefined);
    expect(seen).toEqual([duplicate, "invalid"]);
  });

  it("is one verdict for all: retry, breaker, tiers, story and events read the same", async () => {
    const { clock, seen } = setup();
    const asked: (Verdict | undefined)[] = [];
    const spy = (_: Outcome<unknown>, verdict: Verdict | undefined) => {
      asked.push(verdict);
      return true;
    };
    const circuit = breaker();
    const operation = script({ error: duplicate }, { error: duplicate });
    const call = protect("db", operation, {
      ...{ classify: () => busy, retry: { attempts: 2, when: spy }, breaker: circuit },
      fallback: [
        {
          name: "copy",
          operation: async () => Promise.reject(duplicate),
          when: (_, verdict) => spy({ ok: true, value: 0 }, verdict),
        },
      ],
    });
    const ended = settled(call)(undefined);
    await clock.advance("2s");
    const { story } = await ended;
    expect(asked).toEqual([busy, busy]);
    expect(circuit.state).toMatchObject({ calls: 2, failures: 2 });
    expect(story.failures.map(({ kind }) => kind)).toEqual(["overloaded", "overloaded", "overloaded"]);
    expect(seen.of("attempt.failed").map(({ kind }) => kind)).toEqual(["overloaded", "overloaded", "overloaded"]);
  });

  it("can make a failure of a value, whatever kind of value it is", async () => {
    const { clock } = setup();
    const own: Classify = (seen, standard) => (seen === "BUSY" ? busy : standard(seen));
    const operation = script({ value: "BUSY" }, { value: "done" });
    const ended = settled(protect("old", operation, { classify: own, retry: {} }))(undefined);
    await clock.advance("5s");
    expect(await ended).toMatchObject({
      ok: true,
      value: "done",
      story: { attempts: 2, failures: [{ error: "BUSY" }] },
    });
  });

  it("can make a success of a value that tells of a failure", async () => {
    setup();
    const missing = new Response(null, { status: 404 });
    const own: Classify = (seen, standard) =>
      seen instanceof Response && seen.status === 404 ? undefined : standard(seen);
    const circuit = breaker();
    const { story } = await settled(protect("get", script({ value: missing }), { classify: own, breaker: circuit }))(
      undefined,
    );
    expect([story.state, story.failures, circuit.state.calls]).toEqual(["succeeded", [], 1]);
  });

  it("that finds nothing wrong with an error leaves it to the table: thrown is thrown", async () => {
    setup();
    const end = await settled(protect("db", script({ error: duplicate }), { classify: () => undefined }))(undefined);
    expect(end).toMatchObject({ ok: false, error: duplicate, story: { failures: [{ kind: "invalid" }] } });
  });

  it("can tell how long to wait", async () => {
    const { clock, seen } = setup();
    const own: Classify = (seen) => (seen === duplicate ? { ...busy, retryAfterMs: 700 } : undefined);
    const ended = protect("old", script({ error: duplicate }, { value: 1 }), { classify: own, retry: {} })(undefined);
    await clock.advance("5s");
    await ended;
    expect(seen.of("retry.scheduled").map(({ delayMs }) => delayMs)).toEqual([700]);
  });

  it("judges every tier of the call, and no tier that is a call of its own", async () => {
    setup();
    const own: Classify = (seen, standard) => (seen === duplicate ? busy : standard(seen));
    const tier = protect("copy", script({ error: duplicate }));
    const call = protect("db", script({ error: duplicate }), {
      classify: own,
      fallback: [async () => Promise.reject(duplicate), tier],
    });
    const { story } = await settled(call)(undefined);
    expect(story.failures.map(({ kind }) => kind)).toEqual(["overloaded", "overloaded", "overloaded"]);
    expect(story.children[0]?.failures.map(({ kind }) => kind)).toEqual(["invalid"]);
  });

  it("is asked once about each outcome, however many layers read it", async () => {
    setup();
    let asked = 0;
    const own: Classify = (seen, standard) => {
      asked++;
      return standard(seen);
    };
    const call = protect("db", script({ error: duplicate }), {
      classify: own,
      retry: {},
      breaker: {},
      fallback: [async () => 1],
    });
    await settled(call)(undefined);
    expect(asked).toBe(1);
  });

  it("is never asked about the caller's abort or the deadline", async () => {
    const { clock, caller } = setup();
    const seen: unknown[] = [];
    const own: Classify = (given, standard) => {
      seen.push(given);
      return standard(given);
    };
    const call = protect("slow", () => new Promise<never>(() => {}), { classify: own, deadline: "1s", retry: {} });
    const controller = caller();
    const ends = [settled(call)(undefined, { signal: controller.signal }), settled(call)()];
    controller.abort("stop");
    await clock.advance("1s");
    await Promise.all(ends);
    expect(seen).toEqual([]);
  });
});

describe("`classify:` of a policy", () => {
  const lenient: Classify = (seen, standard) => (seen === duplicate ? busy : standard(seen));

  it("holds for all its calls, and for what is run on it", async () => {
    setup();
    const db = protect.with("db", { classify: lenient });
    const { story } = await settled(db("insert", script({ error: duplicate })))(undefined);
    expect(story.failures[0]?.kind).toBe("overloaded");
    const error = await db.run(async () => Promise.reject(duplicate)).catch((error) => error);
    expect(error).toBe(duplicate);
  });

  it("is replaced by that of a call", async () => {
    setup();
    const db = protect.with("db", { classify: lenient });
    const own: Classify = () => ({ ...busy, kind: "exhausted" });
    const { story } = await settled(db("insert", script({ error: duplicate }), { classify: own }))(undefined);
    expect(story.failures[0]?.kind).toBe("exhausted");
  });
});

describe("a call made by hand", () => {
  it("is judged by the standard table", async () => {
    setup();
    const operation = script<number>({ error: duplicate });
    const { story } = await settled(pipe(operation, retry(), fallback([async () => 1])))(undefined);
    expect(story).toMatchObject({ state: "failed", attempts: 1, failures: [{ kind: "invalid" }] });
  });
});

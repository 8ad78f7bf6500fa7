// Design §2: a `Response` is a value that may tell of a failure, and so is what model services send with status 200.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  breaker,
  type CallContext,
  type Failure,
  FallbackExhaustedError,
  fallback,
  gate,
  type Outcome,
  OutputRejectedError,
  pipe,
  protect,
  retry,
  settled,
  type Verdict,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup } from "./setup.ts";

/** A response whose body says when it is let go. */
function answer(status: number, headers: Record<string, string> = {}) {
  const seen = { cancelled: 0 };
  const parts = [`body of `, `${status}`];
  const body = new ReadableStream(
    {
      pull(controller) {
        const part = parts.shift();
        if (part === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(part));
      },
      cancel: () => void seen.cancelled++,
    },
    { highWaterMark: 0 },
  );
  return { response: new Response(body, { status, headers }), seen };
}

function responses(...statuses: readonly number[]) {
  const given = statuses.map((status) => answer(status));
  return { given, operation: script(...given.map(({ response }) => ({ value: response }))) };
}

describe("a Response", () => {
  it.each<[status: number, kind: string, calls: number]>([
    [500, "transient", 2],
    [503, "overloaded", 2],
    [504, "timeout", 2],
    [429, "rateLimited", 2],
    [401, "unauthorized", 1],
    [404, "invalid", 1],
  ])("is classified by its status: %i is `%s`", async (status, kind, calls) => {
    const { clock } = setup();
    const { operation } = responses(status, 200);
    const ended = settled(protect("get", operation, { retry: {} }))(undefined);
    await clock.advance("5s");
    const { story } = await ended;
    expect([story.failures[0]?.kind, operation.calls.length]).toEqual([kind, calls]);
  });

  it.each([200, 204, 302, 304])("of status %i is a success", async (status) => {
    setup();
    const { story } = await settled(protect("get", script({ value: new Response(null, { status }) }), { retry: {} }))(
      undefined,
    );
    expect([story.state, story.failures]).toEqual(["succeeded", []]);
  });

  it("that failed counts in the breaker as an error of its status would", async () => {
    const { clock } = setup();
    const circuit = breaker();
    for (const status of [500, 404, 429, 200]) {
      const ended = settled(protect("get", responses(status).operation, { breaker: circuit }))(undefined);
      await clock.advance(1);
      await ended;
    }
    expect(circuit.state).toMatchObject({ calls: 2, failures: 1 });
  });

  it("that failed opens the breaker, and its `Retry-After` lengthens the break", async () => {
    setup();
    const circuit = breaker({ consecutiveFailures: 1, breakTime: "5s" });
    const { response } = answer(503, { "retry-after": "20" });
    await protect("get", script({ value: response }), { breaker: circuit })(undefined);
    expect(circuit.state).toMatchObject({ state: "open", nextProbeMs: 20_000 });
  });
});

describe("a value that tells of a failure", () => {
  it.each<[what: string, value: object, kind: string]>([
    ["its own `error` with a message", { error: { message: "The server is overloaded" } }, "overloaded"],
    ["its own `error` with a type", { error: { type: "overloaded_error" } }, "overloaded"],
    ["its own `error` with a code", { error: { code: 502 } }, "transient"],
    ["a choice that ended in an error", { choices: [{ finish_reason: "error" }] }, "transient"],
  ])("is one with %s", async (_, value, kind) => {
    const { clock } = setup();
    const operation = script<object>({ value }, { value: { choices: [{ finish_reason: "stop" }] } });
    const ended = settled(protect("ai", operation, { retry: {} }))(undefined);
    await clock.advance("5s");
    const { story } = await ended;
    expect([story.failures.map((failure) => failure.kind), operation.calls.length]).toEqual([[kind], 2]);
  });

  it.each<[what: string, value: unknown]>([
    ["`error: null`", { error: null, choices: [] }],
    ["`error` as a text", { error: "none" }],
    ["an `error` without message, type or code", { error: { count: 0 } }],
    ["an `error` further down", { result: { error: { message: "no" } } }],
    ["an inherited `error`", Object.create({ error: { message: "no" } })],
    ["a status of its own", { status: 500 }],
    ["an Error that is the result", { errors: [new Error("x")] }],
    ["a text", "error"],
  ])("is none with %s", async (_, value) => {
    setup();
    const operation = script({ value });
    const { story, ...given } = await settled(protect("ai", operation, { retry: {} }))(undefined);
    expect([given, story.state]).toEqual([{ ok: true, value }, "succeeded"]);
  });
});

describe("a failing value", () => {
  it("goes outward as a failed outcome that holds the value: `Failure.error` is the value", async () => {
    const { clock } = setup();
    const { operation, given } = responses(500, 500, 200);
    const previous: (readonly Failure[])[] = [];
    const call = protect(
      "get",
      (input: void, context: CallContext) => {
        previous.push(context.previous);
        return operation(input, context);
      },
      { retry: {} },
    );
    const ended = call();
    await clock.advance("5s");
    await ended;
    expect(previous[2]?.map(({ error }) => error)).toEqual([given[0]?.response, given[1]?.response]);
  });

  it("is told to the bus as what the attempt failed with", async () => {
    const { seen } = setup();
    const { operation, given } = responses(404);
    await protect("get", operation)(undefined);
    expect(seen.of("attempt.failed")).toMatchObject([{ error: given[0]?.response, kind: "invalid", attempt: 1 }]);
  });

  it("is seen by `when` as `ok: true` with its verdict", async () => {
    setup();
    const { operation, given } = responses(404);
    const asked: [Outcome<unknown>, Verdict | undefined][] = [];
    const when = (...seen: [Outcome<unknown>, Verdict | undefined]) => {
      asked.push(seen);
      return false;
    };
    await protect("get", operation, { retry: { when }, breaker: { when } })(undefined);
    const seen = [{ ok: true, value: given[0]?.response }, expect.objectContaining({ kind: "invalid", retry: false })];
    expect(asked).toEqual([seen, seen]);
  });

  it("skips the gate: no schema and no check sees it", async () => {
    const { clock } = setup();
    const seen: unknown[] = [];
    const spy = (value: unknown) => void seen.push(value);
    const operation = script<object>({ value: { error: { message: "overloaded" } } }, { value: { words: 3 } });
    const call = protect("ai", operation, {
      retry: {},
      output: z.object({ words: z.number() }),
      gate: { checks: [spy] },
    });
    const ended = call(undefined);
    await clock.advance("5s");
    expect(await ended).toEqual({ words: 3 });
    expect(seen).toEqual([{ words: 3 }]);
  });

  it("is let go only when a next attempt starts, not while that is waited for", async () => {
    const { clock } = setup();
    const { operation, given } = responses(500, 200);
    const call = protect("get", operation, { retry: { base: "1s", jitter: "none" } });
    const ended = call(undefined);
    await clock.advance(999);
    expect(given[0]?.seen.cancelled).toBe(0);
    await clock.advance(1);
    expect([operation.calls.length, given[0]?.seen.cancelled]).toEqual([2, 1]);
    expect(await (await ended).text()).toBe("body of 200");
    expect(given[1]?.seen.cancelled).toBe(0);
  });

  it("is let go when a tier is asked in its place", async () => {
    setup();
    const { operation, given } = responses(500);
    const tier = async () => {
      expect(given[0]?.seen.cancelled).toBe(1);
      return new Response("ok");
    };
    expect(await (await protect("get", operation, { fallback: [tier] })(undefined)).text()).toBe("ok");
  });

  it("is not let go when the next round is turned away: it is delivered, and can be read", async () => {
    const { clock } = setup();
    const { operation } = responses(500);
    const call = protect("get", operation, {
      retry: { attempts: 3 },
      breaker: { consecutiveFailures: 1, breakTime: "1m" },
    });
    const ended = settled(call)(undefined);
    await clock.advance("5s");
    const { story, ...given } = await ended;
    expect(story).toMatchObject({ state: "failed", attempts: 1 });
    expect(await (given as { value: Response }).value.text()).toBe("body of 500");
  });
});

describe("the chain's last outcome", () => {
  it("that is such a value is delivered, and the story says `failed`", async () => {
    const { clock, seen } = setup();
    const { operation, given } = responses(500, 502);
    const ended = settled(protect("get", operation, { retry: { attempts: 2 } }))(undefined);
    await clock.advance("5s");
    const { story, ...end } = await ended;
    expect(end).toEqual({ ok: true, value: given[1]?.response });
    expect(await given[1]?.response.text()).toBe("body of 502");
    expect([story.state, story.failures.length]).toEqual(["failed", 2]);
    expect(seen.of("call.settled")).toMatchObject([{ state: "failed", attempts: 2 }]);
  });

  it("that is such a value of the last tier is delivered likewise", async () => {
    setup();
    const { operation, given } = responses(503);
    const { story, ...end } = await settled(
      protect("get", script<Response>({ error: new Error("down") }), { fallback: [operation] }),
    )(undefined);
    expect(end).toEqual({ ok: true, value: given[0]?.response });
    expect([story.state, story.tier, story.degraded]).toEqual(["failed", 1, undefined]);
  });

  it("that is an error is thrown, though an earlier one was such a value", async () => {
    setup();
    const { operation } = responses(503);
    const down = new Error("down");
    const call = protect("get", operation, { fallback: [async () => Promise.reject(down)] });
    const { ok, ...end } = await settled(call)(undefined);
    expect(end).toMatchObject({ error: expect.any(FallbackExhaustedError) });
    expect((end as unknown as { error: FallbackExhaustedError }).error.failures.at(-1)?.error).toBe(down);
  });

  it.each<[what: string, options: object]>([
    ["`output`", { output: z.unknown() }],
    ["`gate`", { gate: {} }],
    ["both", { output: z.unknown(), gate: { checks: [] } }],
  ])("that is such a value becomes an OutputRejectedError where %s is declared", async (_, options) => {
    setup();
    const value = { error: { message: "overloaded" } };
    const { story, ...end } = await settled(protect("ai", script({ value }), options))(undefined);
    expect(end).toMatchObject({ ok: false, error: expect.any(OutputRejectedError) });
    expect((end as { error: OutputRejectedError }).error.output).toBe(value);
    expect(story).toMatchObject({ state: "failed", failures: [{ error: value, kind: "overloaded" }] });
  });

  it("that is such a value becomes an OutputRejectedError where a gate stands in the pipe", async () => {
    setup();
    const value = { error: { message: "overloaded" } };
    const call = pipe(script({ value }), gate(z.object({ words: z.number() })));
    const end = await settled(call)(undefined);
    expect(end).toMatchObject({ ok: false, error: expect.any(OutputRejectedError), story: { state: "failed" } });
  });

  it("that is an error is no OutputRejectedError, though `output` is declared", async () => {
    setup();
    const down = new Error("down");
    const end = await settled(protect("ai", script({ error: down }), { output: z.unknown() }))(undefined);
    expect(end).toMatchObject({ ok: false, error: down });
  });
});

describe("a failing value that no tier may stand in for", () => {
  it("is delivered, and the story says `failed`", async () => {
    setup();
    const { operation, given } = responses(500);
    const call = protect("get", operation, {
      fallback: [{ name: "other", operation: async () => new Response("x"), when: () => false }],
    });
    const { story, ...end } = await settled(call)(undefined);
    expect(end).toEqual({ ok: true, value: given[0]?.response });
    expect(story.state).toBe("failed");
  });
});

describe("a value for which only `when` asked for another try", () => {
  it("with none left is delivered as `succeeded`, and asks no tier", async () => {
    const { clock, seen } = setup();
    const operation = script({ value: "pending" }, { value: "still pending" });
    const tier = script({ value: "other" });
    const when = (outcome: Outcome<unknown>) => outcome.ok;
    const ended = settled(protect("job", operation, { retry: { attempts: 2, when }, fallback: [tier] }))(undefined);
    await clock.advance("5s");
    const { story, ...end } = await ended;
    expect(end).toEqual({ ok: true, value: "still pending" });
    expect([story.state, story.attempts, tier.calls.length]).toEqual(["succeeded", 2, 0]);
    expect(seen.of("call.settled")).toMatchObject([{ state: "succeeded", tier: 0 }]);
  });

  it("is tried again as often as a failure, and then delivered", async () => {
    const { clock } = setup();
    const operation = script({ value: "pending" }, { value: "done" });
    const when = (outcome: Outcome<unknown>) => outcome.ok && outcome.value === "pending";
    const ended = pipe(operation, retry({ when }))(undefined);
    await clock.advance("5s");
    expect(await ended).toBe("done");
  });
});

describe("a tier's failing value", () => {
  it("sends the call on to the next tier, as an error would", async () => {
    setup();
    const first = responses(500);
    const second = responses(429);
    const third = responses(200);
    const call = pipe(first.operation, fallback([second.operation, third.operation]));
    const { story, ...end } = await settled(call)(undefined);
    expect(end).toEqual({ ok: true, value: third.given[0]?.response });
    expect(story).toMatchObject({
      state: "degraded",
      tier: 2,
      failures: [{ kind: "transient" }, { kind: "rateLimited" }],
    });
  });

  it("that the verdict lets go no further (404) is delivered as it is", async () => {
    setup();
    const { operation, given } = responses(404);
    const tier = script({ value: new Response("x") });
    const end = await settled(protect("get", operation, { fallback: [tier] }))(undefined);
    expect(end).toMatchObject({ ok: true, value: given[0]?.response, story: { state: "failed" } });
    expect(tier.calls).toEqual([]);
  });
});

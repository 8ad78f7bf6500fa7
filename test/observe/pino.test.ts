import pino from "pino";
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  type CallContext,
  type Cost,
  type EventBus,
  eventBus,
  HoldfastError,
  InputRejectedError,
  OptionsInvalidError,
  type ProtectOptions,
  protect,
  stories,
} from "../../src/index.ts";
import { err, type Logger, log } from "../../src/observe/pino.ts";
import { script } from "../../src/testing/index.ts";

interface Line extends Readonly<Record<string, unknown>> {
  readonly level: number;
  readonly type: string;
  readonly msg: string;
  readonly err?: Err;
  readonly story?: Told;
}
interface Err extends Readonly<Record<string, unknown>> {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  readonly causes?: readonly Err[];
  readonly story?: Told;
}
interface Told {
  readonly state: string;
  readonly failures: ReadonlyArray<{ readonly message?: string; readonly see?: string }>;
  readonly children?: readonly Told[];
}

const [info, warn, error] = [30, 40, 50];

/** A real pino on a bus of its own, with the lines that it writes. */
function setup(options: { secret?: string[]; pino?: pino.LoggerOptions } = {}) {
  const bus = eventBus();
  const lines: Line[] = [];
  const logger = pino(options.pino ?? {}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const stop = log(bus, logger, { secret: options.secret });
  const seams = { events: bus };
  return {
    ...{ bus, lines, stop, seams },
    down: (message = "down") => new Error(message, { cause: new Error(`why ${message}`) }),
    call: (operation: ReturnType<typeof script<unknown>>, given: object = {}) =>
      protect("draft", operation, { ...given, seams } as ProtectOptions<undefined, undefined, unknown, unknown>),
    loud: () => lines.filter(({ level }) => level > info),
    last: () => lines.at(-1) as Line,
  };
}

async function failing(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.unreachable("it is to fail"),
    (error) => error,
  );
}

function timesIn(text: string, part: string): number {
  return text.split(part).length - 1;
}

describe("every event", () => {
  it("is a line with its facts, a message, and its call's name where pino has no other use for it", async () => {
    const { call, lines, stop } = setup({ pino: { name: "app" } });
    await call(script({ value: 1 }))(undefined, { labels: { request: "r1" } });
    expect(lines).toMatchObject([
      {
        level: info,
        name: "app",
        type: "call.started",
        operation: "draft",
        component: "draft",
        msg: "draft: call.started",
      },
      { level: info, type: "attempt.started", attempt: 1, tier: 0, labels: { request: "r1" } },
      { level: info, type: "call.settled", state: "succeeded", attempts: 1, msg: "draft succeeded after 1 attempt" },
    ]);
    expect(new Set(lines.map(({ call }) => call)).size).toBe(1);
    expect(lines.every(({ at, time }) => typeof at === "number" && typeof time === "number")).toBe(true);
    stop();
    await call(script({ value: 1 }))(undefined);
    expect(lines).toHaveLength(3);
  });

  it.each<[string, (bus: EventBus) => void, number]>([
    [
      "that matters",
      (bus) => bus.emit("health.changed", { from: "healthy", to: "degraded", reason: "slow" }, db),
      warn,
    ],
    ["that wakes people", (bus) => bus.emit("breaker.opened", opened(true), db), error],
    ["that is only observed", (bus) => bus.emit("breaker.opened", opened(false), db), warn],
    ["that wakes people, of credentials", (bus) => bus.emit("credentials.refused", { status: 401 }, db), error],
    ["that ends well", (bus) => bus.emit("breaker.closed", { openMs: 5 }, db), info],
    ["of one's own", (bus) => emitOwn(bus, "invoice.sent", { cents: 12 }), info],
    ["on the way of a call", (bus) => bus.emit("fallback.exhausted", { tiers: 2 }, { ...db, call: "c" }), info],
  ])("%s has the level of its weight", (_, tell, level) => {
    const { bus, lines } = setup();
    tell(bus);
    expect(lines).toMatchObject([{ level, operation: "db" }]);
    expect(lines[0]).not.toHaveProperty("severity");
  });

  it("of a failed listener says what it heard, and the error in full", () => {
    const { bus, lines } = setup();
    bus.on("breaker.closed", () => {
      throw new Error("broken");
    });
    bus.emit("breaker.closed", { openMs: 5 }, db);
    expect(lines[0]).toMatchObject({ level: warn, type: "listener.failed", heard: "breaker.closed" });
    expect(lines[0]?.err).toMatchObject({ type: "Error", message: "broken", stack: expect.stringMatching(/\n +at /) });
  });

  it("is written whatever its facts are: circles, streams, proxies, big numbers, things without end", () => {
    const { bus, lines } = setup();
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const circle: { self?: unknown; list: unknown[] } = { list: [] };
    circle.self = circle;
    circle.list.push(circle);
    const deep = Array.from({ length: 50 }).reduce<object>((inner) => ({ inner }), {});
    const thrower = Object.defineProperty({}, "x", { enumerable: true, get: () => expect.unreachable() });
    emitOwn(bus, "own.told", {
      ...{ circle, proxy, deep, thrower, big: 12n, sym: Symbol("s"), run: () => {}, none: null, not: undefined },
      ...{ long: "x".repeat(9_000), many: Array(500).fill(1), wide: Object.fromEntries(Array(500).entries()) },
      ...{
        map: new Map([["a", 1]]),
        set: new Set([1]),
        date: new Date(0),
        bytes: new Uint8Array(9),
        url: new URL("http://x/"),
      },
      ...{
        response: new Response("body", { status: 503 }),
        headers: new Headers({ a: "b" }),
        socket: new EventTarget(),
      },
      ...{ error: circle, errors: [new RangeError("inside")] },
    });
    const [line] = lines as [Line];
    expect(line).toMatchObject({
      ...{ level: info, circle: { self: "[circular]", list: ["[circular]"] }, proxy: "[unreadable]" },
      ...{ thrower: {}, big: "12", sym: "Symbol(s)", none: null, map: { a: 1 }, set: [1], bytes: "[Uint8Array]" },
      ...{ date: "1970-01-01T00:00:00.000Z", url: "http://x/", response: "HTTP 503", headers: { a: "b" } },
      ...{ socket: "[EventTarget]", errors: [{ type: "RangeError", message: "inside" }] },
    });
    expect(line.long).toHaveLength(4_001);
    expect((line.many as unknown[]).at(-1)).toBe("… and 450 more");
    expect(JSON.stringify(line).length).toBeLessThan(12_000);
  });

  it("has no more than a thousand values, a few more where it ends", () => {
    const { bus, lines } = setup();
    const rows = Array.from({ length: 50 }, () => Array.from({ length: 50 }, () => [7]));
    emitOwn(bus, "own.told", { rows });
    expect(timesIn(JSON.stringify(lines), "7")).toBeGreaterThan(400);
    expect(timesIn(JSON.stringify(lines), "7")).toBeLessThan(1_010);
  });
});

describe("a recovered call logs one warning, no error", () => {
  it("after a retry", async () => {
    const { call, loud, last, down } = setup();
    await call(script<unknown>({ error: down() }, { error: down("again") }, { value: 1 }), { retry: { base: 1 } })(
      undefined,
    );
    expect(loud()).toMatchObject([{ level: warn, type: "call.settled", state: "succeeded", attempts: 3 }]);
    expect(last().err).toMatchObject({ message: "again", causes: [{ message: "why again" }] });
  });

  it("and says what it cost, at least where not all of it is known", async () => {
    const { lines, seams } = setup();
    const tell = async (costs: readonly Cost[], { cost }: CallContext) => costs.forEach((one) => void cost(one));
    const ask = protect("ask", tell, { seams });
    const asking = (...costs: Cost[]) => ask(costs);
    await asking({ money: 0.1 }, { money: 0.2 });
    await asking({ money: 0.1 }, { model: "new", inputTokens: 1 });
    await asking({ model: "new", inputTokens: 1 });
    const ends = lines.filter(({ type }) => type === "call.settled");
    expect(ends.map(({ msg }) => String(msg).split("attempt")[1])).toEqual([
      ...[", 0.3 in money", ", at least 0.1 in money", ""],
    ]);
    expect(ends[2]).toMatchObject({ cost: { inputTokens: 1, unpriced: ["new"] } });
  });

  it("after no more than a wait", () => {
    const { bus, loud } = setup();
    const about = { name: "draft", component: "draft", call: "c-1" };
    bus.emit("call.started", {}, about);
    bus.emit("retry.scheduled", { attempt: 1, delayMs: 300, kind: "notAdmitted" }, about);
    const settled = { state: "succeeded" as const, tier: 0, attempts: 1, elapsedMs: 300, cost: {} };
    bus.emit("call.settled", settled, about);
    expect(loud()).toMatchObject([{ level: warn, state: "succeeded" }]);
    expect(loud()[0]).not.toHaveProperty("err");
  });

  it("by another tier", async () => {
    const { call, loud, down } = setup();
    const operation = script<unknown>({ error: down() }, { error: down() });
    await call(operation, { retry: { attempts: 2, base: 1 }, fallback: [script({ value: 2 })] })(undefined);
    expect(loud()).toMatchObject([{ level: warn, state: "degraded", err: { message: "down" } }]);
  });

  it("when what recovered, or what was recovered from, was a call inside", async () => {
    const { call, loud, lines, seams, down } = setup();
    const inner = protect("inner", script({ error: down() }, { value: 1 }), { retry: { base: 1 }, seams });
    const outer = protect("outer", async (n: number, context) => inner(n, context), { seams });
    await outer(1);
    expect(loud()).toMatchObject([{ level: warn, operation: "outer", state: "succeeded", err: { message: "down" } }]);
    lines.length = 0;
    const failed = protect("failed", script<unknown>({ error: down() }), { seams });
    await call(script<unknown>({ error: "unused" }), {})(undefined).catch(() => {});
    lines.length = 0;
    await protect("around", async (_: void, context) => failed(1, context).catch(() => "well"), { seams })();
    expect(loud()).toMatchObject([{ level: warn, operation: "around", state: "succeeded" }]);
  });

  it("and a call in which nothing went wrong none", async () => {
    const { call, loud, lines } = setup();
    await call(script({ value: 1 }), { retry: {}, fallback: [script({ value: 2 })] })(undefined);
    expect([lines.length > 0, loud()]).toEqual([true, []]);
  });
});

describe("a call that fails logs one error", () => {
  it("with what went wrong last, in full, and the story", async () => {
    const { call, loud, lines, down } = setup();
    await failing(
      call(script({ error: down("1") }, { error: down("2") }), { retry: { attempts: 2, base: 1 } })(undefined),
    );
    expect(loud()).toHaveLength(1);
    const line = loud()[0] as Line;
    expect(line).toMatchObject({ level: error, state: "failed", msg: "draft failed after 2 attempts" });
    expect(line.err).toMatchObject({ type: "Error", message: "2", causes: [{ message: "why 2" }] });
    expect(line.story).toMatchObject({ state: "failed", attempts: 2 });
    expect(line.story?.failures).toMatchObject([{ attempt: 1, kind: "unknown", message: "1: why 1" }, { see: "err" }]);
    // on the way it is told in a few words
    const [attempt] = lines.filter(({ type }) => type === "attempt.failed");
    expect(attempt).toMatchObject({ level: info, err: { type: "Error", message: "1: why 1" } });
    expect(attempt?.err?.stack ?? "").toBe("");
  });

  it("also when it failed in every tier, and one inside another: nested causes are not printed again per level", async () => {
    const { lines, loud, seams } = setup();
    const root = new Error("the root of it");
    const cause = new Error("the cause of it", { cause: root });
    const thrown = new Error("what was thrown", { cause });
    const innermost = protect("innermost", script<unknown>({ error: thrown }, { error: thrown }), {
      ...{ retry: { attempts: 2, base: 1 }, seams },
    });
    const middle = protect("middle", async (n: number, context) => innermost(n, context), { seams });
    const outer = protect("outer", async (n: number, context) => middle(n, context), {
      ...{ fallback: [script({ error: new Error("copy too", { cause }) })], seams },
    });
    await failing(outer(1));
    expect(loud()).toMatchObject([{ level: error, operation: "outer", state: "failed" }]);
    const [line] = loud() as [Line];
    // once as a message, once at the head of its stack
    const text = JSON.stringify({
      ...line,
      err: { ...line.err, stack: "", causes: line.err?.causes?.map((one) => ({ ...one, stack: "" })) },
    });
    for (const { message } of [root, cause, thrown]) expect(timesIn(text, message)).toBe(1);
    expect(lines.flatMap(({ level, err }) => (level === info && err?.stack ? [err] : []))).toEqual([]);
  });

  it("when it took too long", async () => {
    const { call, loud } = setup();
    await failing(call(script<unknown>("never"), { timeout: "1ms" })(undefined));
    expect(loud()).toMatchObject([{ level: error, state: "timedOut", err: { type: "TimeoutError", code: "TIMEOUT" } }]);
  });

  it("also where no story is remembered", async () => {
    const { call, loud, down } = setup();
    stories.keep({ failures: 0 });
    await failing(call(script({ error: down() }))(undefined));
    stories.keep({ failures: 100 });
    expect(loud()).toMatchObject([{ level: error, state: "failed", err: { message: "down" } }]);
    expect(loud()[0]).not.toHaveProperty("story");
  });

  it("also where the answer was the failure", async () => {
    const { call, loud } = setup();
    await call(script({ value: new Response(null, { status: 503 }) }))(undefined);
    expect(loud()).toMatchObject([
      { level: error, state: "failed", err: { type: "Response", message: "HTTP 503", status: 503 } },
    ]);
  });

  it("also inside one that was over before", async () => {
    const { loud, seams, down } = setup();
    const { promise, reject } = Promise.withResolvers<never>();
    const late = protect("late", () => promise, { seams });
    const pending: Promise<unknown>[] = [];
    const outer = async (_: void, { signal: _own, ...context }: { signal: AbortSignal }) => {
      pending.push(failing(late(undefined, context)));
    };
    await protect("outer", outer as never, { seams })(undefined);
    reject(down());
    await Promise.all(pending);
    expect(loud().map(({ operation, state }) => [operation, state])).toEqual([["late", "failed"]]);
  });
});

describe("a call that was ended before it could fail", () => {
  it("by its caller is no more than info", async () => {
    const { call, loud, last } = setup();
    await failing(call(script({ value: 1 }))(undefined, { signal: AbortSignal.abort(new Error("gone")) }));
    expect([loud(), last().state]).toEqual([[], "cancelled"]);
  });

  it("by an open breaker is a warning, each time; that it opened is the error", async () => {
    const { call, loud, down } = setup();
    const draft = call(script<unknown>({ error: down() }), { breaker: { consecutiveFailures: 1 } });
    await failing(draft(undefined));
    await failing(draft(undefined));
    expect(loud().map(({ level, type }) => [level, type])).toEqual([
      [error, "breaker.opened"],
      [error, "call.settled"],
      [warn, "call.settled"],
    ]);
    expect(loud()[2]).toMatchObject({ state: "notAdmitted", err: { type: "BreakerOpenError", breaker: "draft" } });
  });

  it("because its input was refused is a warning with what is wanted, not with the error that shows what was given", () => {
    const { bus, loud } = setup({ secret: ["issues.*.got"] });
    const about = { name: "draft", component: "draft", call: "c-1" };
    bus.emit("call.started", {}, about);
    bus.emit("input.rejected", { issues: [{ path: "pin", got: "1234", wanted: "six digits" }] }, about);
    const settled = { state: "rejected" as const, tier: 0, attempts: 0, elapsedMs: 1, cost: {} };
    bus.emit("call.settled", settled, about);
    expect(loud()).toMatchObject([{ level: warn, state: "rejected" }]);
    expect(loud()[0]?.issues).toEqual([{ path: "pin", got: "[redacted]", wanted: "six digits" }]);
  });
});

describe("what is secret", () => {
  it("is redacted at its paths, in whatever case, and stays as it is in the originals", async () => {
    const { call, lines, loud } = setup({ secret: ["labels.TENANT", "error.config.params.*.pin", "error.token"] });
    const cause = Object.assign(new Error("inner"), { token: "t-2" });
    const thrown = Object.assign(new Error("outer", { cause }), {
      token: "t-1",
      config: { url: "http://x/", params: [{ pin: "1234", name: "n" }], headers: { Authorization: "Bearer b-1" } },
    });
    const labels = { tenant: "acme", request: "r1" };
    await failing(call(script({ error: thrown }))(undefined, { labels }));
    expect(lines.every((line) => (line.labels as typeof labels).tenant === "[redacted]")).toBe(true);
    expect(loud()[0]?.labels).toEqual({ tenant: "[redacted]", request: "r1" });
    expect(loud()[0]?.err).toMatchObject({
      token: "[redacted]",
      config: {
        url: "http://x/",
        params: [{ pin: "[redacted]", name: "n" }],
        headers: { Authorization: "[redacted]" },
      },
      causes: [{ token: "[redacted]" }],
    });
    const text = JSON.stringify(lines);
    expect(["acme", "1234", "b-1", "t-1", "t-2"].filter((secret) => text.includes(secret))).toEqual([]);
    expect(thrown).toMatchObject({ token: "t-1", config: { params: [{ pin: "1234" }] } });
    expect([cause.token, labels.tenant]).toEqual(["t-2", "acme"]);
  });

  it("is never the credentials in a header, whoever carries them", async () => {
    const { call, lines } = setup();
    const thrown = Object.assign(new Error("x"), {
      headers: new Headers({ "set-cookie": "s-1", "content-type": "text/plain" }),
      request: { headers: { "x-api-key": "s-2", "API-Key": "s-3", "Proxy-Authorization": "s-4", cookie: "s-5" } },
    });
    await failing(call(script({ error: thrown }))(undefined));
    const text = JSON.stringify(lines);
    expect(["s-1", "s-2", "s-3", "s-4", "s-5"].filter((secret) => text.includes(secret))).toEqual([]);
    expect(text).toContain("text/plain");
  });

  it("may be the words of errors: then no message and no stack has them", async () => {
    const { call, lines, loud } = setup({ secret: ["error.message"] });
    const thrown = new Error("pin 1234", { cause: new Error("of card 5678") });
    const again = new Error("pin 1234 again");
    await failing(call(script({ error: again }, { error: thrown }), { retry: { attempts: 2, base: 1 } })(undefined));
    const text = JSON.stringify(lines);
    expect(["1234", "5678"].filter((secret) => text.includes(secret))).toEqual([]);
    expect(loud()[0]?.err?.stack).toMatch(/\[redacted\][\s\S]*\n +at /);
  });

  it.each(["error", "err"])("may be everything of an error: %s", async (path) => {
    const { call, loud } = setup({ secret: [path] });
    await failing(call(script({ error: new Error("pin 1234") }))(undefined));
    expect(loud()).toMatchObject([{ level: error, err: "[redacted]" }]);
    expect(JSON.stringify(loud())).not.toContain("1234");
  });

  it.each(["error.pin", "err.pin", "error.cause.pin", "err.causes.*.pin", "err.causes.0.pin"])(
    "in an error is secret in each of its causes, however the path to it is written: %s",
    async (path) => {
      const { call, loud } = setup({ secret: [path] });
      const cause = Object.assign(new Error("why"), { pin: 1 });
      await failing(call(script({ error: Object.assign(new Error("x", { cause }), { pin: 2 }) }))(undefined));
      expect(loud()[0]?.err).toMatchObject({ pin: "[redacted]", causes: [{ pin: "[redacted]" }] });
    },
  );

  it("may be the causes alone", async () => {
    const { call, loud } = setup({ secret: ["error.cause"] });
    await failing(call(script({ error: new Error("x", { cause: new Error("why") }) }))(undefined));
    expect(loud()[0]?.err).toMatchObject({ message: "x" });
    expect(JSON.stringify(loud())).not.toContain("why");
  });

  it.each([[["a..b"]], [[""]], [["."]], [[5]], ["labels.tenant"]])(
    "must be written as paths: %j is refused",
    (secret) => {
      expect(() => log(eventBus(), pino({ enabled: false }), { secret: secret as string[] })).toThrow(
        OptionsInvalidError,
      );
    },
  );
});

describe("a logger", () => {
  it("may be any that takes facts and a message; pino is one by its type", () => {
    expectTypeOf<pino.Logger>().toExtend<Logger>();
    expectTypeOf<Console>().toExtend<Logger>();
    expect(() => log(eventBus(), { info() {}, warn() {} } as unknown as Logger)).toThrow(OptionsInvalidError);
    expect(() => log(eventBus(), undefined as never)).toThrow(OptionsInvalidError);
    expect(() => log(eventBus(), console, { secrets: [] } as object)).toThrow(OptionsInvalidError);
  });

  it("that throws breaks no call, and is told to those who listen", async () => {
    const bus = eventBus();
    const broken = () => {
      throw new Error("disk full");
    };
    log(bus, { info: broken, warn: broken, error: broken });
    const heard: unknown[] = [];
    bus.on("listener.failed", ({ error }) => heard.push(error));
    expect(await protect("draft", async () => 1, { seams: { events: bus } })()).toBe(1);
    expect(heard).toHaveLength(3);
  });

  it("gets what a call under way before it listened tells, by its own state", async () => {
    const bus = eventBus();
    const lines: string[] = [];
    const slow = Promise.withResolvers<never>();
    const inner = protect("inner", () => slow.promise, { seams: { events: bus } });
    const pending = failing(
      protect("outer", (_: void, context) => inner(undefined, context), { seams: { events: bus } })(),
    );
    const write = (level: string) => (facts: object, message?: string) =>
      "state" in facts && lines.push(`${level} ${message}`);
    log(bus, { info: write("info"), warn: write("warn"), error: write("error") });
    slow.reject(new Error("x"));
    await pending;
    expect(lines).toEqual(["error inner failed after 1 attempt", "error outer failed after 1 attempt"]);
  });
});

describe("err, for pino's serializers", () => {
  function written(thrown: unknown, serializers?: pino.LoggerOptions["serializers"]): Err {
    const lines: { err: Err }[] = [];
    const logger = pino(serializers === undefined ? {} : { serializers }, {
      write: (line: string) => void lines.push(JSON.parse(line)),
    });
    logger.error({ err: thrown }, "x");
    return lines[0]?.err as Err;
  }

  it("tells type, message, code, stack, its own facts, each cause once, and the story", async () => {
    const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED", errno: -111 });
    const thrown = Object.assign(new TypeError("fetch failed", { cause }), { status: 503, output: { deep: [1] } });
    const call = protect("draft", script({ error: new Error("first") }, { error: thrown }), {
      ...{ retry: { attempts: 2, base: 1 } },
    });
    await failing(call(undefined));
    expect(written(thrown, { err })).toMatchObject({
      ...{ type: "TypeError", message: "fetch failed", status: 503, output: { deep: [1] } },
      causes: [{ type: "Error", message: "refused", code: "ECONNREFUSED", errno: -111 }],
      story: {
        name: "draft",
        state: "failed",
        attempts: 2,
        failures: [{ message: "first", kind: "unknown" }, { see: "err" }],
      },
    });
    expect(written(thrown, { err }).stack).toMatch(/^TypeError: fetch failed\n +at /);
  });

  it("tells the calls inside, and each error in them once", async () => {
    const thrown = new Error("what was thrown");
    const inner = protect("inner", script({ error: thrown }));
    const outer = protect("outer", async (n: number, context) => inner(n, context), {
      fallback: [script({ error: new Error("copy too") })],
    });
    const failed = await failing(outer(1));
    const told = written(failed, { err });
    expect(told).toMatchObject({ type: "FallbackExhaustedError", code: "FALLBACK_EXHAUSTED", operation: "outer" });
    expect(told.causes).toMatchObject([{ message: "what was thrown" }]);
    expect(told.story?.failures).toMatchObject([{ see: "err.causes.0" }, { message: "copy too" }]);
    expect(told.story?.children).toMatchObject([{ name: "inner", failures: [{ see: "err.causes.0" }] }]);
    expect(told).not.toHaveProperty("failures");
  });

  it("has an end for causes in a circle, a long chain, and a crowd", () => {
    const circle: Error & { own?: unknown } = new Error("a");
    circle.cause = new Error("b", { cause: circle });
    circle.own = circle;
    expect(written(circle, { err })).toMatchObject({ message: "a", causes: [{ message: "b" }], own: { see: "err" } });
    const chain = Array.from({ length: 50 }).reduce<Error>(
      (cause, _, i) => new Error(`n${i}`, { cause }),
      new Error("root"),
    );
    expect(written(chain, { err }).causes).toHaveLength(8);
    const crowd = new AggregateError(
      Array.from({ length: 50 }, (_, i) => new Error(`n${i}`)),
      "all",
    );
    expect(written(crowd, { err }).inside).toHaveLength(20);
  });

  it("leaves a refused output, a stack that says nothing, and what hangs on a socket out", () => {
    const error = new HoldfastError("shed", { code: "LOAD_SHED", operation: "draft", retryAfterMs: 5 });
    error.stack = "HoldfastError: shed";
    const told = err(Object.assign(error, { request: new EventTarget() })) as Err;
    expect({ ...told }).toEqual({
      ...{ type: "HoldfastError", message: "shed", code: "LOAD_SHED", operation: "draft", retryable: false },
      ...{ retryAfterMs: 5, request: "[EventTarget]" },
    });
  });

  it("tells a failing response, and leaves what is no error as it is", () => {
    expect(err(new Response("secret", { status: 429 }))).toMatchObject({
      type: "Response",
      message: "HTTP 429",
      status: 429,
    });
    const plain = { message: "not thrown" };
    for (const other of ["text", 5, null, undefined, plain]) expect(err(other)).toBe(other);
  });

  it("never throws, whatever it is given", () => {
    const { proxy, revoke } = Proxy.revocable(new Error("x"), {});
    revoke();
    const unreadable = Object.defineProperty(new Error("x"), "message", {
      get() {
        throw new Error("no");
      },
    });
    const noKeys = new Proxy(new Error("x"), {
      ownKeys() {
        throw new Error("no");
      },
    });
    expect(err(proxy)).toBe(proxy);
    for (const thrown of [unreadable, noKeys, Object.create(Error.prototype)])
      expect(() => JSON.stringify(err(thrown))).not.toThrow();
  });

  it("does not tell again what it has told", () => {
    const told = err(new Error("x"));
    expect(err(told)).toBe(told);
  });

  it("comes through pino's own serializer too: types, causes and bodies are what they were", async () => {
    const { call, loud } = setup();
    const body = { type: "insufficient_quota", message: "pay first" };
    const thrown = Object.assign(new RangeError("refused", { cause: new Error("why") }), { error: body });
    await failing(call(script({ error: thrown }))(undefined));
    const [own] = loud() as [Line];
    expect(own.err).toMatchObject({
      type: "RangeError",
      message: "refused",
      error: body,
      causes: [{ message: "why" }],
    });
    const ours = setup({ pino: { serializers: { err } } });
    await failing(ours.call(script({ error: thrown }))(undefined));
    expect(ours.loud()[0]?.err).toMatchObject({ type: "RangeError", message: "refused", error: body });
  });

  it("writes an error of holdfast's own with what is wanted", () => {
    const told = written(new InputRejectedError("draft", [{ path: "words", got: 12, wanted: "at most 9" }]), { err });
    expect(told).toMatchObject({
      type: "InputRejectedError",
      issues: [{ path: "words", got: 12, wanted: "at most 9" }],
    });
  });
});

const db = { name: "db", component: "db" };

function opened(enforced: boolean) {
  return { failures: 5, calls: 10, breakMs: 5_000, why: "failureRate" as const, enforced };
}

function emitOwn(bus: EventBus, type: string, facts: object): void {
  (bus as unknown as { emit(type: string, facts: object, about: object): void }).emit(type, facts, db);
}

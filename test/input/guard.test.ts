import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  breaker,
  type CallContext,
  type Check,
  configure,
  explain,
  guard,
  InputRejectedError,
  OptionsInvalidError,
  pipe,
  protect,
  retry,
  settled,
} from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";
import { setup } from "../composition/setup.ts";

const Brief = z.object({ topic: z.string().min(1), words: z.coerce.number().max(900).default(500) });

async function refused(call: Promise<unknown>): Promise<InputRejectedError> {
  const error = await call.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(InputRejectedError);
  return error as InputRejectedError;
}

describe("guard", () => {
  it("gives the operation the schema's output (coerced, defaulted), not what the caller passed", async () => {
    setup();
    const operation = script<string>({ value: "ok" }, { value: "ok" });
    const call = pipe(operation, guard(Brief));
    await call({ topic: "tides", words: "300" });
    await call({ topic: "moons" });
    expect(operation.calls.map(({ input }) => input)).toEqual([
      { topic: "tides", words: 300 },
      { topic: "moons", words: 500 },
    ]);
  });

  it("a transforming schema (string to Date) runs once per call, however many attempts and tiers follow", async () => {
    const { clock } = setup();
    let runs = 0;
    const When = z.string().transform((text) => {
      runs++;
      return new Date(text);
    });
    const down = { error: new Error("down") };
    const [operation, tier] = [script<string>(down, down, down), script<string>({ value: "ok" })];
    const call = protect("report", operation, { input: When, retry: { attempts: 3 }, fallback: [tier] });
    const answer = call("2026-11-25");
    await clock.advance("1m");
    expect(await answer).toBe("ok");
    expect(runs).toBe(1);
    const inputs = [...operation.calls, ...tier.calls].map(({ input }) => input);
    expect(inputs).toHaveLength(4);
    for (const input of inputs) expect(input).toEqual(new Date("2026-11-25"));
  });

  it("refuses with every finding at once, its path and what is wanted, and calls nothing", async () => {
    const { seen } = setup();
    const operation = script<string>();
    const error = await refused(pipe(operation, guard(Brief))({ topic: "", words: 1_000 }));
    expect(error).toMatchObject({ code: "INPUT_REJECTED", retryable: false });
    expect(error.issues.map(({ path, got }) => [path, got])).toEqual([
      ["topic", ""],
      ["words", 1_000],
    ]);
    expect(operation.calls).toEqual([]);
    expect(seen.of("input.rejected")).toMatchObject([{ issues: error.issues, severity: "warning" }]);
    expect(seen.of("call.settled")).toMatchObject([{ state: "rejected", attempts: 0 }]);
  });

  it.each<[z.ZodType, unknown, string | undefined]>([
    [z.number().max(9), 10, "at most 9"],
    [z.number().lt(9), 9, "below 9"],
    [z.number().min(2), 1, "at least 2"],
    [z.number().gt(2), 2, "above 2"],
    [z.string().max(3), "abcd", "at most 3 characters"],
    [z.array(z.string()).min(1), [], "at least 1 item"],
    [z.set(z.string()).max(0), new Set("a"), "at most 0 items"],
    [z.date().min(new Date(0)), new Date(-1), "at least 1970-01-01T00:00:00.000Z"],
    [z.number(), "x", "a number"],
    [z.int(), 1.5, "a whole number"],
    [z.map(z.string(), z.string()), "x", "map"],
    [z.enum(["a", "b"]), "c", '"a" or "b"'],
    [z.literal(5), 6, "5"],
    [z.number().multipleOf(5), 6, "a multiple of 5"],
    [z.strictObject({}), { b: 1 }, "leave it out"],
    [z.email(), "x", undefined],
  ])("says with a finding what would do: case %#", async (schema, given, fix) => {
    setup();
    const { issues } = await refused(pipe(script<string>(), guard(schema as z.ZodType<unknown>))(given));
    expect(issues.map((issue) => issue.fix)).toEqual([fix]);
  });

  it("async checks are awaited, and their issues carry the field's path, not the root", async () => {
    setup();
    const free = async (name: string) => name !== "ada";
    const User = z.object({ profile: z.object({ name: z.string().refine(free, { error: "a name that is free" }) }) });
    const call = pipe(async (user: z.output<typeof User>) => user.profile.name, guard(User));
    expect(await call({ profile: { name: "bob" } })).toBe("bob");
    const { issues } = await refused(call({ profile: { name: "ada" } }));
    expect(issues).toEqual([{ path: "profile.name", got: "ada", wanted: "a name that is free" }]);
  });

  it("a check may answer with any thenable", async () => {
    // biome-ignore lint/suspicious/noThenProperty: it is what is tested
    const thenable = { then: (found: (answer: string) => void) => found("fewer") } as unknown as Promise<string>;
    setup();
    const call = pipe(async (words: number) => words, guard(z.number(), { checks: [() => thenable] }));
    expect((await refused(call(7))).issues).toEqual([{ wanted: "fewer" }]);
  });

  it("its own checks see what the schema gave and the context; all are asked, all findings are told", async () => {
    setup();
    const asked: unknown[] = [];
    const checks: Check<z.output<typeof Brief>>[] = [
      (brief, { name }: CallContext) => {
        asked.push(brief, name);
        return brief.words % 100 === 0 ? undefined : { path: "words", got: brief.words, wanted: "whole hundreds" };
      },
      async ({ topic }) => (topic === "tides" ? undefined : "a topic that we know"),
    ];
    const call = protect("draft", script<string>({ value: "ok" }), { input: Brief, guard: { checks } });
    expect(await call({ topic: "tides", words: 300 })).toBe("ok");
    expect(asked).toEqual([{ topic: "tides", words: 300 }, "draft"]);
    const { issues } = await refused(call({ topic: "x", words: 333 }));
    expect(issues).toEqual([{ path: "words", got: 333, wanted: "whole hundreds" }, { wanted: "a topic that we know" }]);
  });

  it("asks no check about what the schema refused", async () => {
    setup();
    const never = () => {
      throw new Error("asked");
    };
    await refused(protect("x", async () => 1, { input: Brief, guard: { checks: [never] } })({ topic: "" }));
  });

  it("asks the checks, hides the paths and makes the corrections that it was last given", async () => {
    setup();
    const call = protect("brief", async ({ words }: { words: number }) => words, {
      input: z.object({ words: z.number().max(900), pin: z.string().optional() }),
      guard: { checks: [() => "never"] },
    });
    const undo = configure(call, { guard: { checks: [], correct: { words: "clamp" } } });
    expect(await call({ words: 1_000 })).toBe(900);
    configure(call, { guard: { secret: ["pin"], checks: [() => ({ path: "pin", got: "4711", wanted: "another" })] } });
    expect((await refused(call({ words: 1, pin: "4711" }))).issues).toEqual([
      { path: "pin", got: "[secret]", wanted: "another" },
    ]);
    undo();
    expect((await refused(call({ words: 1_000 }))).issues).toMatchObject([{ path: "words", got: 1_000 }]);
  });

  it("tells its schema and its options to whoever asks what a call is made of", () => {
    const call = pipe(async (_: unknown) => 1, guard(Brief, { secret: ["topic"] }));
    expect(explain(call)).toMatchObject([{ kind: "guard", options: { schema: Brief, secret: ["topic"] } }]);
    const checked = protect("x", async (_: string) => 1, { guard: { secret: [""] } });
    expect(explain(checked).find(({ kind }) => kind === "guard")?.options).toEqual({ secret: [""] });
  });

  it("an outer guard that strips a key the inner guard needs is a compile error", async () => {
    setup();
    const Inner = z.object({ topic: z.string(), words: z.number() });
    const Outer = z.object({ topic: z.string() });
    const operation = async ({ words }: z.output<typeof Inner>) => words;
    // @ts-expect-error `words` is not there any more
    const strips = pipe(operation, guard(Inner), guard(Outer));
    const keeps = pipe(operation, guard(Inner), guard(Outer.loose().extend({ words: z.number() })));
    expect(await keeps({ topic: "tides", words: 3 })).toBe(3);
    await refused((strips as typeof keeps)({ topic: "tides", words: 3 }));
  });

  it("rejected input counts in no breaker, is not tried again and asks no tier", async () => {
    setup();
    const circuit = breaker({ consecutiveFailures: 1 });
    const [operation, tier] = [script<string>(), script<string>()];
    const call = pipe(operation, circuit, guard(Brief), retry({ when: () => true }));
    await refused(call({ topic: "" }) as Promise<unknown>);
    await refused(protect("x", operation, { input: Brief, retry: {}, fallback: [tier] })({ topic: "" }));
    expect([circuit.state.state, circuit.state.calls, operation.calls, tier.calls]).toEqual(["closed", 0, [], []]);
  });

  it("shows the values of secret paths nowhere: not in the error, the events, the story", async () => {
    const { seen } = setup();
    const Login = z.object({ user: z.string(), auth: z.object({ password: z.string().min(12), pin: z.number() }) });
    const input = { user: 7 as never, auth: { password: "hunter2", pin: "4711" as never } };
    const call = protect("login", async () => "in", { input: Login, guard: { secret: ["auth.password", "auth.pin"] } });
    const { error, story } = (await settled(call)(input)) as { error: InputRejectedError; story: object };
    expect(error.issues.map(({ path, got }) => [path, got])).toEqual([
      ["user", 7],
      ["auth.password", "[secret]"],
      ["auth.pin", "[secret]"],
    ]);
    const told = [
      error.message,
      error.stack,
      JSON.stringify(error),
      JSON.stringify(story),
      JSON.stringify(seen.events),
    ];
    for (const text of told) for (const secret of ["hunter2", "4711"]) expect(text).not.toContain(secret);
  });

  it.each<[string, z.ZodType, unknown, string]>([
    [
      "zod's own message",
      z.object({ pin: z.string().min(4) }),
      "12",
      "Too small: expected string to have >=4 characters",
    ],
    ["not where it repeats the value", z.object({ pin: z.string().max(3) }), "string", "something else"],
    ["what a type has to be", z.object({ pin: z.number({ error: (i) => `not ${i.input}` }) }), "4711", "number"],
    ["nothing less where nothing came", z.object({ pin: z.string().min(2, "two or more") }), "", "two or more"],
  ])("of a secret path tells what is wanted: %s", async (_, schema, pin, wanted) => {
    setup();
    const { issues } = await refused(pipe(script<string>(), guard(schema, { secret: ["pin"] }))({ pin } as never));
    expect(issues).toMatchObject([{ path: "pin", got: "[secret]", wanted }]);
  });

  it("a secret path covers what is below and above it, and one that only begins like it is shown", async () => {
    setup();
    const wanted = { wanted: "other" };
    const checks: Check<object>[] = [
      () => ({ path: "auth", got: { password: "hunter2" }, ...wanted }),
      () => ({ path: "auth.password.hash", got: "hunter2", ...wanted }),
      () => ({ path: "authority", got: "shown", ...wanted }),
      () => ({ got: { auth: "hunter2" }, ...wanted }),
    ];
    const call = protect("x", async (_: object) => 1, { guard: { checks, secret: ["auth.password"] } });
    const { issues } = await refused(call({}));
    expect(issues.map(({ got }) => got)).toEqual(["[secret]", "[secret]", "shown", "[secret]"]);
  });

  it.each([
    [{ correct: { words: "cut" } }, /correct\.words: wanted "trim", "coerce", "clamp", "default", \{ clamp/],
    [{ correct: { words: { clamp: [9, 1] } } }, /correct\.words\.clamp: wanted \[min, max\], the smaller first/],
    [{ correct: { words: {} } }, /correct\.words: wanted/],
    [{ correct: { topic: "default" } }, /correct\.topic: wanted \{ default: value \}: the schema has no default there/],
    [{ checks: [5] }, /checks\.0: wanted a function/],
    [{ secret: "password" }, /secret: wanted/],
    [{ secrets: [] }, /secrets: no such key/],
  ])("throws when made with what cannot be meant: %o", (options, message) => {
    expect(() => guard(Brief, options as never)).toThrow(OptionsInvalidError);
    expect(() => guard(Brief, options as never)).toThrow(message);
    expect(() => protect("x", async () => 1, { input: Brief, guard: options as never })).toThrow(OptionsInvalidError);
  });
});

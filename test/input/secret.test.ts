import { type } from "arktype";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type Check,
  guard,
  type HoldfastError,
  InputRejectedError,
  OptionsInvalidError,
  problem,
  protect,
  report,
  reviews,
  settled,
} from "../../src/index.ts";
import { setup } from "../composition/setup.ts";
import { setup as reviewing } from "../output/review-setup.ts";

/** All that is told of a refused input: message, JSON, problem, report, story and events. */
async function told(input: z.ZodType | object, secret: string[], given: unknown, checks: Check<unknown>[] = []) {
  const { seen } = setup();
  const call = protect("login", async (_: unknown) => "in", { input: input as z.ZodType, guard: { secret, checks } });
  const { error, story } = (await settled(call)(given)) as { error: InputRejectedError; story: object };
  expect(error).toBeInstanceOf(InputRejectedError);
  const text = [error.message, error.stack, JSON.stringify(error), report(error), problem(error).detail]
    .concat([JSON.stringify(story), JSON.stringify(seen.events)])
    .join("\n");
  return { issues: error.issues, text };
}

describe("a secret path", () => {
  const item = z.object({ tok: z.string().max(3), name: z.string().max(3) });
  it.each([
    [
      "for every item of a list",
      z.object({ list: z.array(item) }),
      "list.*.tok",
      { list: [{ tok: "hunter2", name: "x" }] },
    ],
    ["for every key of a record", z.record(z.string(), z.string().max(3)), "*", { a: "hunter2" }],
    ["for keys with dots in them", z.record(z.string(), item), "*.tok", { "a.b": { tok: "hunter2", name: "x" } }],
    ["of the whole input", item, "", { tok: "hunter2", name: "x" }],
  ])("%s hides what stands there everywhere", async (_, schema, path, given) => {
    const { issues, text } = await told(schema, [path], given);
    expect(issues.map(({ got }) => got)).toEqual(["[secret]"]);
    expect(text).not.toContain("hunter2");
  });

  it("with `*` leaves shown what stands beside it", async () => {
    const { issues } = await told(z.object({ list: z.array(item) }), ["list.*.tok"], {
      list: [{ tok: "ok", name: "Adalbert" }],
    });
    expect(issues).toMatchObject([{ path: "list.0.name", got: "Adalbert" }]);
  });

  it("with `*` holds for what a check finds, in a key with dots too", async () => {
    const find: Check<unknown> = () => [
      { path: "a.b.tok", got: "hunter2", wanted: "other" },
      { path: "a.b", got: { tok: "hunter2" }, wanted: "other" },
    ];
    const { issues, text } = await told(
      z.record(z.string(), z.object({ tok: z.string() })),
      ["*.tok"],
      { "a.b": { tok: "hunter2" } },
      [find],
    );
    expect(issues.map(({ got }) => got)).toEqual(["[secret]", "[secret]"]);
    expect(text).not.toContain("hunter2");
  });

  it.each([
    [["list.*.tok"], { list: [{ tok: "[secret]", id: 1 }] }],
    [["*"], { list: "[secret]" }],
    [["*.*.*"], { list: [{ tok: "[secret]", id: "[secret]" }] }],
  ])("with `*` holds for what a person is shown in a review, and for what is saved: %o", async (secret, shown) => {
    reviewing();
    const call = protect("draft", async (_: { list: { tok: string; id: number }[] }) => "x", {
      guard: { secret },
      gate: { checks: [() => "other"], onReject: "review" },
    });
    const error = (await call({ list: [{ tok: "hunter2", id: 1 }] }).catch((error: unknown) => error)) as HoldfastError;
    expect(error).toMatchObject({ code: "REVIEW_PENDING" });
    expect((await reviews.pending()).at(-1)).toMatchObject({ input: shown });
    expect(reviews.save()).not.toContain("hunter2");
  });

  it("of which a vendor's message repeats the value has none of its words", async () => {
    const { issues, text } = await told(type({ pw: "'abc'|'def'" }), ["pw"], { pw: "hunter2" });
    expect(issues).toMatchObject([{ path: "pw", got: "[secret]" }]);
    expect(text).not.toContain("hunter2");
  });

  it.each([
    ["at the path", ({ user }: User) => ({ path: "user.pw", wanted: `not ${user.pw}`, fix: `${user.pw}!` })],
    ["above it", ({ user }: User) => ({ path: "user", wanted: `not ${user.pw.toUpperCase()}` })],
    ["at none", ({ user }: User) => `another one than "${user.pw}"`],
    ["elsewhere", ({ user }: User) => ({ path: "name", wanted: `not ${user.pw}` })],
  ])("of which a check's own words repeat the value %s says something else", async (_, check) => {
    const schema = z.object({ name: z.string().optional(), user: z.object({ pw: z.string().trim() }) });
    const { issues, text } = await told(schema, ["user.pw"], { user: { pw: " hunter2 " } }, [check as Check<unknown>]);
    expect(issues).toMatchObject([{ wanted: "something else" }]);
    expect(text.toLowerCase()).not.toContain("hunter2");
  });

  it.each<[string, z.ZodType, unknown, string]>([
    ["map", z.map(z.string(), z.string()), new Map([["other", "seen"]]).set("a", "q7"), "a"],
    ["set", z.set(z.string()), new Set(["seen", "q7"]), "1"],
  ])("in a %s is known to a check's words, however short it is", async (_, schema, given, path) => {
    const { issues, text } = await told(schema, [path], given, [() => [{ path, got: "q7", wanted: "not q7" }]]);
    expect(issues).toMatchObject([{ path, got: "[secret]", wanted: "something else" }]);
    expect(text).not.toContain("q7");
    const elsewhere = await told(schema, [path], given, [() => [{ path: "none", wanted: "seen" }]]);
    expect(elsewhere.issues).toMatchObject([{ path: "none", wanted: "seen" }]);
  });

  it("of which zod's words are the author's own repeats no value in them", async () => {
    const schema = z.object({ pw: z.string().refine(() => false, { error: ({ input }) => `not ${String(input)}` }) });
    expect((await told(schema, ["pw"], { pw: "hunter2" })).text).not.toContain("hunter2");
  });

  it("that throws when it is read tells nothing of what it threw", async () => {
    const given = {
      get pw() {
        throw new Error("hunter2");
      },
    };
    const { issues, text } = await told(z.object({ pw: z.string() }), ["pw"], given);
    expect(issues).toMatchObject([{ path: "pw", wanted: "something that can be read" }]);
    expect(text).not.toContain("hunter2");
  });

  it("leaves the words of other findings as they are, also where a short value happens to be in them", async () => {
    const schema = z.object({ pin: z.string(), words: z.number().max(12) });
    const { issues } = await told(schema, ["pin"], { pin: "12", words: 13 });
    expect(issues).toMatchObject([
      { path: "words", got: 13, wanted: expect.stringContaining("12"), fix: "at most 12" },
    ]);
  });

  it("that a zod schema cannot have is refused when the guard is made: it would hide nothing", () => {
    const Login = z.object({ user: z.object({ pw: z.string() }), tags: z.array(z.string()), any: z.unknown() });
    for (const path of ["user.pass", "usr", "tags.x", "tags.*.x", "user.pw.hash"]) {
      const make = () => guard(Login, { secret: ["user.pw", path] });
      expect(make).toThrow(OptionsInvalidError);
      expect(make).toThrow(`secret.1: wanted a path that the schema knows, got ${path}`);
      const declare = () => protect("x", async () => 1, { input: Login, guard: { secret: [path] } });
      expect(declare).toThrow(`guard.secret.0: wanted a path that the schema knows`);
    }
    expect(() => guard(Login, { secret: ["", "user", "*.pw", "tags.0", "tags.*", "any.thing.in.it"] })).not.toThrow();
  });
});

interface User {
  user: { pw: string };
}

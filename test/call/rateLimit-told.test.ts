// What a user's `key` and `estimate` say, and what they cannot mean.
import { type CallContext, type Cost, fallback, named, pipe, protect, report, settled } from "holdfast";
import { seams, testClock } from "holdfast/testing";
import { expect, it, onTestFinished } from "vitest";
import { rateLimit } from "../../src/call/rateLimit.ts";

const tokens = { tokens: { limit: 1, per: "1m" }, whenFull: "reject" } as const;

function setup(options: object) {
  const restore = seams({ clock: testClock() });
  onTestFinished(() => restore[Symbol.dispose]());
  let begun = 0;
  const operation = async (_: string, { cost }: CallContext) => {
    begun++;
    cost({ inputTokens: 0, outputTokens: 0 });
    return "first";
  };
  const call = protect("ask", operation, { rateLimit: { ...tokens, ...options }, fallback: [async () => "second"] });
  return { call, begun: () => begun };
}

async function failed(call: (input: string) => Promise<unknown>) {
  const { error } = (await settled(call)("x")) as unknown as { error: Error };
  return { error, told: report(error) };
}

it.each(["key", "estimate"])(
  "what the user's %s throws ends the call as it is, and the report says whose it is",
  async (option) => {
    function ofCustomer(): never {
      throw new RangeError("no such customer");
    }
    const unnamed = { [option]: () => ofCustomer() };
    for (const [thrower, name] of [
      [ofCustomer, " (ofCustomer)"],
      [unnamed[option], ""],
    ]) {
      const { begun, call } = setup({ [option as string]: thrower });
      const { error, told } = await failed(call);
      expect(error.message).toBe("no such customer");
      expect(told).toContain(`RangeError: no such customer (thrown by rateLimit.${option}${name})`);
      expect(begun()).toBe(0);
    }
  },
);

const amounts = "{ inputTokens, outputTokens, money }";

it.each<[string, () => unknown, string]>([
  ["NaN of an amount", () => ({ inputTokens: Number.NaN }), "give 0 or more as inputTokens, not NaN"],
  ["less than 0", () => ({ outputTokens: -5 }), "give 0 or more as outputTokens, not -5"],
  ["Infinity", () => ({ money: Number.POSITIVE_INFINITY }), "give 0 or more as money, not Infinity"],
  ["a text for an amount", () => ({ money: "secret" }), "give 0 or more as money, not a string"],
  ["a promise", async () => ({ inputTokens: 1 }), "answer at once, not with a promise"],
  ["a promise that rejects", () => Promise.reject(new Error("late")), "answer at once, not with a promise"],
  ["a number", () => 5, `give ${amounts}, not 5`],
  ["nothing", () => undefined, `give ${amounts}, not undefined`],
  ["null", () => null, `give ${amounts}, not null`],
  ["a list", () => [{ inputTokens: 5 }], `give ${amounts}, not a list`],
  ["a text", () => "5", `give ${amounts}, not a string`],
  ["what has only other names", () => ({ input_tokens: 5 }), `give ${amounts}, not an object of other things`],
])(
  "an estimate of %s lets nothing through unseen: it ends the call, which says what is wanted",
  async (_, estimate, wanted) => {
    const { begun, call } = setup({ estimate: { estimate }.estimate });
    const { error, told } = await failed(call);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe(`"ask": \`rateLimit.estimate\` has to ${wanted}.`);
    expect(told).toContain(`${error.message} (thrown by rateLimit.estimate)`);
    expect(begun()).toBe(0);
  },
);

it.each<[string, Cost]>([
  ["nothing in it", {}],
  ["0", { inputTokens: 0 }],
  ["a model only", { model: "m" }],
  ["undefined amounts", { inputTokens: undefined, outputTokens: undefined, money: undefined }],
  ["other names beside", { inputTokens: 0, cached_tokens: 5 } as Cost],
])("an estimate with %s is one", async (_, estimate) => {
  const { call } = setup({ estimate: () => estimate });
  expect(await call("x")).toBe("first");
});

it.each<[unknown, string]>([
  [5, "5"],
  [undefined, "undefined"],
  [Symbol("k"), "a symbol"],
  [{}, "an object"],
])("a key that is no text ends the call likewise: %s", async (key, not) => {
  const { begun, call } = setup({ key: () => key });
  const { error, told } = await failed(call);
  expect(error.message).toBe(`"ask": \`rateLimit.key\` has to give a string, not ${not}.`);
  expect(told).toContain("(thrown by rateLimit.key)");
  expect(begun()).toBe(0);
});

it("an estimate that throws in a tier's own limit is told by the same name", async () => {
  const limit = rateLimit<string>({ ...tokens, estimate: ({ length }) => ({ inputTokens: length === 1 ? -1 : 0 }) });
  const tier = limit(named("other", async (_: string) => "other"));
  const call = pipe(async (_: string): Promise<string> => Promise.reject(new Error("down")), fallback([tier]));
  expect((await failed(call)).told).toContain("(thrown by rateLimit.estimate)");
});

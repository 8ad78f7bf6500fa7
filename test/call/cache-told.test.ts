// Of an error of `key` or `ttl` the report says whose code threw.
import { describe, expect, it } from "vitest";
import { type CacheOptions, protect, report } from "../../src/index.ts";
import { outcome, setup } from "../composition/setup.ts";

const oops = () => {
  throw new RangeError("no such customer");
};

async function told(cache: CacheOptions<string>) {
  setup();
  const { error } = (await outcome(protect("x", async (id: string) => id, { cache })("a"))) as { error: Error };
  return { error, lines: report(error).split("\n") };
}

describe.each([
  ["key", { ttl: "1m" }],
  ["ttl", {}],
] as const)("`%s`", (option, rest) => {
  it("that throws: its error comes as it is, and the report names it", async () => {
    const { error, lines } = await told({ ...rest, [option]: () => oops() } as never);
    expect(error).toBeInstanceOf(RangeError);
    expect(lines.join("\n")).toContain(`RangeError: no such customer (thrown by cache.${option})`);
    const byName = await told({ ...rest, [option]: oops } as never);
    expect(byName.lines.join("\n")).toContain(`RangeError: no such customer (thrown by cache.${option} (oops))`);
  });

  it("that gives what cannot be meant: likewise, as invalid options", async () => {
    const of = () => Promise.resolve("a");
    const { error, lines } = await told({ ...rest, [option]: of } as never);
    expect(error).toMatchObject({ code: "OPTIONS_INVALID", issues: [{ path: `cache.${option}` }] });
    expect(lines.join("\n")).toContain(`(thrown by cache.${option} (of))`);
  });
});

it("an input that is no key by itself is nobody's error but the declaration's", async () => {
  setup();
  const call = protect("x", async (_: { id: string }) => 1, { cache: { ttl: "1m" } as never });
  const { error } = (await outcome(call({ id: "a" }))) as { error: Error };
  expect(report(error)).not.toContain("thrown by");
});

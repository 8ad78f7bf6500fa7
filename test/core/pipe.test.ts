import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { explain } from "../../src/core/explain.ts";
import type { CallContext, Operation, Protected, Wrapper } from "../../src/core/operation.ts";
import { pipe } from "../../src/core/pipe.ts";
import { defineWrapper, named } from "../../src/core/wrapper.ts";

/** A wrapper that writes down when it is passed, in and out. */
function tracing(letter: string, trace: string[]): Wrapper {
  return defineWrapper(letter, z.strictObject({}), {}, () => ({
    bracket: {
      before: ({ input }) => {
        trace.push(`${letter} in`);
        return input;
      },
      after: () => void trace.push(`${letter} out`),
    },
  }));
}

describe("pipe", () => {
  it("applies wrappers in exactly this order, the innermost first", async () => {
    const trace: string[] = [];
    const operation = async (n: number) => {
      trace.push("called");
      return n + 1;
    };
    const call = pipe(operation, tracing("a", trace), tracing("b", trace), tracing("c", trace));
    expect(await call(1)).toBe(2);
    expect(trace).toEqual(["c in", "b in", "a in", "called", "a out", "b out", "c out"]);
  });

  it("gives what wrapping by hand gives: one call, the same layers", () => {
    const [a, b] = [tracing("a", []), tracing("b", [])];
    const operation = async (n: number) => n;
    const kinds = (call: Protected<never, unknown>) => explain(call).map(({ kind }) => kind);
    expect(kinds(pipe(operation, a, b))).toEqual(kinds(b(a(operation))));
    expect(kinds(pipe(operation, a, b))).toHaveLength(2);
  });

  it("names the call after its function, or as it is told", () => {
    const wrapper = tracing("a", []);
    async function fetchUser() {}
    expect(pipe(fetchUser, wrapper).name).toBe("fetchUser");
    expect(pipe(named("user", fetchUser), wrapper).name).toBe("user");
    expect(pipe(async () => {}, wrapper).name).toBe("anonymous");
  });

  it("keeps the types of the function alone, through up to ten", () => {
    const w = tracing("w", []);
    const fetchUser = async (id: string, _: CallContext) => ({ id });
    const once = pipe(fetchUser, w);
    const nine = pipe(fetchUser, w, w, w, w, w, w, w, w, w);
    expectTypeOf(once).toEqualTypeOf<Protected<string, { id: string }>>();
    expectTypeOf(nine).toEqualTypeOf<Protected<string, { id: string }>>();
    expectTypeOf(pipe(async () => 1, w)).toEqualTypeOf<Protected<void, number>>();
    expectTypeOf<Protected<string, number>>().toExtend<Operation<string, number>>();
  });

  it("takes any function of one to one, so that it can end in something else", () => {
    expect(pipe(2, (n) => n * 10, String)).toBe("20");
    expect(explain(pipe(async (n: number) => n, tracing("a", []))).map(({ kind }) => kind)).toEqual(["a"]);
  });
});

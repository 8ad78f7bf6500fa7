import { expect, it } from "vitest";
import { z } from "zod";
import { defineWrapper, HoldfastError, type Layer, pipe, retry, settled, type Tools } from "../../src/index.ts";

function wrapper(kind: string, make: (tools: Tools) => Layer) {
  return defineWrapper(kind, z.strictObject({}), {}, (_, tools) => make(tools));
}

it.each([
  ["a mistake", new TypeError("of the recovery"), "bug"],
  ["an abort of nobody's", new DOMException("of the recovery", "AbortError"), "unknown"],
  ["a 404", Object.assign(new Error("not there"), { status: 404 }), "invalid"],
])("%s of a recovery round a retry that ended with its own first round is judged by itself", async (_, own, kind) => {
  let rounds = 0;
  const kinds: unknown[] = [];
  const once = wrapper("once", ({ refuse }) => ({
    bracket: { before: ({ input }) => (++rounds > 1 ? refuse(new HoldfastError("no more")) : input) },
  }));
  const giving = wrapper("giving", () => ({ recovery: { recover: async () => Promise.reject(own) } }));
  const hearing = wrapper("hearing", () => ({
    bracket: { after: (_attempt, _outcome, verdict) => kinds.push(verdict?.kind) },
  }));
  const down = async () => Promise.reject(Object.assign(new Error("down"), { status: 503 }));
  const ended = await settled(pipe(down, once, retry({ base: 1 }), giving, hearing))();
  expect([ended.ok, "error" in ended && ended.error, kinds]).toEqual([false, own, [kind]]);
});

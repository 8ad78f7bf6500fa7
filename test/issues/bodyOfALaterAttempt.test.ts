// A body that came of a later attempt, or from inside a promise-style layer, was kept by the records of its attempts: nobody read it, and it was never collected.
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineWrapper, pipe, type Wrapper } from "../../src/index.ts";
import { around, recovering } from "../composition/setup.ts";
import { collectedUntil } from "../core/loopback.ts";

describe("a body that nobody reads", () => {
  it.each<[string, Wrapper]>([
    ["a later attempt", recovering((_, __, ___, again) => again())],
    ["a promise-style layer", around((inner) => (input, context) => inner(input, context))],
  ])("of %s is its true end when it is collected", async (of, layer) => {
    let [ended, calls] = [0, 0];
    const noting = defineWrapper("noting", z.undefined(), undefined, () => ({
      bracket: { ended: () => void ended++ },
    }));
    const get = pipe(
      async () => {
        if (calls++ === 0 && of === "a later attempt") throw new Error("once");
        return new Response(new ReadableStream({}));
      },
      layer,
      noting,
    );
    await (async () => expect((await get(undefined, { deadline: "1h" })).status).toBe(200))();
    await setImmediate();
    expect(ended).toBe(0);
    await collectedUntil(() => ended > 0);
    expect(ended).toBe(1);
  });
});

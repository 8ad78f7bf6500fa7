import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineWrapper, pipe, protect, retry } from "../../src/index.ts";

/** A body that never comes: only its collection can end it. */
function stalled(status: number): Response {
  return new Response(new ReadableStream(), { status, headers: { "x-told": "yes" } });
}

function setup(status = 200) {
  let ended = 0;
  const place = defineWrapper("place", z.strictObject({}), {}, () => ({ bracket: { ended: () => ended++ } }));
  const operation = async () => stalled(status);
  return { operation, place, ended: () => ended };
}

async function collected(left: () => boolean): Promise<boolean> {
  for (let i = 0; i < 60 && left(); i++) {
    await turn(); // who has just looked at a weak reference holds it until the turn is over
    globalThis.gc?.();
  }
  return !left();
}

/** Delivered, and held by nobody afterwards. */
async function dropped(call: () => Promise<Response>): Promise<WeakRef<Response>> {
  return new WeakRef(await call());
}

describe("a delivered body that nobody reads", () => {
  it("gives back the place that waits for its true end", async () => {
    const { operation, place, ended } = setup();
    for (const call of [pipe(operation, place), pipe(operation, place, retry()), pipe(operation, retry(), place)])
      await dropped(call);
    expect(await collected(() => ended() < 3)).toBe(true);
  });

  it("is not kept by the story of a call that delivered a failing response", async () => {
    const { operation } = setup(404);
    const response = await dropped(protect("kept", operation, { retry: {} }));
    expect(await collected(() => response.deref() !== undefined)).toBe(true);
  });

  it("is not kept because its call was the last one made", async () => {
    const { operation } = setup();
    const response = await dropped(protect("last", operation, { retry: {} }));
    expect(await collected(() => response.deref() !== undefined)).toBe(true);
  });
});

// Failures that are kept, beside an answer that may stand in for them.
import { describe, expect, it } from "vitest";
import { configure, protect } from "../../src/index.ts";
import { outcome, setup } from "../composition/setup.ts";
import { settled as settle, status } from "./cache-setup.ts";

/** Has one answer, "v", for the first moment of its lifetime; `fails` says with which status it fails from then on. */
async function failing(options: object) {
  const { clock } = setup();
  let fails = 0;
  let calls = 0;
  const operation = async (_: string): Promise<string> => {
    calls++;
    if (fails > 0) throw status(fails);
    return "v";
  };
  const call = protect("x", operation, { cache: { ttl: "1s", negative: "1m", ...options } });
  await call("a");
  /** What each of these statuses comes to, one call each, 10 s apart. */
  const ask = async (...codes: number[]) => {
    const ended: unknown[] = [];
    for (const code of codes) {
      await clock.advance("10s");
      fails = code;
      const ending = (await outcome(call("a"))) as { value?: unknown; error?: { status: number } };
      await settle();
      ended.push(ending.value ?? ending.error?.status);
    }
    return ended;
  };
  return { ask, call, clock, calls: () => calls };
}

describe("with `negative` a failure for which the last answer may stand in", () => {
  it("is not kept in the place of that answer, which goes on to stand in", async () => {
    const { ask, calls } = await failing({ staleOnError: "1h" });
    expect(await ask(413, 413, 413, 503)).toEqual(["v", "v", "v", "v"]);
    expect(calls()).toBe(5);
  });

  it("nor after a refresh in the background", async () => {
    const { ask } = await failing({ whileRevalidating: "1h" });
    expect(await ask(413, 413, 503)).toEqual(["v", "v", "v"]);
  });

  it("nor by one who wants it fresh", async () => {
    const { call, ask, clock } = await failing({ staleOnError: "1h" });
    await clock.advance("2s");
    expect(await ask(413)).toEqual(["v"]);
    await expect(call("a", { accept: "fresh" })).rejects.toThrow("HTTP 413");
    expect(await ask(413)).toEqual(["v"]);
  });

  it("is kept once the answer is past its limit, also where that is changed", async () => {
    const { ask, calls } = await failing({ staleOnError: "15s" });
    expect(await ask(413, 413, 413)).toEqual(["v", 413, 413]);
    expect(calls()).toBe(3);
    const changed = await failing({ staleOnError: "1h" });
    configure(changed.call, { cache: { staleOnError: 0 } });
    expect(await changed.ask(413, 413)).toEqual([413, 413]);
    expect(changed.calls()).toBe(2);
  });

  it("one that says that there is no answer any more is kept in its place", async () => {
    const { ask, calls } = await failing({ staleOnError: "1h", whileRevalidating: 0 });
    expect(await ask(404, 503)).toEqual([404, 404]);
    expect(calls()).toBe(2);
  });
});

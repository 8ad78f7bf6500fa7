// A cancelled call has cost something all the same: what the operation had told by then is not lost with its answer.
import { protect, settled } from "holdfast";
import { record } from "holdfast/testing";
import { describe, expect, it } from "vitest";

function setup() {
  const controller = new AbortController();
  const seen = record();
  const call = protect("ask", async (_: string, { cost }) => {
    cost({ inputTokens: 12, model: "m" });
    return new Promise<never>(() => {});
  });
  return { controller, seen, call };
}

describe("a cancelled call", () => {
  it("tells what it had used by then", async () => {
    const { controller, seen, call } = setup();
    const ended = settled(call)("x", { signal: controller.signal });
    controller.abort("enough");
    const { ok, story } = await ended;
    seen.stop();
    expect(ok).toBe(false);
    expect(story).toMatchObject({ state: "cancelled", cost: { inputTokens: 12, model: "m" } });
    expect(seen.of("call.settled")).toMatchObject([{ state: "cancelled", cost: { inputTokens: 12, model: "m" } }]);
  });
});

import { describe, expect, it } from "vitest";
import { breaker, classify, FallbackExhaustedError, protect, settled } from "../../src/index.ts";
import { script } from "../../src/testing/index.ts";

const down = Object.assign(new Error("down"), { status: 503 });
const bad = Object.assign(new Error("bad"), { status: 500 });

function setup() {
  const alpha = protect("alpha", script<string>({ error: down }));
  const second = script<string>({ value: "from beta" });
  const beta = protect("beta", second);
  const third = script<string>({ error: bad });
  return { alpha, beta, second, failing: protect("gamma", third), third };
}

describe("a chain whose tiers are protected calls", () => {
  it("hands on to each what was tried before it, though it is a call of its own", async () => {
    const { alpha, beta, second } = setup();
    await protect("ask", alpha, { fallback: [beta] })(undefined);
    const [call] = second.calls;
    expect(call?.context.previous.map(({ error, tierName }) => [error, tierName])).toEqual([[down, "alpha"]]);
  });

  it("hands on nothing to a call that an operation merely makes", async () => {
    const { alpha, beta, second } = setup();
    const asking = (_: undefined, context: Parameters<typeof beta>[1]) => beta(undefined, context);
    await protect("ask", alpha, { fallback: [asking] })(undefined);
    expect(second.calls[0]?.context.previous).toEqual([]);
  });

  it("names the first tier as the call that it is", async () => {
    const { alpha, failing } = setup();
    const { ok, story } = await settled(protect("ask", alpha, { fallback: [failing] }))(undefined);
    expect([ok, story.failures.map(({ tierName }) => tierName), story.tierName]).toEqual([
      false,
      ["alpha", "gamma"],
      "gamma",
    ]);
  });

  it("is judged by what ran, not by the breaker that was open", async () => {
    const { failing } = setup();
    const open = breaker();
    open.isolate();
    const call = protect("ask", open(script<string>({ value: "never" })), { fallback: [failing] });
    const { error } = (await settled(call)(undefined)) as { error: unknown };
    expect(error).toBeInstanceOf(FallbackExhaustedError);
    expect(classify(error)).toMatchObject({ kind: "transient", retry: false });
  });
});

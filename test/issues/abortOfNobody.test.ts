import { describe, expect, it } from "vitest";
import { breaker, protect, settled } from "../../src/index.ts";

/** As a client ends a request by a time-out of its own. */
function setup() {
  let calls = 0;
  const operation = async (_: undefined) => {
    calls++;
    const own = new AbortController();
    own.abort();
    own.signal.throwIfAborted();
    return "never";
  };
  return { operation, circuit: breaker({ consecutiveFailures: 3 }), calls: () => calls };
}

describe("an abort that is not the caller's is a failure like others", () => {
  it("tried again, counted, and handed to the next tier", async () => {
    const { operation, circuit, calls } = setup();
    const call = protect("client", operation, {
      retry: { attempts: 3, base: 0 },
      breaker: circuit,
      fallback: [{ name: "other", operation: async () => "other" }],
    });
    const { ok, story } = await settled(call)(undefined);
    expect([ok, story.tierName, calls(), circuit.state.state]).toEqual([true, "other", 3, "open"]);
    expect(story.failures.map(({ kind }) => kind)).toEqual(["unknown", "unknown", "unknown"]);
  });

  it("and `when` is asked about it", async () => {
    const { operation, calls } = setup();
    const kinds: unknown[] = [];
    const when = (_: unknown, verdict: { kind: string } | undefined) => kinds.push(verdict?.kind) > 5;
    await settled(protect("client", operation, { retry: { attempts: 3, when } }))(undefined);
    expect([kinds, calls()]).toEqual([["unknown"], 1]);
  });

  it("while the caller's own is none, whatever the operation makes of it", async () => {
    const { circuit } = setup();
    const caller = new AbortController();
    const call = protect(
      "client",
      async (_: undefined, { signal }) => {
        caller.abort();
        signal.throwIfAborted();
        return "never";
      },
      { retry: { attempts: 3, base: 0 }, breaker: circuit },
    );
    const { story } = await settled(call)(undefined, { signal: caller.signal });
    expect([story.state, story.attempts, circuit.state.failures]).toEqual(["cancelled", 1, 0]);
  });
});

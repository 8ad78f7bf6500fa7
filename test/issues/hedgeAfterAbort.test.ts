// A first try that sent its own caller away and threw, in one turn, was followed by a second: for nobody.
import { expect, it } from "vitest";
import { eventBus, protect, settled } from "../../src/index.ts";
import { seams, testClock } from "../../src/testing/index.ts";

it.each([false, true])(
  "a hedge begins nothing when the first try has aborted its caller and fails at once (nested: %s)",
  async (nested) => {
    using _ = seams({ clock: testClock(), events: eventBus() });
    const caller = new AbortController();
    let calls = 0;
    const hedged = protect<void, never>(
      "hedged",
      () => {
        calls++;
        caller.abort(new Error("gone"));
        throw new Error("down");
      },
      { hedge: { after: 10 } },
    );
    const call = nested ? protect("outer", hedged) : hedged;
    const { story } = await settled(call)(undefined, { signal: caller.signal });
    expect([story.state, calls]).toEqual([nested ? "cancelled" : "failed", 1]);
  },
);

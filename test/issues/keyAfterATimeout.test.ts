// Once the second try had answered for one that was timed out, a later tier was asked without the declared key.
import { expect, it } from "vitest";
import { eventBus, protect } from "../../src/index.ts";
import { script, seams, testClock } from "../../src/testing/index.ts";

const failed = { error: { code: 500, message: "failed, with status 200" } };

it.each([{ retry: { attempts: 2, base: 0 } }, { hedge: { after: 10 } }])(
  "a tier has the declared key, with %o",
  async (layers) => {
    const clock = testClock();
    using _ = seams({ clock, events: eventBus(), random: () => 0 });
    const tier = script({ value: "second" as unknown });
    const first = script<unknown>({ value: "late", after: 100 }, { value: failed });
    const call = protect("call", first, { ...layers, timeout: 20, idempotencyKey: () => "key", fallback: [tier] });
    const answer = call(undefined);
    await clock.advance("1s");
    expect(await answer).toBe("second");
    expect([...first.calls, ...tier.calls].map(({ context }) => context.idempotencyKey)).toEqual(["key", "key", "key"]);
  },
);

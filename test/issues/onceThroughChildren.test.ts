// A tier that is a call of its own had reached its service before its last try was refused: by that last try alone the next tier was asked.
import { expect, it } from "vitest";
import { eventBus, protect } from "../../src/index.ts";
import { script, seams, testClock } from "../../src/testing/index.ts";

const refused = {
  error: Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" }),
};
const reset = { error: Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }) };

function setup() {
  const clock = testClock();
  const restore = seams({ clock, events: eventBus() });
  return {
    async ended(call: (input: undefined) => Promise<unknown>) {
      using _ = restore;
      const ended = call(undefined).then(
        () => "delivered",
        (error) => error.message,
      );
      await clock.advance("1m");
      return ended;
    },
  };
}

it("what a tier's own call may have done in an earlier try is not sent to another tier", async () => {
  const { ended } = setup();
  const tier = protect("tier", script<string>(reset, refused, refused), { retry: { base: 1 } });
  const next = script<string>({ value: "done twice" });
  const pay = protect("pay", script<string>(refused), { idempotent: false, fallback: [tier, next] });
  expect(await ended(pay)).not.toBe("delivered");
  expect(next.calls).toHaveLength(0);
});

it("nor tried again where that call is the operation itself; what surely was not received is", async () => {
  const { ended } = setup();
  const once = { idempotent: false, retry: { base: 1 } };
  const inner = script<string>(reset, refused, { value: "done twice" });
  const pay = protect("pay", protect("inner", inner, { fallback: [inner] }), once);
  expect(await ended(pay)).not.toBe("delivered");
  expect(inner.calls).toHaveLength(2);
});

it("nor where a call made inside, not to be repeated itself, has been done, and what followed it was refused", async () => {
  const { ended } = setup();
  const charge = script<string>({ value: "charged" }, { value: "charged twice" });
  const charging = protect("charge", charge, { idempotent: false });
  const ship = script<string>(refused, { value: "shipped" });
  const order = protect(
    "order",
    async (_: undefined, context) => {
      await charging(undefined, context);
      return ship(undefined, context);
    },
    { idempotent: false, retry: { base: 1 } },
  );
  expect(await ended(order)).toBe("connect ECONNREFUSED");
  expect(charge.calls).toHaveLength(1);
});

it("a call made inside that may be repeated hinders nothing", async () => {
  const { ended } = setup();
  const token = protect("token", script<string>({ value: "a" }, { value: "b" }), { retry: {} });
  const ship = script<string>(refused, { value: "shipped" });
  const order = protect(
    "order",
    async (_: undefined, context) => {
      await token(undefined, context);
      return ship(undefined, context);
    },
    { idempotent: false, retry: { base: 1 } },
  );
  expect(await ended(order)).toBe("delivered");
});

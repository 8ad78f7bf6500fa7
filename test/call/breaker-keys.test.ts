// A circuit for each key.
import { type BreakerOpenError, defineWrapper, eventBus, explain, pipe } from "holdfast";
import { record, testClock } from "holdfast/testing";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { mostKeys } from "../../src/call/breaker/keys.ts";
import { breaker } from "../../src/call/breaker.ts";
import { readyIn } from "../../src/core/stack.ts";
import { down, later, settledWith, well } from "./breaker-setup.ts";

interface Query {
  readonly tenant: string;
  readonly act?: () => Promise<unknown>;
}
const ask = async ({ act = well }: Query) => act();

function setup() {
  const clock = testClock();
  const bus = eventBus();
  const perTenant = breaker(
    { key: (query: Query) => query.tenant, consecutiveFailures: 1, breakTime: "5s" },
    { clock, events: bus, name: "bank" },
  );
  return { clock, seen: record(bus), perTenant, call: perTenant(ask) };
}

describe("a breaker with a key", () => {
  it("keeps a circuit for each key: one tenant's failures are nothing to another", async () => {
    const { call, perTenant } = setup();
    await settledWith(call({ tenant: "a", act: down }));
    await expect(call({ tenant: "a" })).rejects.toMatchObject({ code: "BREAKER_OPEN" });
    expect(await call({ tenant: "b" })).toBe("well");
    expect(perTenant.of("a").state.state).toBe("open");
    expect(perTenant.of("b").state).toMatchObject({ state: "closed", calls: 1 });
  });

  it("names the circuit by its key", async () => {
    const { call, perTenant, seen } = setup();
    perTenant.of("a").isolate();
    const error = (await call({ tenant: "a" }).catch((thrown: unknown) => thrown)) as BreakerOpenError;
    expect(error).toMatchObject({ operation: "ask", breaker: "bank[a]" });
    expect(seen.of("breaker.opened")).toMatchObject([{ name: "bank[a]", component: "bank" }]);
  });

  it("gives that key's own breaker, which wraps, is asked and is closed like any other", async () => {
    const { call, perTenant } = setup();
    const ofA = perTenant.of("a");
    expect(ofA.kind).toBe("breaker");
    await settledWith(ofA(down)());
    await expect(call({ tenant: "a" })).rejects.toMatchObject({ code: "BREAKER_OPEN" });
    expect(perTenant.of("a").acquire()).toBeUndefined();
    ofA.close();
    expect(await call({ tenant: "a" })).toBe("well");
  });

  it("asks for the key once an attempt, and the circuit it found is the one that hears, whatever becomes of the input", async () => {
    const asked: unknown[] = [];
    const keyed = breaker({ key: (query: Query) => String(asked.push(query)), consecutiveFailures: 1 });
    const renamed = defineWrapper("renamed", z.undefined(), undefined, () => ({
      bracket: { before: ({ input }) => ({ ...(input as Query), tenant: "somebody else" }) },
    }));
    await settledWith(pipe(ask, renamed, keyed)({ tenant: "a", act: down }));
    expect(asked).toMatchObject([{ tenant: "a" }]);
    expect(keyed.of("1").state.state).toBe("open");
  });

  it("whose key throws ends the call with that error", async () => {
    const keyed = breaker({
      key: (query: Query) => {
        if (query.tenant === "") throw new Error("no tenant");
        return query.tenant;
      },
    });
    let calls = 0;
    await expect(keyed(async (_: Query) => ++calls)({ tenant: "" })).rejects.toThrow("no tenant");
    expect(calls).toBe(0);
  });

  it("takes nothing for a key but a string: a promise would be a new key each time", async () => {
    const keyed = breaker({ key: (async () => "a") as never });
    await expect(keyed(ask)({ tenant: "a" })).rejects.toThrow("The key of a breaker has to be a string, not object.");
  });

  it("is ready as that key's circuit is; what has no key yet is tried", async () => {
    const { call, perTenant } = setup();
    perTenant.of("a").isolate();
    expect(readyIn(call, { tenant: "a" })).toBe(Number.POSITIVE_INFINITY);
    expect(readyIn(call, { tenant: "unknown" })).toBe(0);
    expect(readyIn(call, undefined)).toBe(0);
  });

  it("keeps the keys used last, and forgets closed circuits before open ones", async () => {
    const { call, perTenant } = setup();
    await settledWith(call({ tenant: "open", act: down }));
    await call({ tenant: "closed" });
    for (let i = 0; i < mostKeys - 2; i++) await call({ tenant: `t${i}` });
    expect(perTenant.of("closed").state.calls).toBe(1); // full, and used just now
    for (let i = 0; i < 10; i++) await call({ tenant: `new${i}` });
    const [layer] = explain(call);
    expect(layer?.state).toMatchObject({ keys: mostKeys, notClosed: { open: { state: "open" } } });
    expect(perTenant.of("closed").state.calls).toBe(1);
    expect(perTenant.of("t0").state.calls).toBe(0); // forgotten: as new
  });

  it("does not take a question for a use", async () => {
    const { call, perTenant } = setup();
    for (let i = 0; i < mostKeys; i++) await call({ tenant: `t${i}` });
    readyIn(call, { tenant: "t0" });
    await call({ tenant: "one more" });
    expect(perTenant.of("t0").state.calls).toBe(0);
  });

  it("forgets the open circuit used longest ago when all are open", async () => {
    const { call, perTenant } = setup();
    for (let i = 0; i <= mostKeys; i++) await settledWith(call({ tenant: `t${i}`, act: down }));
    expect(perTenant.of(`t${mostKeys}`).state.state).toBe("open");
    expect(perTenant.of("t0").state.state).toBe("closed");
  });

  it("lets an attempt settle whose circuit was forgotten meanwhile", async () => {
    const { call } = setup();
    const { act, fail } = later();
    const running = settledWith(call({ tenant: "slow", act }));
    for (let i = 0; i < mostKeys; i++) await call({ tenant: `t${i}` });
    fail();
    await running;
    expect(await call({ tenant: "slow" })).toBe("well");
  });
});

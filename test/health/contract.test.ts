// The agreed call sites of health, letter for letter: that they compile is the test; that they run is told beside it.
import { describe, expect, it } from "vitest";
import { events, type Health, health, healthHandler, nodeHandler, probe } from "../../src/index.ts";
import { setup } from "./setup.ts";

describe("the agreed call sites", () => {
  it("compile as they stand, and give what they say", async () => {
    const { clock } = setup();
    // biome-ignore format: letter for letter
    const db = probe("db", async ({ signal }) => { await fetch("http://x.invalid", { signal }); }, { every: "10s", kind: "readiness" });
    const now: Promise<Health> = db.now();
    await clock.advance("1s");
    now.then((h) => h === "healthy");
    db.stop();
    expect(health("db").reasons.join().length).toBeGreaterThan(0);
    expect(health().status).toBe("unknown");
    const handler: (r: Request) => Promise<Response> = healthHandler();
    const node: (request: unknown, response: unknown) => void = nodeHandler(handler);
    expect(node.length).toBe(3);
    events.on("health.changed", (e) => e.to.length, { component: "stripe" })();
  });
});

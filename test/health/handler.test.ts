// What an orchestrator and people are answered, of whatever framework the request is.
import { describe, expect, it } from "vitest";
import { health, healthHandler, OptionsInvalidError, probe, protect } from "../../src/index.ts";
import { checking, down, fails, never, setup, turn, well } from "./setup.ts";

function asking(options?: Parameters<typeof healthHandler>[0]) {
  const shared = setup();
  const handler = healthHandler(options);
  return {
    ...shared,
    handler,
    async ask(path: string, method = "GET") {
      const response = await handler(new Request(`http://localhost${path}`, { method }));
      const text = await response.text();
      const { status, headers } = response;
      return { status, headers, body: text.startsWith("{") ? JSON.parse(text) : text };
    },
  };
}

describe("the health handler", () => {
  it("answers all four when nothing is known and nothing is declared", async () => {
    const { ask } = asking();
    expect(await ask("/livez")).toMatchObject({ status: 200, body: { status: "pass" } });
    expect(await ask("/readyz")).toMatchObject({ status: 200, body: { status: "pass" } });
    expect(await ask("/startupz")).toMatchObject({ status: 200, body: { status: "pass" } });
    expect(await ask("/health")).toMatchObject({ status: 200, body: { status: "warn", checks: {} } });
  });

  it("says of each answer that it is `application/health+json` and not to be kept", async () => {
    const { ask } = asking();
    for (const path of ["/livez", "/readyz", "/startupz", "/health"]) {
      const { headers } = await ask(path);
      expect([headers.get("content-type"), headers.get("cache-control")]).toEqual([
        "application/health+json",
        "no-store",
      ]);
    }
  });

  it("says of a path that is not its own that the answer is not to be kept, and how long it is", async () => {
    const { ask } = asking();
    const { status, headers } = await ask("/elsewhere");
    expect([status, headers.get("cache-control"), headers.get("content-length")]).toEqual([404, "no-store", "9"]);
  });

  it("on shutdown: readiness turns false in the first moment, while liveness stays true", async () => {
    const { ask } = asking();
    const undo = health.unready("shutting down");
    expect(await ask("/readyz")).toMatchObject({ status: 503, body: { status: "fail", output: "shutting down" } });
    expect((await ask("/livez")).status).toBe(200);
    expect((await ask("/startupz")).status).toBe(200);
    undo();
  });

  it("asks no dependency for liveness: only a liveness probe can end it, and only when it is known to fail", async () => {
    const { ask, probed, clock } = asking();
    probed("db", () => Promise.reject(down()));
    const loop = checking(never);
    probed("loop", loop.run, { kind: "liveness" });
    expect((await ask("/livez")).status).toBe(200);
    await clock.advance("1s");
    expect((await ask("/readyz")).status).toBe(503);
    expect(await ask("/livez")).toMatchObject({
      status: 503,
      body: { status: "fail", output: expect.stringContaining("loop: its check took longer than 1 000 ms") },
    });
  });

  it("gives an entry a component in `/health`, as the draft has it", async () => {
    const { ask, probed, clock } = asking();
    probed("db", () => clock.sleep(12));
    await clock.advance("20s");
    for (let i = 0; i < 3; i++) {
      await protect("stripe:eu", fails)().catch(() => {});
      await clock.advance("1s");
    }
    const { status, body } = await ask("/health");
    expect(status).toBe(200);
    const time = "2026-11-25T00:00:20.012Z";
    expect(body).toEqual({
      status: "warn",
      checks: {
        "stripe-eu": [
          {
            componentType: "component",
            status: "fail",
            observedValue: "unhealthy",
            time: "2026-11-25T00:00:22.000Z",
            output: "calls fail (transient), since 2026-11-25T00:00:22.000Z, last seen 1 s ago",
          },
        ],
        db: [{ componentType: "component", status: "pass", observedValue: "healthy", time }],
        "db:responseTime": [
          { componentType: "component", status: "pass", observedValue: 12, observedUnit: "ms", time },
        ],
      },
    });
  });

  it("answers `/health` with 503 when the whole is unhealthy, with 200 when it is degraded", async () => {
    const { ask, probed } = asking();
    probed("search", () => Promise.reject(down()), { criticality: "sheddable" });
    await turn();
    expect(await ask("/health")).toMatchObject({ status: 200, body: { status: "warn" } });
    probed("db", () => Promise.reject(down()));
    await turn();
    expect(await ask("/health")).toMatchObject({ status: 503, body: { status: "fail" } });
  });

  it("is bounded: a hundred components at most, the worst first, and how many more there are", async () => {
    const { ask } = asking();
    for (let i = 0; i < 150; i++)
      await protect(`a component of a rather long name, ${"x".repeat(500)} ${i}`.slice(-300), well)();
    const undo = health.watch("worst", { failureThreshold: 1 });
    await protect("worst", fails)().catch(() => {});
    const { body } = await ask("/health");
    expect(Object.keys(body.checks)[0]).toBe("worst");
    expect(Object.keys(body.checks).length).toBeLessThanOrEqual(100);
    expect(body.notes).toEqual(["and 51 more components, none of them worse than these"]);
    expect(JSON.stringify(body).length).toBeLessThan(40_000);
    undo();
  });

  it.each([
    ["a colon", "db:main", "db-main", "db-main"],
    ["what is cut off", `${"x".repeat(100)}1`, `${"x".repeat(100)}2`, "x".repeat(100)],
  ])(
    "hides no component behind another whose name differs by %s alone: the worst first",
    async (_, ill, sound, key) => {
      const { ask, probed } = asking();
      probed(sound, async () => {});
      probed(ill, () => Promise.reject(down()));
      await turn();
      const { body } = await ask("/health");
      expect(Object.keys(body.checks)).toEqual([key, `${key}:responseTime`]);
      expect(body.checks[key]).toMatchObject([{ observedValue: "unhealthy" }, { observedValue: "healthy" }]);
      expect(body.checks[`${key}:responseTime`].length).toBe(2);
    },
  );

  it("does not run checks for a request, and waits for none, but for its very first answer", async () => {
    const { ask, probed, clock } = asking();
    const check = checking(() => clock.sleep(300));
    probed("db", check.run);
    const first = ask("/readyz");
    await clock.advance("300ms");
    expect((await first).status).toBe(200);
    check.act = never;
    await clock.advance("10s"); // the second round hangs
    for (let i = 0; i < 100; i++) expect((await ask("/readyz")).status).toBe(200);
    expect(check.contexts.length).toBe(2);
  });

  it("waits for a first answer no longer than the probe's time-out", async () => {
    const { ask, probed, clock } = asking();
    probed("db", never, { timeout: "200ms" });
    const answer = ask("/readyz");
    await clock.advance("200ms");
    expect((await answer).status).toBe(503);
  });

  it("waits for no answer that it does not need, nor while it shuts down", async () => {
    const { ask, probed } = asking();
    probed("db", never);
    expect((await ask("/livez")).status).toBe(200);
    expect((await ask("/startupz")).status).toBe(200);
    const undo = health.unready("shutting down");
    expect((await ask("/readyz")).status).toBe(503);
    expect((await ask("/health")).status).toBe(200);
    undo();
  });

  it("is answered while thousands of calls hang and fail", async () => {
    const { ask } = asking();
    const hanging = protect("hanging", never);
    for (let i = 0; i < 5_000; i++) void hanging().catch(() => {});
    const failing = protect("failing", fails);
    for (let i = 0; i < 5_000; i++) void failing().catch(() => {});
    expect((await ask("/livez")).status).toBe(200);
    expect((await ask("/readyz")).status).toBe(200);
    expect((await ask("/health")).status).toBe(200);
  });

  it("gives no secret away: nothing that the other side has written", async () => {
    const { handler, probed, clock } = asking();
    probed("db", () => Promise.reject(down()));
    for (let i = 0; i < 3; i++) {
      await protect("stripe", fails)().catch(() => {});
      await clock.advance("1s");
    }
    for (const path of ["/health", "/readyz"])
      expect(await (await handler(new Request(`http://localhost${path}`))).text()).not.toContain("hunter2");
  });

  it("answers HEAD as GET, without the body", async () => {
    const { ask } = asking();
    const undo = health.unready("shutting down");
    const { status, headers, body } = await ask("/readyz", "HEAD");
    expect([status, headers.get("content-type"), body]).toEqual([503, "application/health+json", ""]);
    undo();
  });

  it.each(["POST", "PUT", "DELETE", "OPTIONS"])("refuses %s, and says what is allowed", async (method) => {
    const { ask } = asking();
    const { status, headers } = await ask("/livez", method);
    expect([status, headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it.each([
    [
      undefined,
      { "/livez": 200, "/livez/": 200, "/livez?verbose": 200, "/ops/livez": 404, "/": 404, "/toString": 404 },
    ],
    ["/ops", { "/ops/livez": 200, "/livez": 404, "/ops": 404, "/opslivez": 404, "/ops/patients/7/health": 404 }],
    ["/ops/", { "/ops/livez": 200, "/livez": 404, "/ops": 404, "/opslivez": 404, "/ops/patients/7/health": 404 }],
  ])("answers its own paths alone, under a base of %s", async (base, paths) => {
    const { ask } = asking({ base });
    for (const [path, status] of Object.entries(paths))
      expect([path, (await ask(path)).status]).toEqual([path, status]);
  });

  it("throws for a base that is no path", () => {
    setup();
    expect(() => healthHandler({ base: "ops/" })).toThrow(OptionsInvalidError);
  });

  it("is asked for health from the moment it is made", async () => {
    const { handler, ask } = asking();
    expect(handler.length).toBe(1);
    await protect("stripe", well)();
    expect((await ask("/health")).body).toMatchObject({ status: "pass", checks: { stripe: [{ status: "pass" }] } });
    probe("gone", async () => {}).stop();
    await turn();
    expect(Object.keys((await ask("/health")).body.checks)).toEqual(["stripe"]);
  });
});

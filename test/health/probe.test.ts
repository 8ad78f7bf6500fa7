// Active checks: when they run, what they find, and that nothing of them is left.
import { describe, expect, it } from "vitest";
import {
  eventBus,
  HoldfastError,
  health,
  OptionsInvalidError,
  type ProbeOptions,
  probe,
  protect,
} from "../../src/index.ts";
import { reset, seams, testClock } from "../../src/testing/index.ts";
import { calling, checking, down, fails, never, setup, turn, well } from "./setup.ts";

describe("a probe", () => {
  it("checks at once on start; until the first answer the state is unknown", async () => {
    const { probed, changes } = setup();
    const check = checking();
    probed("db", check.run);
    expect(check.contexts.length).toBe(1);
    expect(health("db")).toEqual({ status: "unknown", reasons: ["its check has not answered yet"] });
    await turn();
    expect(health("db")).toEqual({ status: "healthy", reasons: [] });
    expect(changes()).toEqual(["unknown → healthy"]);
  });

  it.each([
    ["`false`", false],
    ["`ok: false`", { ok: false, detail: "token=hunter2" }],
    ["`healthy: false`", { healthy: false }],
    ['`status: "down"`', { status: "DOWN" }],
    ['`status: "fail"`', { status: "fail" }],
    ['`status: "failed"`', { status: "failed" }],
    ['`status: "unhealthy"`', { status: "Unhealthy" }],
    ['`status: "unavailable"`', { status: "unavailable" }],
    ['`status: "error"`', { status: "error", error: {} }],
    ["HTTP 302", new Response(null, { status: 302 })],
  ])("takes a check that answers %s for one that failed, and says so", async (said, answer) => {
    const { probed } = setup();
    probed("db", async () => answer);
    await turn();
    expect(health("db")).toEqual({
      status: "unhealthy",
      reasons: [expect.stringContaining(`its check failed: it answered ${said}, since`)],
    });
    expect(JSON.stringify(health())).not.toContain("hunter2");
  });

  it.each(["degraded", "WARN", "warning"])("takes a check that answers status %s for a poor one", async (status) => {
    const { probed } = setup();
    probed("db", async () => ({ status }));
    await turn();
    const said = `its check says so: it answered \`status: "${status.toLowerCase()}"\`, since`;
    expect(health("db")).toEqual({ status: "degraded", reasons: [expect.stringContaining(said)] });
  });

  it.each([
    ["true", true],
    ["nothing found", null],
    ["a number", 0],
    ["an empty list", []],
    ["a word", "down"],
    ["{ ok: true }", { ok: true, status: "up" }],
    ["a database's row", { ok: 0 }],
    ["a status that is well", { status: "pass" }],
    ["a status that is a number", { status: 200 }],
    ["a response that is ok", new Response(null, { status: 204 })],
  ])("takes every other answer for a check that passed: %s", async (_, answer) => {
    const { probed } = setup();
    probed("db", async () => answer);
    await turn();
    expect(health("db")).toEqual({ status: "healthy", reasons: [] });
  });

  it("takes what cannot be read for a check that passed", async () => {
    const { probed } = setup();
    const unreadable = {
      get ok() {
        throw new Error("no");
      },
    };
    probed("db", async () => unreadable);
    await turn();
    expect(health("db").status).toBe("healthy");
  });

  it("checks again and again, every ten seconds without a word", async () => {
    const { probed, clock } = setup();
    const check = checking();
    probed("db", check.run);
    await clock.advance("9999ms");
    expect(check.contexts.length).toBe(1);
    await clock.advance("1ms");
    expect(check.contexts.length).toBe(2);
    await clock.advance("1m");
    expect(check.contexts.length).toBe(8);
  });

  it.each([
    [0, 9_000],
    [1, 11_000],
  ])("comes a tenth earlier or later, so that many do not ask together (chance %d)", async (chance, ms) => {
    const { probed, clock } = setup({ random: () => chance });
    const check = checking();
    probed("db", check.run);
    await clock.advance(ms - 1);
    expect(check.contexts.length).toBe(1);
    await clock.advance(1);
    expect(check.contexts.length).toBe(2);
  });

  it.each([
    [
      "throws",
      () => {
        throw down();
      },
      "its check failed: transient (HTTP 502)",
    ],
    ["rejects", async () => Promise.reject(down()), "its check failed: transient (HTTP 502)"],
    ["hangs", never, "its check took longer than 1 000 ms"],
  ] as ReadonlyArray<[string, () => Promise<void>, string]>)(
    "that %s is unhealthy with a reason, harms no other check, and runs again next round",
    async (_, act, text) => {
      const { probed, clock } = setup();
      const bad = checking(act);
      const good = checking();
      probed("db", bad.run);
      probed("disk", good.run);
      await clock.advance("1s");
      expect(health("db").status).toBe("unhealthy");
      expect(health("db").reasons).toEqual([expect.stringContaining(text)]);
      expect(health("disk").status).toBe("healthy");
      bad.act = async () => {};
      await clock.advance("9s");
      expect([bad.contexts.length, good.contexts.length]).toEqual([2, 2]);
      expect(health("db")).toEqual({ status: "healthy", reasons: [] });
    },
  );

  it("that takes too long has its signal aborted, with the time-out for a reason", async () => {
    const { probed, clock } = setup();
    const check = checking(never);
    probed("db", check.run, { timeout: "200ms" });
    const signal = check.contexts[0]?.signal as AbortSignal;
    await clock.advance("199ms");
    expect(signal.aborted).toBe(false);
    await clock.advance("1ms");
    expect(HoldfastError.is(signal.reason, "TIMEOUT")).toBe(true);
  });

  it("that passed never sees its signal aborted", async () => {
    const { probed, clock } = setup();
    const check = checking();
    const { stop } = probed("db", check.run);
    await clock.advance("5s");
    stop();
    expect(check.contexts[0]?.signal.aborted).toBe(false);
  });

  it("that is right but slow is degraded: a right but slow answer is no good one", async () => {
    const { probed, clock, reasons } = setup();
    const check = checking(() => clock.sleep(600));
    probed("db", check.run);
    await clock.advance("600ms");
    expect(health("db").status).toBe("degraded");
    expect(reasons()).toEqual(["its check is right but slow (600 ms)"]);
    check.act = () => clock.sleep(500);
    await clock.advance("10s");
    expect(health("db").status).toBe("healthy");
  });

  it("that gives what tells of a failure has not passed", async () => {
    const { probed } = setup();
    probed("db", async () => new Response(null, { status: 503 }));
    await turn();
    expect(health("db").reasons).toEqual([expect.stringContaining("overloaded (HTTP 503)")]);
  });

  it("changes only after the declared number of rounds in a row; one event a change", async () => {
    const { probed, clock, changes } = setup();
    const check = checking();
    probed("db", check.run, { failureThreshold: 3, successThreshold: 2 });
    await turn();
    check.act = () => Promise.reject(down());
    await clock.advance("20s");
    expect(health("db").status).toBe("healthy");
    await clock.advance("10s");
    expect(health("db").status).toBe("unhealthy");
    await clock.advance("1m");
    check.act = async () => {};
    await clock.advance("10s");
    expect(health("db").status).toBe("unhealthy");
    await clock.advance("10s");
    expect(changes()).toEqual(["unknown → healthy", "healthy → unhealthy", "unhealthy → healthy"]);
  });

  it("that fails less often than makes it unhealthy is told: how many checks of how many, and of what kind", async () => {
    const { probed, clock } = setup();
    const check = checking();
    probed("db", check.run);
    await turn();
    check.act = () => Promise.reject(down());
    await clock.advance("20s");
    expect(health("db")).toEqual({
      status: "healthy",
      reasons: ["2 of 3 checks failed in a row: transient (HTTP 502), last seen 0 s ago"],
    });
    expect(health().reasons).toEqual([expect.stringMatching(/^db: 2 of 3 checks failed in a row/)]);
    check.act = async () => {};
    await clock.advance("10s");
    expect(health("db")).toEqual({ status: "healthy", reasons: [] });
  });

  it.each([
    ["it took longer than 1 000 ms", never],
    ["it answered `ok: false`", async () => ({ ok: false })],
    ["network (ECONNREFUSED)", () => Promise.reject(Object.assign(new Error("no"), { code: "ECONNREFUSED" }))],
  ] as ReadonlyArray<[string, () => Promise<unknown>]>)(
    "that is degraded and then fails once is told both ways: %s",
    async (why, act) => {
      const { probed, clock } = setup();
      const check = checking(() => clock.sleep(600));
      probed("db", check.run);
      await clock.advance("600ms");
      check.act = act as () => Promise<void>;
      await clock.advance("12s");
      expect(health("db")).toEqual({
        status: "degraded",
        reasons: [
          expect.stringMatching(/^its check is right but slow/),
          expect.stringContaining(`1 of 3 checks failed in a row: ${why}, last seen`),
        ],
      });
    },
  );

  it("that is slow and then fails is on its way to degraded", async () => {
    const { probed, clock } = setup();
    const check = checking();
    probed("db", check.run);
    await turn();
    check.act = () => clock.sleep(600);
    await clock.advance("11s");
    expect(health("db").reasons).toEqual([
      expect.stringMatching(/^1 of 3 checks in a row were slow or failed: right but slow \(600 ms\), last/),
    ]);
    check.act = () => Promise.reject(down());
    await clock.advance("10s");
    expect(health("db").reasons).toEqual([
      expect.stringMatching(/^2 of 3 checks in a row were slow or failed: transient/),
    ]);
  });

  it("does not flap with what fails now and then", async () => {
    const { probed, clock, changes } = setup();
    const check = checking();
    let round = 0;
    check.act = () => (++round % 3 === 0 ? Promise.reject(down()) : Promise.resolve());
    probed("db", check.run);
    await clock.advance("10m");
    expect(changes()).toEqual(["unknown → healthy"]);
  });

  it("says since when and how long ago, and nothing that the other side has written", async () => {
    const { probed, clock } = setup();
    probed("db", () => Promise.reject(down()));
    await clock.advance("25s");
    expect(health("db").reasons).toEqual([
      "its check failed: transient (HTTP 502), since 2026-11-25T00:00:00.000Z, last seen 5 s ago",
    ]);
    expect(JSON.stringify(health())).not.toContain("hunter2");
  });

  it("shows the message of a HoldfastError, which its author meant to be read, and the code of a network error", async () => {
    const { probed } = setup();
    probed("replica", () => Promise.reject(new HoldfastError("it lags behind by 40 s")));
    probed("db", () => Promise.reject(new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } })));
    await turn();
    expect(health("replica").reasons[0]).toMatch(/^its check failed: it lags behind by 40 s, since/);
    expect(health("db").reasons[0]).toMatch(/^its check failed: network \(ECONNREFUSED\), since/);
  });
});

describe("rounds", () => {
  it("never pile up: one of the same probe begins when the one before has ended", async () => {
    const { probed, clock } = setup();
    let running = 0;
    let most = 0;
    const check = checking(async () => {
      most = Math.max(most, ++running);
      await clock.sleep(900);
      running--;
    });
    probed("db", check.run, { every: "100ms" });
    await clock.advance("10s");
    expect(most).toBe(1);
    expect(check.contexts.length).toBeGreaterThan(8);
  });

  it("never pile up behind a check that hangs and hears no signal: three of it at a time", async () => {
    const { probed, clock } = setup();
    const check = checking(never);
    probed("db", check.run);
    await clock.advance("55s");
    expect(check.contexts.length).toBe(3);
    expect(health("db").status).toBe("unhealthy");
  });

  it("go on when what hung has ended, and also when it never does", async () => {
    const { probed, clock } = setup();
    const check = checking(never);
    probed("db", check.run);
    await clock.advance("55s");
    check.act = async () => {};
    await clock.advance("60s"); // the first is given up for lost
    expect(health("db").status).toBe("healthy");
  });

  it("of now() run at once, join the one that is on its way, and give the health", async () => {
    const { probed, clock } = setup();
    const check = checking();
    const db = probed("db", check.run);
    expect(await db.now()).toBe("healthy");
    expect(check.contexts.length).toBe(1);
    check.act = () => clock.sleep(300);
    const both = Promise.all([db.now(), db.now()]);
    await clock.advance("300ms");
    expect(await both).toEqual(["healthy", "healthy"]);
    expect(check.contexts.length).toBe(2);
    await clock.advance("10s"); // the interval begins anew
    expect(check.contexts.length).toBe(3);
  });

  it("of a startup probe rest once it has passed", async () => {
    const { probed, clock } = setup();
    const check = checking(() => Promise.reject(down()));
    probed("migrations", check.run, { kind: "startup" });
    await clock.advance("10s");
    check.act = async () => {};
    await clock.advance("10s");
    expect(check.contexts.length).toBe(3);
    await clock.advance("1h");
    expect(check.contexts.length).toBe(3);
    expect(clock.sleepers).toBe(0);
  });
});

describe("after stop", () => {
  it("no check runs and no timer is left; what it knew is known no longer", async () => {
    const { probed, clock, changes } = setup();
    const check = checking();
    const db = probed("db", check.run);
    await turn();
    db.stop();
    db.stop();
    expect(clock.sleepers).toBe(0);
    await clock.advance("1h");
    expect(check.contexts.length).toBe(1);
    expect(await db.now()).toBe("unknown");
    expect(check.contexts.length).toBe(1);
    expect(changes()).toEqual(["unknown → healthy", "healthy → unknown"]);
    expect(health()).toEqual({ status: "unknown", reasons: [] });
  });

  it("a check on its way is aborted, and its answer counts no more", async () => {
    const { probed, clock, changes } = setup();
    const answer = Promise.withResolvers<void>();
    const check = checking(() => answer.promise);
    const db = probed("db", check.run);
    const signal = check.contexts[0]?.signal;
    db.stop();
    await turn();
    expect(signal?.aborted).toBe(true);
    answer.resolve();
    await turn();
    expect(changes()).toEqual([]);
    expect(clock.sleepers).toBe(0);
  });

  it("from within the listener of a change nothing goes on either", async () => {
    const { probed, clock, events } = setup();
    const check = checking();
    const db = probed("db", check.run);
    events.on("health.changed", () => db.stop());
    await clock.advance("1h");
    expect(check.contexts.length).toBe(1);
    expect(clock.sleepers).toBe(0);
  });
});

describe("a component", () => {
  it("is as well as the worst of its probes and its calls", async () => {
    const { probed, clock } = setup();
    probed("stripe", async () => {});
    const { come } = calling("stripe", { breaker: { consecutiveFailures: 1 } });
    await come(well);
    expect(health("stripe").status).toBe("healthy");
    await come(fails);
    await clock.advance("1s");
    expect(health("stripe").status).toBe("unhealthy");
    expect(health("stripe").reasons).toEqual([expect.stringContaining("its breaker is open")]);
  });

  it("hears its probe's calls from the probe alone, those made in the check included", async () => {
    const { probed, clock } = setup();
    const inner = protect("stripe", async () => Promise.reject(down()));
    probed("stripe", (context) => inner(undefined, context), { failureThreshold: 10 });
    await clock.advance("45s");
    expect(health("stripe").reasons).toEqual([expect.stringContaining("its check failed")]);
    expect(health("stripe").reasons.length).toBe(1);
  });
});

describe("reset", () => {
  it("makes what probes know as new; they go on", async () => {
    const { probed, clock } = setup();
    const check = checking(() => Promise.reject(down()));
    probed("db", check.run);
    await turn();
    expect(health("db").status).toBe("unhealthy");
    reset();
    expect(health("db").status).toBe("unknown");
    check.act = async () => {};
    await clock.advance("10s");
    expect(health("db").status).toBe("healthy");
  });

  it("drops the answer to what was asked before it", async () => {
    const { probed, clock, changes } = setup();
    probed("db", async () => {
      await clock.sleep(100);
      throw down();
    });
    reset();
    await clock.advance("100ms");
    expect(changes()).toEqual([]);
    expect(health("db").status).toBe("unknown");
  });
});

describe("what cannot be meant", () => {
  it.each([
    [{ every: 0, timeout: "soon", kind: "life" }, ["every", "timeout", "kind"]],
    [
      { failureThreshold: 0, successThreshold: 1.5, slowAfter: -1 },
      ["slowAfter", "failureThreshold", "successThreshold"],
    ],
    [{ criticality: "vital", interval: "1s" }, ["criticality", "interval"]],
  ])("throws when the probe is made, all problems at once: %o", (options, paths) => {
    setup();
    const make = () => probe("db", async () => {}, options as ProbeOptions);
    expect(make).toThrow(OptionsInvalidError);
    for (const path of paths) expect(make).toThrow(path);
  });

  it.each([
    [
      { timeout: "2s", slowAfter: "3s" },
      "slowAfter: wanted at most `timeout` (2 000 ms), as what takes longer has failed: lower it, or raise that, got 3s",
    ],
    [{ slowAfter: 1_001 }, /slowAfter: wanted at most `timeout` \(1 000 ms\).*got 1001$/],
  ] as const)("is to be slow later than to have failed: %o", (options, told) => {
    setup();
    expect(() => probe("db", async () => {}, options)).toThrow(told);
  });

  it("does not hinder what is never to be degraded", () => {
    setup();
    probe("db", async () => {}, { timeout: "2s", slowAfter: "2s" }).stop();
  });

  it("is a component without a name, and no check", () => {
    setup();
    expect(() => probe("", async () => {})).toThrow('component: wanted the name of what is checked, such as "db"');
    expect(() => probe("db", "check" as never)).toThrow("a function");
  });
});

it("has seams of its own, where it is given some", async () => {
  const { clock } = setup();
  const [own, bus] = [testClock(), eventBus()];
  const check = checking();
  const db = probe("db", check.run, {}, { clock: own, events: bus });
  await own.advance("10s");
  expect(check.contexts.length).toBe(2);
  expect([clock.sleepers, own.sleepers]).toEqual([0, 1]);
  expect(await db.now()).toBe("healthy");
  expect(health("db").status).toBe("unknown"); // on the bus in force
  db.stop();
});

it("follows the bus that is in force, so that a test sees what was declared at a module's top", async () => {
  const { clock, events } = setup();
  const check = checking();
  const db = probe("db", check.run);
  await turn();
  {
    using _ = seams({ events: eventBus() });
    expect(await db.now()).toBe("healthy");
    expect(health("db").status).toBe("healthy");
  }
  expect(health("db").status).toBe("unknown");
  expect(await db.now()).toBe("healthy");
  expect(events.quiet).toBe(false);
  db.stop();
  expect(clock.sleepers).toBe(0);
});

it("leaves the bus quiet while nobody has asked for health", async () => {
  const { seen, events } = setup();
  seen.stop();
  await protect("db", async () => 1)();
  expect(events.quiet).toBe(true);
  health("db");
  expect(events.quiet).toBe(false);
});

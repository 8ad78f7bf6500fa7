// What protected calls tell of their component, though nobody asks it.
import { describe, expect, it } from "vitest";
import { breaker, type EventType, health, named, OptionsInvalidError, protect } from "../../src/index.ts";
import { reset } from "../../src/testing/index.ts";
import { calling, down, fails, never, notFound, setup, well } from "./setup.ts";

/** So many failed calls, each a second after the other. */
async function failing(
  { clock }: Pick<ReturnType<typeof setup>, "clock">,
  { come }: ReturnType<typeof calling>,
  times = 3,
) {
  for (let i = 0; i < times; i++) {
    await come(fails);
    await clock.advance("1s");
  }
}

describe("a component that is called", () => {
  it("is unknown until something was seen of it, and healthy with the first success", async () => {
    setup();
    expect(health("stripe")).toEqual({ status: "unknown", reasons: ["nothing is known of it"] });
    const { come } = calling("stripe");
    await come(well);
    expect(health("stripe")).toEqual({ status: "healthy", reasons: [] });
  });

  it("that has failed once is not known yet, since no time; it is told how often it failed of how often", async () => {
    const { clock } = setup();
    health();
    const { come } = calling("stripe");
    await come(fails);
    expect(health("stripe")).toEqual({
      status: "unknown",
      reasons: ["calls fail (transient): 1 of 3 results in a row, last seen 0 s ago"],
    });
    await clock.advance("1s");
    await come(fails);
    expect(health("stripe").reasons).toEqual(["calls fail (transient): 2 of 3 results in a row, last seen 0 s ago"]);
  });

  it("that begins to do worse stays what it was, and that is told, until a call succeeds or it is old", async () => {
    const { clock } = setup();
    health();
    const { come } = calling("stripe");
    await come(well);
    await clock.advance("1s");
    await come(fails);
    const told = { status: "healthy", reasons: ["calls fail (transient): 1 of 3 results in a row, last seen 0 s ago"] };
    expect(health("stripe")).toEqual(told);
    await clock.advance("1s");
    await come(well);
    expect(health("stripe")).toEqual({ status: "healthy", reasons: [] });
    await clock.advance("1s");
    await come(fails);
    expect(health("stripe")).toEqual(told);
    await clock.advance("5m");
    expect(health("stripe")).toEqual({ status: "healthy", reasons: [] });
  });

  it("that begins to do better while nothing is known of it is told likewise", async () => {
    setup();
    const undo = health.watch("stripe", { successThreshold: 2 });
    await calling("stripe").come(well);
    expect(health("stripe")).toEqual({
      status: "unknown",
      reasons: ["calls succeed: 1 of 2 results in a row, last seen 0 s ago"],
    });
    undo();
  });

  it("is known only from the moment on when somebody first asked", async () => {
    setup();
    const { come } = calling("stripe");
    await come(well);
    expect(health("stripe").status).toBe("unknown");
    await come(well);
    expect(health("stripe").status).toBe("healthy");
  });

  it("is unhealthy when its calls fail for three seconds in a row, and well again with the first second that is good", async () => {
    const { clock, changes } = setup();
    health();
    const stripe = calling("stripe");
    await stripe.come(well);
    await clock.advance("1s");
    await failing({ clock }, stripe, 2);
    expect(health("stripe").status).toBe("healthy");
    await failing({ clock }, stripe, 1);
    expect(health("stripe").status).toBe("unhealthy");
    expect(health("stripe").reasons).toEqual([
      "calls fail (transient), since 2026-11-25T00:00:03.000Z, last seen 1 s ago",
    ]);
    await stripe.come(well);
    expect(changes()).toEqual(["unknown → healthy", "healthy → unhealthy", "unhealthy → healthy"]);
  });

  it("is not brought down by a burst: calls within one second are one result, what the greater part of them says", async () => {
    const { clock, changes } = setup();
    health();
    const { come } = calling("stripe");
    for (let second = 0; second < 60; second++) {
      await come(fails, 4);
      await come(well, 6);
      await clock.advance("1s");
    }
    expect(changes()).toEqual(["unknown → healthy"]);
    for (let second = 0; second < 10; second++) {
      await come(well, 4);
      await come(fails, 6);
      await clock.advance("1s");
    }
    expect(changes()).toEqual(["unknown → healthy", "healthy → unhealthy"]);
  });

  it("hears nothing from a cache: no hit, fresh, stale or shared, makes it well or keeps what was known of it new", async () => {
    const { clock, changes } = setup();
    health();
    const policy = protect.with("stripe", { breaker: false });
    const script = { act: well };
    const cached = policy("cached", (_: string) => script.act(), {
      cache: { ttl: "1h" },
    });
    const plain = policy("plain", (_: string) => script.act());
    await cached("kept");
    script.act = fails;
    for (let i = 0; i < 3; i++) {
      await clock.advance("1s");
      await plain("").catch(() => {});
    }
    expect(health("stripe").status).toBe("unhealthy");
    for (let i = 0; i < 30; i++) {
      await clock.advance("1s");
      await Promise.all([cached("kept"), cached("kept")]);
    }
    expect(health("stripe").status).toBe("unhealthy");
    expect(health("stripe").reasons[0]).toContain("last seen 30 s ago");
    expect(changes()).toEqual(["unknown → healthy", "healthy → unhealthy"]);
    await clock.advance("5m");
    await cached("kept");
    expect(health("stripe").status).toBe("unknown");
  });

  it("hears nothing from a cache through a call around either, which only hands on what a call made in it got from there", async () => {
    const { clock, changes, seen } = setup();
    health();
    const policy = protect.with("stripe", { breaker: false });
    const script = { act: well };
    const rate = policy("rate", async (_: string) => ({ said: await script.act() }), { cache: { ttl: "1h" } });
    const handsOn = policy("handsOn", async (key: string, context) => await rate(key, context));
    const isRate = policy("isRate", rate);
    const kept = policy("kept", async (key: string, context) => await rate(key, context), { cache: { ttl: "2s" } });
    const plain = policy("plain", (_: string) => script.act());
    const works = policy("works", async (key: string, context) => {
      await rate(key, context);
      return script.act();
    });
    await rate("known");
    script.act = fails;
    for (let i = 0; i < 3; i++) {
      await clock.advance("1s");
      await plain("").catch(() => {});
    }
    for (let i = 0; i < 10; i++) {
      await clock.advance("1s");
      for (const call of [handsOn, isRate, kept]) expect(await call("known")).toEqual({ said: "well" });
    }
    expect(health("stripe").status).toBe("unhealthy");
    expect(health("stripe").reasons[0]).toContain("last seen 10 s ago");
    expect(seen.of("call.settled").at(-1)).toMatchObject({ state: "succeeded", attempts: expect.any(Number) });
    expect(changes()).toEqual(["unknown → healthy", "healthy → unhealthy"]);
    script.act = well;
    await works("known");
    expect(health("stripe").status).toBe("healthy");
  });

  it("hears of a call around that got an answer from a cache, and one that was asked for", async () => {
    const { clock } = setup();
    health();
    const rate = protect("bank", async (_: string) => ({ said: "well" }), { cache: { ttl: "1h" } });
    const outer = protect("page", async (key: string, context) => {
      const known = await rate("known", context);
      if (key !== "known") await rate(key, context);
      return known;
    });
    await rate("known");
    await clock.advance("1s");
    await outer("known");
    expect(health("page").status).toBe("unknown");
    await outer("new");
    expect(health("page").status).toBe("healthy");
  });

  it("is degraded while what is old stands in for its open breaker", async () => {
    const { clock } = setup();
    health();
    const script = { act: well };
    const call = protect("stripe", (_: string) => script.act(), {
      breaker: { consecutiveFailures: 1, breakTime: "1m" },
      cache: { ttl: "1s", staleOnError: "1h" },
    });
    await call("known");
    script.act = fails;
    await call("new").catch(() => {});
    expect(health("stripe").status).toBe("unhealthy");
    await clock.advance("2s");
    expect(await call("known")).toBe("well");
    expect(health("stripe").status).toBe("degraded");
  });

  it.each([
    ["what the caller did wrong", async () => Promise.reject(notFound())],
    ["what the caller aborted", async () => Promise.reject(new DOMException("gone", "AbortError"))],
  ] as ReadonlyArray<[string, () => Promise<string>]>)("is neither better nor worse for %s", async (what, act) => {
    const { clock } = setup();
    health();
    const controller = new AbortController();
    if (what.includes("aborted")) controller.abort();
    const call = protect("stripe", act);
    for (let i = 0; i < 5; i++) {
      await call(undefined, { signal: controller.signal }).catch(() => {});
      await clock.advance("1s");
    }
    expect(health("stripe")).toEqual({ status: "unknown", reasons: ["nothing is known of it"] });
    expect(health()).toEqual({ status: "unknown", reasons: [] });
  });

  it("is unhealthy by calls that time out, not by a caller in too much of a hurry", async () => {
    const { clock } = setup();
    health();
    const slow = protect("slow", never, { timeout: "1s" });
    const hurried = protect("hurried", never, { deadline: "1m" });
    for (let i = 0; i < 3; i++) {
      const ended = Promise.allSettled([slow(), hurried(undefined, { deadline: "10ms" })]);
      await clock.advance("2s");
      await ended;
    }
    expect(health("slow").status).toBe("unhealthy");
    expect(health("hurried").status).toBe("unknown");
  });

  it("takes what `classify` says, as the breaker does", async () => {
    const { clock } = setup();
    health();
    const call = protect("search", async () => Promise.reject(notFound()), {
      classify: (seen, standard) => ({
        ...standard(seen),
        kind: "invalid",
        retry: false,
        counts: true,
        fallBack: false,
      }),
    });
    for (let i = 0; i < 3; i++) {
      await call().catch(() => {});
      await clock.advance("1s");
    }
    expect(health("search").status).toBe("unhealthy");
  });

  it("of a policy is the policy: all its calls tell of it", async () => {
    setup();
    health();
    const stripe = protect.with("stripe", {});
    await stripe("charge", well)();
    expect(health("stripe").status).toBe("healthy");
    expect(health("charge").status).toBe("unknown");
  });

  it("is degraded by a right but slow answer, where `watch` says what is slow", async () => {
    const { clock } = setup();
    const undo = health.watch("search", { slowAfter: "2s", failureThreshold: 1 });
    const search = protect("search", (ms: number) => clock.sleep(ms));
    const answer = search(2_001);
    await clock.advance("3s");
    await answer;
    expect(health("search")).toEqual({
      status: "degraded",
      reasons: [expect.stringContaining("calls are right but slow (2001 ms)")],
    });
    const quick = search(2_000);
    await clock.advance("3s");
    await quick;
    expect(health("search").status).toBe("healthy");
    undo();
  });
});

describe("an open breaker", () => {
  const broken = { consecutiveFailures: 1, breakTime: "5s" } as const;

  it("makes it unhealthy at once: it has counted enough", async () => {
    const { clock, changes } = setup();
    health();
    const { come } = calling("stripe", { breaker: broken });
    await come(well);
    await clock.advance("1s");
    await come(fails);
    expect(health("stripe").status).toBe("unhealthy");
    expect(health("stripe").reasons[0]).toMatch(/^its breaker is open: too many calls failed in a row, since/);
    expect(changes()).toEqual(["unknown → healthy", "healthy → unhealthy"]);
  });

  it("with a working fallback is degraded, not dead: at no moment unhealthy", async () => {
    const { clock, changes } = setup();
    health();
    const { come } = calling("answer", { breaker: broken, fallback: [{ name: "template", operation: well }] });
    await come(well);
    await clock.advance("1s");
    for (let i = 0; i < 10; i++) {
      await come(fails);
      await clock.advance("1s");
    }
    expect(health("answer").status).toBe("degraded");
    expect(health("answer").reasons[0]).toMatch(
      /^its breaker is open: .*; calls are answered all the same, since 2026-11-25T00:00:01.000Z, last seen 1 s ago$/,
    );
    expect(changes()).toEqual(["unknown → healthy", "healthy → degraded"]);
  });

  it("whose fallback fails too is dead after all", async () => {
    const { clock, changes } = setup();
    health();
    const second = calling("template");
    second.acts.push(well);
    const { come } = calling("answer", {
      breaker: broken,
      fallback: [{ name: "template", operation: () => second.call() }],
    });
    await come(fails);
    expect(health("answer").status).toBe("degraded");
    second.acts.splice(0, 1, fails);
    for (let i = 0; i < 4; i++) {
      await clock.advance("1s");
      await come(fails);
    }
    expect(changes("answer")).toEqual(["unknown → degraded", "degraded → unhealthy"]);
  });

  it("that closes makes it well again with the next good call", async () => {
    const { clock, changes } = setup();
    health();
    const { come } = calling("stripe", { breaker: broken });
    await come(fails);
    await clock.advance("2s");
    await come(well); // refused
    await clock.advance("4s");
    await come(well); // the probe
    expect(health("stripe")).toEqual({ status: "healthy", reasons: [] });
    expect(changes()).toEqual(["unknown → unhealthy", "unhealthy → healthy"]);
  });

  it("in a call that goes on for long is told all the same", async () => {
    const { clock } = setup();
    health();
    const call = protect("stripe", fails, { breaker: broken, retry: { base: "1m", jitter: "none", patience: "10m" } });
    void call().catch(() => {});
    await clock.advance("2s");
    expect(health("stripe").status).toBe("unhealthy");
    await clock.advance("10m");
  });

  it("that only observes is none", async () => {
    setup();
    health();
    const { come } = calling("stripe", { breaker: { ...broken, mode: "observe" } });
    await come(fails);
    expect(health("stripe").status).toBe("unknown");
  });

  it("of one key of many makes it degraded while others are answered", async () => {
    const { clock } = setup();
    health();
    const perTenant = breaker({ ...broken, key: (tenant: string) => tenant });
    const ask = perTenant(named("ask", async (tenant: string) => (tenant === "acme" ? fails() : "well")));
    await ask("acme").catch(() => {});
    await ask("other");
    await clock.advance("1s");
    expect(health("ask").status).toBe("degraded");
  });

  it("isolated by hand is unhealthy until it is closed, then unknown until a call has come", async () => {
    const { clock, changes } = setup();
    health();
    const circuit = breaker({}, { name: "stripe" });
    const call = circuit(named("stripe", well));
    await call();
    const undo = circuit.isolate();
    await clock.advance("1h");
    expect(health("stripe").reasons[0]).toMatch(
      /^its breaker is open: it was isolated by hand, since .*, last seen 1 h ago$/,
    );
    undo();
    expect(health("stripe").status).toBe("unknown");
    await call();
    expect(changes()).toEqual(["unknown → healthy", "healthy → unhealthy", "unhealthy → unknown", "unknown → healthy"]);
  });
});

describe("a component that nobody calls any more", () => {
  it("does not stay unhealthy for ever: after five minutes it is unknown, with how old that is", async () => {
    const { clock, reasons } = setup();
    health();
    await failing({ clock }, calling("stripe"));
    await clock.advance("4m");
    expect(health("stripe").reasons[0]).toMatch(/last seen 4 min ago$/);
    await clock.advance("1m");
    expect(health("stripe").status).toBe("unknown");
    expect(reasons().at(-1)).toBe("no call for 5 min; until then calls fail (transient)");
  });

  it("is well when somebody calls it again, and it works", async () => {
    const { clock } = setup();
    health();
    const stripe = calling("stripe", { breaker: { consecutiveFailures: 1 } });
    await stripe.come(fails);
    await clock.advance("1h");
    expect(health("stripe").status).toBe("unknown");
    await stripe.come(well);
    expect(health("stripe").status).toBe("healthy");
  });

  it("stays healthy: nothing was seen against it", async () => {
    const { clock } = setup();
    health();
    await calling("stripe").come(well);
    await clock.advance("24h");
    expect(health("stripe")).toEqual({ status: "healthy", reasons: [] });
  });
});

describe("the whole", () => {
  it("is brought down by what was declared to matter, and only degraded by what was only seen", async () => {
    const { clock } = setup();
    health();
    await failing({ clock }, calling("stripe"));
    expect(health()).toEqual({ status: "degraded", reasons: [expect.stringMatching(/^stripe: calls fail/)] });
    const undo = health.watch("stripe");
    expect(health().status).toBe("unhealthy");
    undo();
    undo();
    expect(health().status).toBe("degraded");
  });

  it("takes of two declarations the higher one", async () => {
    const { clock } = setup();
    const undo = health.watch("stripe", { criticality: "critical" });
    const second = health.watch("stripe", { criticality: "background" });
    await failing({ clock }, calling("stripe"));
    expect(health().status).toBe("unhealthy");
    undo();
    expect(health().status).toBe("degraded");
    second();
  });

  it("gives its reasons the worst first, and no more than fifty", async () => {
    const { clock } = setup();
    health();
    for (let second = 0; second < 3; second++) {
      for (let i = 0; i < 60; i++) await protect(`c${i}`, fails)().catch(() => {});
      await clock.advance("1s");
    }
    await calling("slow", { fallback: [well] }).come(fails);
    const { reasons } = health();
    expect(reasons.length).toBe(51);
    expect(reasons.at(-1)).toBe("and 11 more");
    expect(reasons[0]).toMatch(/^c\d+: calls fail/);
  });
});

describe("what is remembered", () => {
  it("has a limit: of components that nobody declared the thousand heard of last", async () => {
    setup();
    const undo = health.watch("declared");
    await protect("declared", well)();
    await protect("first", well)();
    for (let i = 0; i < 1_000; i++) await protect(`c${i}`, well)();
    expect(health("first").status).toBe("unknown");
    expect(health("c999").status).toBe("healthy");
    expect(health("declared").status).toBe("healthy");
    undo();
  });

  it("is forgotten at a reset, but for what was declared", async () => {
    const { clock } = setup();
    const undo = health.watch("stripe", { failureThreshold: 1 });
    await failing({ clock }, calling("stripe"), 1);
    await failing({ clock }, calling("search"));
    reset();
    expect([health("stripe").status, health("search").status]).toEqual(["unknown", "unknown"]);
    await failing({ clock }, calling("stripe"), 1);
    expect(health().status).toBe("unhealthy");
    undo();
  });

  it("is told once a change, to listeners of that component, and with no call of its own", async () => {
    const { clock, events, seen } = setup();
    health();
    const heard: EventType[] = [];
    events.on("health.changed", ({ type }) => void heard.push(type), { component: "stripe" });
    await failing({ clock }, calling("stripe"), 9);
    await failing({ clock }, calling("other"), 9);
    expect(heard.length).toBe(1);
    expect(seen.of("health.changed")[0]).toMatchObject({
      component: "stripe",
      name: "stripe",
      call: undefined,
      severity: "warning",
    });
  });

  it("holds nothing of what failed: no message and no error", async () => {
    const { clock, seen } = setup();
    health();
    await failing({ clock }, calling("stripe"));
    expect(JSON.stringify([health(), seen.of("health.changed")])).not.toContain("hunter2");
    expect(down().message).toContain("hunter2");
  });
});

it("options that cannot be meant throw, all problems at once", () => {
  setup();
  expect(() => health.watch("stripe", { criticality: "vital", slowAfter: "soon" } as never)).toThrow(
    OptionsInvalidError,
  );
  expect(() => health.watch("stripe", { criticality: "vital", slowAfter: "soon" } as never)).toThrow(
    /criticality.*slowAfter/s,
  );
  expect(() => health.watch("")).toThrow("the name of what is checked");
});

// Design §2: new options while running, checked whole, all or nothing, with an undo.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  breaker,
  type Change,
  configure,
  deadline,
  defineWrapper,
  explain,
  HoldfastError,
  OptionsInvalidError,
  pipe,
  protect,
  retry,
  settled,
  timeout,
} from "../src/index.ts";
import { setup } from "./composition/setup.ts";

const whole = {
  input: z.object({ words: z.number() }),
  guard: { secret: ["words"] },
  output: z.string(),
  gate: { benchmark: { latency: "1s" } },
  deadline: "9s",
  timeout: "2s",
  retry: { attempts: 4, base: "50ms" },
  breaker: { minimumCalls: 20, window: "30s" },
} as const;

function made() {
  return protect("draft", async () => "a draft", whole);
}

function optionsOf(call: unknown, kind: string): unknown {
  return explain(call).find((layer) => layer.kind === kind)?.options;
}

function all(call: unknown): unknown {
  return explain(call).map(({ kind, options }) => [kind, options]);
}

/** What was thrown, as `path: wanted` by path. */
function refusalOf(act: () => unknown): Record<string, string> {
  try {
    act();
  } catch (error) {
    if (!(error instanceof OptionsInvalidError)) throw error;
    return Object.fromEntries(error.issues.map(({ path = "", wanted }) => [path, wanted]));
  }
  return { "": "nothing was thrown" };
}

describe("configure", () => {
  it("changes what is written, and keeps the rest of each layer", () => {
    const draft = made();
    configure(draft, { retry: { attempts: 2 }, breaker: { breakTime: "1s" }, timeout: "5s" });
    expect(optionsOf(draft, "retry")).toMatchObject({ attempts: 2, base: 50 });
    expect(optionsOf(draft, "breaker")).toMatchObject({ minimumCalls: 20, window: 30_000, breakTime: 1_000 });
    expect(optionsOf(draft, "timeout")).toEqual({ after: 5_000 });
    expect(optionsOf(draft, "deadline")).toEqual({ within: 9_000 });
  });

  it.each<[string, Change, object]>([
    ["timeout", { timeout: "5s" }, { after: 5_000 }],
    ["deadline", { deadline: "1m" }, { within: 60_000 }],
    ["retry", { retry: { attempts: 9 } }, { attempts: 9 }],
    ["retry", { retry: { backoff: "linear" } }, { backoff: "linear" }],
    ["retry", { retry: { base: 7 } }, { base: 7 }],
    ["retry", { retry: { cap: "7s" } }, { cap: 7_000 }],
    ["retry", { retry: { jitter: "none" } }, { jitter: "none" }],
    ["retry", { retry: { maxElapsed: "7s" } }, { maxElapsed: 7_000 }],
    ["retry", { retry: { patience: 0 } }, { patience: 0 }],
    ["retry", { retry: { when: Number.isNaN as never } }, { when: Number.isNaN }],
    ["breaker", { breaker: { failureRate: 0.1 } }, { failureRate: 0.1 }],
    [
      "breaker",
      { breaker: { slowCallRate: 0.1, slowCallDuration: "1s" } },
      { slowCallRate: 0.1, slowCallDuration: 1_000 },
    ],
    ["breaker", { breaker: { consecutiveFailures: 3 } }, { consecutiveFailures: 3 }],
    ["breaker", { breaker: { window: "7s" } }, { window: 7_000 }],
    ["breaker", { breaker: { minimumCalls: 7 } }, { minimumCalls: 7 }],
    ["breaker", { breaker: { breakTime: "7s" } }, { breakTime: 7_000 }],
    ["breaker", { breaker: { maxBreakTime: "7s" } }, { maxBreakTime: 7_000 }],
    ["breaker", { breaker: { halfOpenCalls: 7 } }, { halfOpenCalls: 7 }],
    ["breaker", { breaker: { ramp: "7s" } }, { ramp: 7_000 }],
    ["breaker", { breaker: { mode: "observe" } }, { mode: "observe" }],
    ["breaker", { breaker: { when: Number.isNaN as never } }, { when: Number.isNaN }],
    ["guard", { guard: { secret: ["words"] } }, { secret: ["words"] }],
    ["guard", { guard: { correct: { words: "coerce" } } }, { correct: { words: "coerce" } }],
    ["gate", { gate: { benchmark: { bytes: 7 } } }, { benchmark: { bytes: 7 } }],
    ["gate", { gate: { repair: ["json"] } }, { repair: ["json"] }],
    ["gate", { gate: { onReject: "review" } }, { onReject: "review" }],
  ])("changes every option, the period included, and it reads back changed: %s %j", (kind, change, wanted) => {
    const draft = made();
    const before = all(draft);
    const undo = configure(draft, change);
    expect(optionsOf(draft, kind)).toMatchObject(wanted);
    undo();
    expect(all(draft)).toEqual(before);
  });

  it.each<[NonNullable<Change["cache"]>, object]>([
    [{ ttl: "7s" }, { ttl: 7_000 }],
    [{ key: JSON.stringify }, { key: JSON.stringify }],
    [{ tenants: "shared" }, { tenants: "shared" }],
    [{ max: 7 }, { max: 7 }],
    [{ staleOnError: "7s" }, { staleOnError: 7_000 }],
    [
      { whileRevalidating: "7s", patience: "1s" },
      { whileRevalidating: 7_000, patience: 1_000 },
    ],
    [{ negative: "7s" }, { negative: 7_000 }],
  ])("changes likewise every option of a cache: %j", (cache, wanted) => {
    const call = protect("x", async (id: string) => id, { cache: { ttl: "1m", key: String } });
    const before = all(call);
    const undo = configure(call, { cache });
    expect(optionsOf(call, "cache")).toMatchObject({ ttl: 60_000, key: String, ...wanted });
    undo();
    expect(all(call)).toEqual(before);
  });

  it("gives what the call would have had, had it been declared so", () => {
    const draft = made();
    configure(draft, { retry: { attempts: 2 }, breaker: { consecutiveFailures: 3 } });
    const declared = protect("draft", async () => "a draft", {
      ...whole,
      retry: { ...whole.retry, attempts: 2 },
      breaker: { ...whole.breaker, consecutiveFailures: 3 },
    });
    expect(all(draft)).toEqual(all(declared));
  });

  it("that says nothing (`undefined`) changes nothing, and neither does an empty one", () => {
    const { seen } = setup();
    const draft = made();
    const before = all(draft);
    configure(draft, { retry: { attempts: undefined }, timeout: undefined, breaker: undefined })();
    configure(draft, {})();
    expect(all(draft)).toEqual(before);
    expect(seen.events).toEqual([]);
  });

  it("leaves a protected function that somebody holds valid", async () => {
    setup();
    const draft = made();
    const held = draft;
    configure(draft, { timeout: "5s", retry: { attempts: 1 } });
    expect(await held({ words: 1 })).toBe("a draft");
    expect(optionsOf(held, "timeout")).toEqual({ after: 5_000 });
  });

  it("tells of each layer that is different, when all are", () => {
    const { events } = setup();
    const draft = made();
    const told: unknown[][] = [];
    events.on("options.changed", ({ layer, name, component, severity, call }) =>
      told.push([layer, name, component, severity, call, optionsOf(draft, "timeout"), optionsOf(draft, "deadline")]),
    );
    const undo = configure(draft, { timeout: "5s", deadline: "8s", retry: { attempts: 4 } });
    const now = [{ after: 5_000 }, { within: 8_000 }];
    expect(told).toEqual([
      ["timeout", "draft", "draft", "info", undefined, ...now],
      ["deadline", "draft", "draft", "info", undefined, ...now],
    ]);
    undo();
    expect(told.slice(2).map(([layer]) => layer)).toEqual(["timeout", "deadline"]);
  });
});

describe("a change that cannot be meant", () => {
  it("is one of what `settled` gives, which is no protected call: it says what to change", () => {
    const call = protect("x", async () => 1, { timeout: "1s" });
    expect(() => configure(settled(call) as never, { timeout: "2s" })).toThrow(
      "call: wanted a protected call, or a policy: of `settled(call)` the call itself, got a function",
    );
  });

  it("is refused whole: every problem with its path, and nothing is changed", () => {
    const { seen } = setup();
    const draft = made();
    const before = all(draft);
    const act = () =>
      configure(draft, {
        timeout: "soon" as never,
        deadline: "1m",
        retry: { attempts: 0, retries: 3 } as never,
        breaker: { breakTime: Number.NaN, failureRate: 2 },
        guard: { correct: { title: "default" } },
        cache: { ttl: "1m" },
      });
    expect(Object.keys(refusalOf(act)).sort()).toEqual(
      [
        ...["breaker.breakTime", "breaker.failureRate", "cache", "guard.correct.title"],
        ...["retry.attempts", "retry.retries", "timeout"],
      ].sort(),
    );
    expect(act).toThrow(/^The options of "draft" cannot be used/);
    expect(all(draft)).toEqual(before);
    expect(seen.events).toEqual([]);
  });

  it.each([Number.NaN, -1, 0, Number.POSITIVE_INFINITY, "-5s"])(
    "such as a break time computed as %s is reported, not obeyed",
    (breakTime) => {
      const draft = made();
      expect(refusalOf(() => configure(draft, { breaker: { breakTime: breakTime as never } }))).toHaveProperty([
        "breaker.breakTime",
      ]);
      expect(optionsOf(draft, "breaker")).toMatchObject({ breakTime: 5_000 });
    },
  );

  it("is checked together with what stands", () => {
    const draft = protect("draft", async () => 1, { breaker: { breakTime: "5s", maxBreakTime: "10s" } });
    expect(refusalOf(() => configure(draft, { breaker: { breakTime: "20s" } }))).toEqual({
      "breaker.maxBreakTime": "at least breakTime",
    });
    configure(draft, { breaker: { breakTime: "20s", maxBreakTime: "30s" } });
    expect(optionsOf(draft, "breaker")).toMatchObject({ breakTime: 20_000, maxBreakTime: 30_000 });
  });

  it("names the layers that the call has not, and what to do", () => {
    const draft = protect("draft", async () => 1, { retry: {}, timeout: "1s" });
    expect(refusalOf(() => configure(draft, { breaker: {}, deadline: "1s", retyr: {} } as Change))).toEqual({
      breaker:
        "nothing: this call has retry, timeout, and gets no other layers while it runs. Declare it where this call is made",
      deadline: expect.stringContaining("this call has retry, timeout"),
      retyr: expect.stringContaining("this call has retry, timeout"),
    });
    expect(
      refusalOf(() =>
        configure(
          pipe(async () => 1, retry()),
          { timeout: "1s" },
        ),
      ),
    ).toHaveProperty("timeout");
    expect(
      refusalOf(() =>
        configure(
          protect("bare", async () => 1),
          { timeout: "1s" },
        ),
      ),
    ).toEqual({
      timeout: expect.stringContaining("this call has no layers"),
    });
  });

  it("removes no layer, and puts none in the place of another", () => {
    const draft = made();
    expect(refusalOf(() => configure(draft, { retry: false, breaker: false, timeout: timeout("1s") }))).toEqual({
      retry: "options: a layer stays where it was built",
      breaker: 'options: a layer stays where it was built: `mode: "off"` lets all pass',
      timeout: "options: a layer stays where it was built",
    });
  });

  it("makes one breaker for all into one for each key as little as the other way round", () => {
    expect(refusalOf(() => configure(made(), { breaker: { key: String } }))).toHaveProperty(["breaker.key"]);
    const keyed = protect("k", async (id: string) => id, { breaker: { key: (id) => id } });
    const other = (id: string) => `other ${id}`;
    configure(keyed, { breaker: { key: other as never } });
    expect(optionsOf(keyed, "breaker")).toMatchObject({ key: other });
  });

  it("does not touch what is said of the call itself", () => {
    const draft = protect("draft", async () => 1, { fallback: [async () => 2], retry: {} });
    const change = { idempotent: false, classify: () => undefined, criticality: "critical", fallback: [] } as Change;
    expect(Object.values(refusalOf(() => configure(draft, change)))).toEqual([
      ...Array(3).fill("nothing: that is said of this call where it is made, and stays"),
      "nothing: it has no options that can be changed while it runs",
    ]);
  });

  it("is one of what is no call, or no change", () => {
    expect(refusalOf(() => configure((async () => 1) as never, {}))).toHaveProperty("call");
    expect(refusalOf(() => configure(undefined as never, {}))).toHaveProperty("call");
    expect(refusalOf(() => configure(made(), undefined as never))).toEqual({ "": "options by layer" });
    expect(refusalOf(() => configure(made(), "5s" as never))).toEqual({ "": "options by layer" });
    expect(refusalOf(() => configure(made(), [] as never))).toEqual({ "": "options by layer" });
  });

  it("is refused where two layers of that kind stand in a pipe; the part made before can be changed", () => {
    const inner = pipe(async () => 1, timeout("1s"));
    const outer = pipe(inner, retry(), timeout("9s"));
    expect(refusalOf(() => configure(outer, { timeout: "2s" }))).toEqual({
      timeout: "a layer that there is once, not 2 times: change what was made before the others were added",
    });
    configure(inner, { timeout: "2s" });
    expect(explain(outer).map(({ options }) => options)).toMatchObject([{ after: 9_000 }, {}, { after: 2_000 }]);
  });

  it("means what is declared, where a layer of that kind was laid by hand before", () => {
    const draft = protect(
      "draft",
      pipe(async () => 1, timeout("1s")),
      { timeout: "9s" },
    );
    configure(draft, { timeout: "8s" });
    expect(explain(draft).map(({ options }) => options)).toEqual([{ after: 8_000 }, { after: 1_000 }]);
  });
});

describe("the undo", () => {
  it("restores the initial settings", () => {
    const draft = made();
    const before = all(draft);
    configure(draft, { timeout: "1s", retry: { attempts: 1 }, breaker: { mode: "off" }, gate: { repair: ["json"] } })();
    expect(all(draft)).toEqual(before);
  });

  it("takes away its own change, whatever came after: the others stay", () => {
    const draft = made();
    const [first, second] = [
      configure(draft, { retry: { attempts: 1, base: 1 }, timeout: "1s" }),
      configure(draft, { retry: { attempts: 2 } }),
    ];
    first();
    expect(optionsOf(draft, "retry")).toMatchObject({ attempts: 2, base: 50 });
    expect(optionsOf(draft, "timeout")).toEqual({ after: 2_000 });
    second();
    expect(optionsOf(draft, "retry")).toMatchObject({ attempts: 4, base: 50 });
  });

  it("brings nothing back that a later change stands over", () => {
    const draft = made();
    const first = configure(draft, { timeout: "1s" });
    const second = configure(draft, { timeout: "3s" });
    first();
    expect(optionsOf(draft, "timeout")).toEqual({ after: 3_000 });
    second();
    expect(optionsOf(draft, "timeout")).toEqual({ after: 2_000 });
  });

  it("does nothing the second time", () => {
    const { seen } = setup();
    const draft = made();
    const undo = configure(draft, { timeout: "1s" });
    undo();
    configure(draft, { timeout: "1s" });
    undo();
    expect(optionsOf(draft, "timeout")).toEqual({ after: 1_000 });
    expect(seen.of("options.changed")).toHaveLength(3);
  });

  it("is refused, and can be tried again, where a later change cannot stand without it", () => {
    const draft = protect("draft", async () => 1, { timeout: "1s", breaker: { maxBreakTime: "10s" } });
    const first = configure(draft, { timeout: "2s", breaker: { maxBreakTime: "30s" } });
    const second = configure(draft, { breaker: { breakTime: "20s" } });
    expect(refusalOf(first)).toEqual({ "breaker.maxBreakTime": "at least breakTime" });
    expect(optionsOf(draft, "timeout")).toEqual({ after: 2_000 });
    second();
    first();
    expect(optionsOf(draft, "timeout")).toEqual({ after: 1_000 });
    expect(optionsOf(draft, "breaker")).toMatchObject({ breakTime: 5_000, maxBreakTime: 10_000 });
  });

  it("of any of many changes leaves what the others say, in any order", () => {
    const change = fc.record(
      { attempts: fc.integer({ min: 1, max: 9 }), base: fc.nat(99), patience: fc.nat(99), cap: fc.nat(99) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(change, fc.boolean()), { maxLength: 12 }), fc.nat(), (changes, seed) => {
        const call = protect("x", async () => 1, { retry: { attempts: 5, base: 3 } });
        const undos = changes.map(([retry]) => configure(call, { retry }));
        const undone = changes.map(([, undone], i) => (undone ? i : -1)).filter((i) => i >= 0);
        if (seed % 2 === 1) undone.reverse();
        for (const i of undone) undos[i]?.();
        const left = Object.assign({}, ...changes.filter(([, undone]) => !undone).map(([retry]) => retry));
        const declared = protect("x", async () => 1, { retry: { attempts: 5, base: 3, ...left } });
        expect(all(call)).toEqual(all(declared));
      }),
    );
  });
});

describe("a wrapper", () => {
  it("that is laid round two calls is changed for both", () => {
    const circuit = breaker();
    const [a, b] = [pipe(async () => 1, circuit), protect("b", async () => 1, { breaker: circuit })];
    const undo = configure(a, { breaker: { breakTime: "1s" } });
    expect([optionsOf(a, "breaker"), optionsOf(b, "breaker")]).toMatchObject([
      { breakTime: 1_000 },
      { breakTime: 1_000 },
    ]);
    configure(b, { breaker: { ramp: "1s" } });
    undo();
    expect(optionsOf(a, "breaker")).toMatchObject({ breakTime: 5_000, ramp: 1_000 });
  });

  it("whose options were given to two declarations is two", () => {
    const options = { retry: { attempts: 5 } };
    const [a, b] = [protect("a", async () => 1, options), protect("b", async () => 1, options)];
    configure(a, { retry: { attempts: 2 } });
    expect([optionsOf(a, "retry"), optionsOf(b, "retry")]).toMatchObject([{ attempts: 2 }, { attempts: 5 }]);
    expect(options).toEqual({ retry: { attempts: 5 } });
  });

  /** Refuses what comes after so many. */
  function atMost(given: { calls: number }, fails = false) {
    const schema = z.strictObject({ calls: z.int(), note: z.string().default("none") });
    return defineWrapper("atMost", schema, given, (options, { refuse }) => {
      let { calls } = options;
      let made = 0;
      return {
        bracket: { before: ({ input }) => (++made > calls ? refuse(new HoldfastError("enough")) : input) },
        state: () => made,
        change(next) {
          if (next.calls < made) {
            const wanted = `at least ${made}`;
            throw new OptionsInvalidError("atMost", [{ path: "calls", got: next.calls, wanted }]);
          }
          return () => {
            if (fails) throw new TypeError("a mistake in it");
            ({ calls } = next);
          };
        },
      };
    });
  }

  it("of a user's own takes part: its schema checks, then it has a say, then it takes them", async () => {
    setup();
    const call = protect("x", async () => "done", { timeout: "1s" });
    const limited = pipe(call, atMost({ calls: 1 }));
    expect(await limited()).toBe("done");
    await expect(limited()).rejects.toThrow("enough");
    configure(limited, { atMost: { calls: 3 } } as Change);
    expect(explain(limited)[0]).toEqual({ kind: "atMost", options: { calls: 3, note: "none" }, state: 2 });
    expect(await limited()).toBe("done");
    expect(refusalOf(() => configure(limited, { atMost: { calls: 2 } } as Change))).toEqual({
      "atMost.calls": "at least 3",
    });
    expect(refusalOf(() => configure(limited, { atMost: { calls: "2" } } as never))).toHaveProperty(["atMost.calls"]);
  });

  it("of a user's own that cannot be changed says so", () => {
    const own = defineWrapper("own", z.strictObject({ n: z.int() }), { n: 1 }, () => ({ bracket: {} }));
    expect(
      refusalOf(() =>
        configure(
          pipe(async () => 1, own),
          { own: { n: 2 } } as Change,
        ),
      ),
    ).toEqual({
      own: "nothing: it has no options that can be changed while it runs",
    });
  });

  it("that fails all the same when it takes them leaves everything as it was", () => {
    const { seen } = setup();
    const call = pipe(async () => 1, timeout("1s"), retry(), atMost({ calls: 3 }, true), deadline("9s"));
    const before = all(call);
    const change = { timeout: "2s", retry: { attempts: 9 }, atMost: { calls: 9 }, deadline: "8s" } as Change;
    expect(() => configure(call, change)).toThrow(TypeError);
    expect(all(call)).toEqual(before);
    expect(seen.events).toEqual([]);
  });
});

describe("what `explain` shows", () => {
  it("is taken as it is, the schema too, and another schema is refused", () => {
    const call = protect("draft", async (input: { n: number }) => input, {
      input: z.object({ n: z.number() }),
      output: z.object({ n: z.number() }),
    });
    for (const kind of ["guard", "gate"] as const) {
      const shown = explain(call).find((layer) => layer.kind === kind)?.options as object;
      expect("schema" in shown).toBe(true);
      configure(call, { [kind]: shown });
      expect(() => configure(call, { [kind]: { ...shown, schema: z.string() } })).toThrow(kind);
    }
  });
});

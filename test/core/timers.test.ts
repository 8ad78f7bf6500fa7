import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { arm, armOnce, armUnheld, disarm, Timed } from "../../src/core/timers.ts";
import { testClock } from "../../src/testing/clock.ts";

const day = 86_400_000;

class Entry extends Timed {
  private readonly act: () => void;
  constructor(act: () => void, startedAt: number) {
    super(startedAt);
    this.act = act;
  }
  expire(): void {
    this.act();
  }
}

/** The machine's timers driven by hand. Each test has a duration of its own, since lists are shared by duration. */
function machine() {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const expired: string[] = [];
  return {
    expired,
    add(ms: number, name: string, startedAt = systemClock.monotonic()) {
      const entry = new Entry(() => expired.push(name), startedAt);
      arm(systemClock, ms, entry);
      return entry;
    },
  };
}

function heldTimers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("many timers of one duration", () => {
  it("share one of the machine's, and each expires once, at its time, in order", () => {
    const { expired, add } = machine();
    add(1_001, "a");
    vi.advanceTimersByTime(300);
    add(1_001, "b");
    add(1_001, "c");
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(701);
    expect(expired).toEqual(["a"]);
    vi.advanceTimersByTime(299);
    expect(expired).toEqual(["a"]);
    vi.advanceTimersByTime(1);
    expect(expired).toEqual(["a", "b", "c"]);
    vi.advanceTimersByTime(10_000);
    expect(expired).toHaveLength(3);
  });

  it("expire when and only when they were not disarmed, whatever is done in between", () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("arm" as const) }),
      fc.record({ do: fc.constant("disarm" as const), which: fc.nat() }),
      fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 900 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { expired, add } = machine();
        const ms = 1_002;
        const known: { name: string; due: number; entry: Timed; disarmed: boolean }[] = [];
        const live = (at: number) => known.filter(({ disarmed, due }) => !disarmed && due <= at);
        for (const step of steps) {
          const now = systemClock.monotonic();
          if (step.do === "pass") vi.advanceTimersByTime(step.ms);
          else if (step.do === "arm") {
            const name = String(known.length);
            known.push({ name, due: now + ms, entry: add(ms, name), disarmed: false });
          } else {
            const one = known[step.which % Math.max(1, known.length)];
            if (one === undefined) continue;
            if (one.due > now) one.disarmed = true;
            disarm(one.entry);
          }
          expect(expired).toEqual(live(systemClock.monotonic()).map(({ name }) => name));
        }
        vi.advanceTimersByTime(ms);
        expect(expired).toEqual(live(Number.POSITIVE_INFINITY).map(({ name }) => name));
      }),
    );
  });

  it("count from when the entry began, not from when it was armed", () => {
    const { expired, add } = machine();
    const before = systemClock.monotonic();
    add(1_003, "first");
    vi.advanceTimersByTime(500);
    add(1_003, "began with it", before);
    vi.advanceTimersByTime(503);
    expect(expired).toEqual(["first", "began with it"]);
  });

  it("may be armed again while one expires", () => {
    const { add, expired } = machine();
    const entry: Timed = new Entry(() => {
      expired.push("again");
      if (expired.length < 3) {
        entry.startedAt = systemClock.monotonic();
        arm(systemClock, 1_004, entry);
      }
    }, systemClock.monotonic());
    arm(systemClock, 1_004, entry);
    add(1_004, "other");
    vi.advanceTimersByTime(1_004);
    expect(expired).toEqual(["again", "other"]);
    vi.advanceTimersByTime(1_004);
    expect(expired).toEqual(["again", "other", "again"]);
    vi.advanceTimersByTime(10_000);
    expect(expired).toHaveLength(3);
  });

  it("longer than 24.8 days do not fire at once", () => {
    const { add, expired } = machine();
    add(30 * day, "late");
    vi.advanceTimersByTime(30 * day - 1);
    expect(expired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(expired).toEqual(["late"]);
  });

  it("without end set nothing", () => {
    const { add } = machine();
    const entry = add(Number.POSITIVE_INFINITY, "never");
    expect(vi.getTimerCount()).toBe(0);
    disarm(entry);
  });

  it("hold the process while one is pending, and no longer", () => {
    const held = heldTimers();
    const entries = [1, 2].map(() => new Entry(() => {}, systemClock.monotonic()));
    for (const entry of entries) arm(systemClock, 60_005, entry);
    expect(heldTimers()).toBe(held + 1);
    for (const entry of entries) disarm(entry);
    expect(heldTimers()).toBe(held);
    const later = new Entry(() => {}, systemClock.monotonic());
    arm(systemClock, 60_005, later);
    expect(heldTimers()).toBe(held + 1);
    disarm(later);
    expect(heldTimers()).toBe(held);
  });
});

describe("a timer of its own", () => {
  it("expires once, or is disarmed without a trace", () => {
    const { expired } = machine();
    const due = new Entry(() => expired.push("due"), 0);
    const undone = new Entry(() => expired.push("undone"), 0);
    armOnce(systemClock, 70, due);
    armOnce(systemClock, 70, undone);
    disarm(undone);
    disarm(undone);
    vi.advanceTimersByTime(70);
    expect(expired).toEqual(["due"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("can let the process end before", () => {
    const held = heldTimers();
    const entry = new Entry(() => {}, 0);
    armUnheld(systemClock, 60_000, entry);
    expect(heldTimers()).toBe(held);
    disarm(entry);
  });

  it("that lets the process end still expires, and can be disarmed", () => {
    const { expired } = machine();
    const due = new Entry(() => expired.push("due"), 0);
    const undone = new Entry(() => expired.push("undone"), 0);
    armUnheld(systemClock, 80, due);
    armUnheld(systemClock, 80, undone);
    armUnheld(systemClock, 30 * day, new Entry(() => expired.push("at once"), 0));
    disarm(undone);
    vi.advanceTimersByTime(1_000);
    expect(expired).toEqual(["due"]);
  });
});

describe("durations that are used no more", () => {
  it("are forgotten: however many there were in time, none keeps a list", async () => {
    const lists = Array.from({ length: 1_000 }, (_, i) => {
      const entry = new Entry(() => {}, systemClock.monotonic());
      arm(systemClock, 2 + i / 1_000, entry);
      const list = new WeakRef(entry.timer as object);
      disarm(entry);
      return list;
    });
    const left = () => lists.filter((list) => list.deref() !== undefined).length;
    for (let turn = 0; turn < 50 && left() > 0; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      (globalThis as { gc?: () => void }).gc?.();
    }
    expect(left()).toBe(0);
    // and one that comes back begins anew
    await new Promise<void>((resolve) => arm(systemClock, 2, new Entry(resolve, systemClock.monotonic())));
  });
});

describe("timers on a clock that is not the system's", () => {
  it("are that clock's, for what is left of their time", async () => {
    const clock = testClock();
    await clock.advance(100);
    const expired: string[] = [];
    const add = (name: string, startedAt: number) => {
      const entry = new Entry(() => expired.push(name), startedAt);
      arm(clock, 150, entry);
      return entry;
    };
    add("began before", 20);
    add("begins", 100);
    add("overdue", -500);
    disarm(add("undone", 100));
    armOnce(clock, 50, new Entry(() => expired.push("own"), 0));
    armUnheld(clock, 60, new Entry(() => expired.push("unheld"), 0));
    expect(clock.sleepers).toBe(5);
    await clock.advance(150);
    expect(expired).toEqual(["overdue", "own", "unheld", "began before", "begins"]);
    expect(clock.sleepers).toBe(0);
  });
});

describe("fake timers of a test framework", () => {
  it("that return undefined crash nothing", () => {
    vi.stubGlobal("setTimeout", () => undefined);
    vi.stubGlobal("clearTimeout", () => undefined);
    const [first, second, third] = [new Entry(() => {}, 0), new Entry(() => {}, 0), new Entry(() => {}, 0)] as const;
    arm(systemClock, 25, first);
    disarm(first);
    arm(systemClock, 25, second);
    armOnce(systemClock, 25, third);
    armUnheld(systemClock, 25, new Entry(() => {}, 0));
    disarm(second);
    disarm(third);
    expect([first, second, third].map(({ timer }) => timer)).toEqual([null, null, null]);
  });

  it.each<[string, () => void]>([
    ["that were driven by hand", () => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })],
    ["that return undefined", () => vi.stubGlobal("setTimeout", () => undefined)],
  ])("%s do not stop the timers of later tests", async (_, install) => {
    install();
    const forgotten = new Entry(() => {}, systemClock.monotonic());
    arm(systemClock, 26, forgotten);
    arm(systemClock, 26, new Entry(() => {}, systemClock.monotonic()));
    disarm(forgotten);
    vi.unstubAllGlobals();
    vi.useRealTimers();
    await new Promise<void>((resolve) => arm(systemClock, 26, new Entry(resolve, systemClock.monotonic())));
  });

  it("do not stop the timers that were set before them", async () => {
    const before = new Promise<void>((resolve) => arm(systemClock, 27, new Entry(resolve, systemClock.monotonic())));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    arm(systemClock, 27, new Entry(() => {}, systemClock.monotonic()));
    vi.useRealTimers();
    await before;
  });
});

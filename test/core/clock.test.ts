import { afterEach, describe, expect, it, vi } from "vitest";
import { type Clock, epochNow, sleepOn, systemClock } from "../../src/core/clock.ts";
import { replaceSeams } from "../../src/core/seams.ts";
import { testClock } from "../../src/testing/clock.ts";

/** A day less than what `setTimeout` can count to, and a day more. */
const day = 86_400_000;
const longest = 2 ** 31 - 1;

/** The machine's timers, driven by hand: what is tested here is what is made of them. */
function machine() {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"], now: 1_000 });
  const expired = vi.fn();
  return { expired, timer: (ms: number) => systemClock.timer(ms, { expire: expired }) };
}

afterEach(() => {
  vi.useRealTimers();
});

describe("the system's clock", () => {
  it("tells epoch ms, and ms that only grow", () => {
    machine();
    const started = systemClock.monotonic();
    vi.advanceTimersByTime(30);
    vi.setSystemTime(0);
    expect(systemClock.now()).toBe(0);
    expect(systemClock.monotonic() - started).toBe(30);
  });

  it("expires an entry once, not before its time", () => {
    const { expired, timer } = machine();
    timer(20.4);
    vi.advanceTimersByTime(20);
    expect(expired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(expired).toHaveBeenCalledTimes(1);
  });

  it("waits on where setTimeout came too early", () => {
    const { expired, timer } = machine();
    const now = vi.spyOn(performance, "now");
    now.mockReturnValueOnce(0); // when it is set
    timer(20);
    now.mockReturnValueOnce(19.2).mockReturnValueOnce(20.1);
    vi.advanceTimersByTime(20);
    expect(expired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(expired).toHaveBeenCalledTimes(1);
    now.mockRestore();
  });

  it("does not fire limits over 24.8 days at once, but when they are due", () => {
    const { expired, timer } = machine();
    timer(longest + day);
    vi.advanceTimersByTime(longest + day - 1);
    expect(expired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(expired).toHaveBeenCalledTimes(1);
  });

  it("never expires after Infinity, and sets no timer for it", () => {
    const { expired, timer } = machine();
    const undo = timer(Number.POSITIVE_INFINITY);
    expect(vi.getTimerCount()).toBe(0);
    undo();
    vi.advanceTimersByTime(longest);
    expect(expired).not.toHaveBeenCalled();
  });

  it("expires what is no time at all at once, like setTimeout, and only once", () => {
    const { expired, timer } = machine();
    timer(Number.NaN);
    timer(-5);
    vi.advanceTimersByTime(1);
    expect(expired).toHaveBeenCalledTimes(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([10, longest + day])("leaves nothing behind when a timer of %d ms is undone", (ms) => {
    const { expired, timer } = machine();
    const undo = timer(ms);
    vi.advanceTimersByTime(ms - 1);
    undo();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(ms);
    expect(expired).not.toHaveBeenCalled();
  });
});

describe.each<[string, () => { clock: Clock; pass: (ms: number) => Promise<unknown>; left: () => number }]>([
  [
    "the system's",
    () => {
      machine();
      return { clock: systemClock, pass: (ms) => vi.advanceTimersByTimeAsync(ms), left: () => vi.getTimerCount() };
    },
  ],
  [
    "the test's",
    () => {
      const clock = testClock();
      return { clock, pass: (ms) => clock.advance(ms), left: () => clock.sleepers };
    },
  ],
])("a sleep on %s clock", (_, setup) => {
  it("ends after its time, and leaves no timer and no listener", async () => {
    const { clock, pass, left } = setup();
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, "removeEventListener");
    const woken = vi.fn();
    clock.sleep(50, signal).then(woken);
    await pass(49);
    expect(woken).not.toHaveBeenCalled();
    await pass(1);
    expect(woken).toHaveBeenCalledTimes(1);
    expect(left()).toBe(0);
    expect(removed).toHaveBeenCalledTimes(1);
  });

  it("rejects at once with the signal's reason, and clears its timer", async () => {
    const { clock, left } = setup();
    const controller = new AbortController();
    const sleeping = clock.sleep(50, controller.signal);
    const reason = { why: "enough" };
    controller.abort(reason);
    expect(left()).toBe(0);
    await expect(sleeping).rejects.toBe(reason);
  });

  it("does not begin on a signal that is aborted", async () => {
    const { clock, left } = setup();
    const sleeping = clock.sleep(50, AbortSignal.abort("gone"));
    expect(left()).toBe(0);
    await expect(sleeping).rejects.toBe("gone");
  });
});

describe("a sleep", () => {
  it("without end can still be ended by its signal", async () => {
    const controller = new AbortController();
    const sleeping = sleepOn(systemClock, Number.POSITIVE_INFINITY, controller.signal);
    controller.abort("enough");
    await expect(sleeping).rejects.toBe("enough");
  });
});

describe("the clock in force", () => {
  it("is the system's, until another is put in its place", () => {
    machine();
    expect(epochNow()).toBe(1_000);
    const restore = replaceSeams({ clock: testClock(42) });
    expect(epochNow()).toBe(42);
    restore();
    expect(epochNow()).toBe(1_000);
  });
});

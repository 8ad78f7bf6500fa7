// What bulkheads cost that nobody calls, what a waiter costs, and what is left of those that nobody refers to.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { named, settled } from "holdfast";
import { reset } from "holdfast/testing";
import { describe, expect, it, vi } from "vitest";
import type { PlaceBracket } from "../../src/call/bulkhead/bracket.ts";
import { type Bulkhead, bulkhead } from "../../src/call/bulkhead.ts";
import { specOf } from "../../src/core/wrapper.ts";
import { collectedUntil } from "../core/loopback.ts";
import { workOf } from "./bulkhead-setup.ts";

const gc = (globalThis as { gc?: () => void }).gc as () => void;

function partsOf(one: Bulkhead): WeakRef<object>[] {
  const { layer } = specOf(one) as never as { layer: { bracket: PlaceBracket } };
  return [one, layer.bracket].map((part) => new WeakRef<object>(part));
}

async function collected(dropped: readonly WeakRef<object>[]): Promise<boolean> {
  reset(); // the stories of recent failures tell of the calls, and those of their layers
  await settled(async () => Promise.reject(new Error("last")))();
  await collectedUntil(() => dropped.every((one) => one.deref() === undefined));
  return dropped.every((one) => one.deref() === undefined);
}

describe("a bulkhead nobody refers to any more is collected", () => {
  it("that was used, by hand too", async () => {
    const drop = async () => {
      const places = bulkhead({ concurrency: 1, queue: 1, queueTimeout: "1h", abandonAfter: "1h" });
      const call = places(async () => 1);
      await Promise.all([call(), call()]);
      places.acquire();
      await settled(call)(undefined, { deadline: 1 });
      return [...partsOf(places), new WeakRef(call)];
    };
    expect(await collected(await drop())).toBe(true);
  });

  it("though an operation in it never ends", async () => {
    const drop = async () => {
      const places = bulkhead({ concurrency: 1, queue: 1 });
      const call = places(named("hangs", () => new Promise<never>(() => {})));
      await Promise.all([settled(call)(undefined, { deadline: 1 }), settled(call)(undefined, { deadline: 1 })]);
      expect(places.running).toBe(1);
      return partsOf(places);
    };
    expect(await collected(await drop())).toBe(true);
  });

  it("and what was abandoned is not kept by being counted", async () => {
    const places = bulkhead({ concurrency: 1, abandonAfter: 1 });
    const drop = async () => {
      const operation = named("hangs", () => new Promise<never>(() => {}));
      await settled(places(operation))(undefined, { deadline: 1 });
      await vi.waitFor(() => expect(places.running).toBe(0));
      return new WeakRef(operation);
    };
    expect(await collected([await drop()])).toBe(true);
  });
});

describe("ten thousand bulkheads", () => {
  it("hold no timer, used or not", async () => {
    const set = vi.spyOn(globalThis, "setTimeout");
    const many = Array.from({ length: 10_000 }, () => bulkhead({ concurrency: 1, queue: 1, abandonAfter: "1m" }));
    for (const places of many.slice(0, 100)) {
      const call = places(async () => 1);
      await Promise.all([call(), call()]);
    }
    expect(set).not.toHaveBeenCalled();
    set.mockRestore();
  });

  it("are cheap: about a kilobyte each", () => {
    const many = new Array<Bulkhead>(10_000);
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < many.length; i++) many[i] = bulkhead({ concurrency: 10, queue: 5 });
    gc();
    const bytes = (process.memoryUsage().heapUsed - before) / many.length;
    expect(bytes).toBeLessThan(1_024);
    expect(many[9_999]?.running).toBe(0);
  });
});

describe("a waiter", () => {
  it("has no timer of its own, and costs little", async () => {
    const places = bulkhead({ concurrency: 1, queue: 10_000, queueTimeout: "1m" });
    const work = workOf("a");
    const call = places(work.run as () => Promise<unknown>);
    void call();
    const set = vi.spyOn(globalThis, "setTimeout");
    gc();
    const before = process.memoryUsage().heapUsed;
    const waiting = Array.from({ length: 10_000 }, () => call());
    gc();
    const bytes = (process.memoryUsage().heapUsed - before) / waiting.length;
    expect([places.queued, set.mock.calls.length]).toEqual([10_000, 1]);
    expect(bytes).toBeLessThan(3_000);
    set.mockRestore();
    work.end();
    await Promise.all(waiting);
    expect([places.queued, places.running]).toEqual([0, 0]);
  });
});

describe("a process", () => {
  it("is held neither by a place that is never given back nor by the time until it is abandoned", async () => {
    const repository = join(import.meta.dirname, "../..");
    const program = `import { bulkhead, pipe, timeout } from "./src/index.ts";
      const places = bulkhead({ concurrency: 1, queue: 5, abandonAfter: "1h" });
      places(() => new Promise(() => {}))(undefined, { deadline: 5 }).catch(() => console.log("gone"));
      places(async () => 1)(undefined).catch(() => {});`;
    const tsx = join(repository, "node_modules/tsx/dist/cli.mjs");
    const args = [tsx, "--input-type=module", "-e", program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: repository, timeout: 20_000 });
    expect(stdout.trim()).toBe("gone");
  }, 30_000);
});

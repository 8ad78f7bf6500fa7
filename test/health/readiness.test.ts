// Whether new work may be sent here.
import { describe, expect, it, onTestFinished } from "vitest";
import { health, protect } from "../../src/index.ts";
import { reset } from "../../src/testing/index.ts";
import { checking, down, fails, setup, turn } from "./setup.ts";

describe("readiness", () => {
  it("turns false in the first moment of a shutdown, and back only when all who said so have undone it", () => {
    setup();
    const undo = health.unready("shutting down");
    const second = health.unready("moving house");
    expect(health.readiness()).toEqual({ ready: false, reasons: ["shutting down", "moving house"] });
    undo();
    undo();
    expect(health.readiness()).toEqual({ ready: false, reasons: ["moving house"] });
    second();
    expect(health.readiness()).toEqual({ ready: true, reasons: [] });
  });

  it("is nothing of health: a process that drains is well", async () => {
    const { probed } = setup();
    probed("db", async () => {});
    await turn();
    const undo = health.unready("shutting down");
    expect(health()).toEqual({ status: "healthy", reasons: [] });
    undo();
  });

  it("is false while a registered blocking task is not settled, and gives the task", async () => {
    setup();
    const task = Promise.withResolvers<number>();
    const blocked = health.block(task.promise, "the cache to be warm");
    expect(health.readiness()).toEqual({ ready: false, reasons: ["waits for the cache to be warm"] });
    task.resolve(42);
    expect(await blocked).toBe(42);
    expect(health.readiness().ready).toBe(true);
  });

  it("comes back also when a blocking task fails; the failure stays its caller's", async () => {
    setup();
    const error = new Error("no cache");
    await expect(health.block(Promise.reject(error), "the cache")).rejects.toBe(error);
    expect(health.readiness().ready).toBe(true);
  });

  it("gives the task itself: no promise of its own fails beside it, which would end a process that has handled it", async () => {
    setup();
    const heard: unknown[] = [];
    const others = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", (error) => heard.push(error));
    onTestFinished(() => {
      process.removeAllListeners("unhandledRejection");
      for (const one of others) process.on("unhandledRejection", one);
    });
    const task = Promise.reject(new Error("no cache"));
    task.catch(() => {});
    expect(health.block(task, "the cache")).toBe(task);
    await turn();
    await turn();
    expect(heard).toEqual([]);
    expect(health.readiness().ready).toBe(true);
  });

  it("refuses what is no task", () => {
    setup();
    expect(() => health.block(undefined as never, "the cache")).toThrow("task: wanted a promise");
    expect(health.readiness().ready).toBe(true);
  });

  it("waits for the first answer of each readiness probe, and falls with it", async () => {
    const { probed, clock } = setup();
    const check = checking();
    probed("db", check.run, { failureThreshold: 2 });
    expect(health.readiness()).toEqual({ ready: false, reasons: ["db: its check has not answered yet"] });
    await turn();
    expect(health.readiness().ready).toBe(true);
    check.act = () => Promise.reject(down());
    await clock.advance("10s");
    expect(health.readiness().ready).toBe(true);
    await clock.advance("10s");
    expect(health.readiness().reasons).toEqual([
      "db: its check failed: transient (HTTP 502), since 2026-11-25T00:00:20.000Z, last seen 0 s ago",
    ]);
  });

  it("is not lost for what is slow, nor for what is sheddable, nor for a liveness probe", async () => {
    const { probed, clock } = setup();
    probed("db", () => clock.sleep(800));
    probed("search", () => Promise.reject(down()), { criticality: "sheddable" });
    probed("loop", () => Promise.reject(down()), { kind: "liveness" });
    await clock.advance("1s");
    expect(health("db").status).toBe("degraded");
    expect(health.readiness()).toEqual({ ready: true, reasons: [] });
  });

  it("waits for what belongs to starting", async () => {
    const { probed, clock } = setup();
    const check = checking(() => Promise.reject(down()));
    probed("migrations", check.run, { kind: "startup" });
    await turn();
    expect(health.readiness().ready).toBe(false);
    check.act = async () => {};
    await clock.advance("10s");
    expect(health.readiness().ready).toBe(true);
  });

  it("is never lost for what calls tell: without calls it could not come back", async () => {
    const { clock } = setup();
    const undo = health.watch("stripe", { criticality: "critical", failureThreshold: 1 });
    await protect("stripe", fails)().catch(() => {});
    await clock.advance("1s");
    expect(health().status).toBe("unhealthy");
    expect(health.readiness().ready).toBe(true);
    undo();
  });

  it("holds nothing of before a reset", () => {
    setup();
    health.unready("shutting down");
    void health.block(new Promise(() => {}), "the cache");
    reset();
    expect(health.readiness()).toEqual({ ready: true, reasons: [] });
  });

  it("wants a reason", () => {
    setup();
    expect(() => health.unready("")).toThrow("a reason");
    expect(() => health.block(Promise.resolve(), undefined as never)).toThrow("a reason");
  });
});

// What limits, sheds, hedges and budgets cost that nobody calls, and what is left of those that nobody refers to.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  adaptiveLimit,
  budget,
  explain,
  hedge,
  named,
  pipe,
  rateLimit,
  retry,
  settled,
  shed,
  type Wrapper,
} from "holdfast";
import { reset } from "holdfast/testing";
import { describe, expect, it, vi } from "vitest";
import { collectedUntil } from "../core/loopback.ts";
import { repository } from "../package/project.ts";

const gc = (globalThis as { gc?: () => void }).gc as () => void;
const quota = { limit: 1_000, per: "1m" } as const;

/** Each with what one weighs at the most, in bytes. */
const kinds = [
  { kind: "rateLimit", make: () => rateLimit({ requests: quota, tokens: quota }), weight: 2_600 },
  { kind: "rateLimit by key", make: () => rateLimit({ requests: quota, key: () => "k" }), weight: 2_000 },
  { kind: "adaptiveLimit", make: () => adaptiveLimit({ reserve: { critical: 0.1 } }), weight: 2_300 },
  { kind: "shed", make: () => shed({ eventLoopDelay: "1m", fairBy: () => "a", measure: () => 0 }), weight: 2_200 },
  { kind: "hedge", make: () => hedge(), weight: 2_000 },
  { kind: "budget", make: () => budget(), weight: 1_400 },
] as const;

type Made = ReturnType<(typeof kinds)[number]["make"]>;
const one = async () => 1;

/** Laid round an operation. */
function laid(made: Made, operation: () => Promise<unknown> = one) {
  return pipe(operation, made.kind === "budget" ? retry({ budget: made }) : (made as Wrapper));
}

function bytes(): number {
  gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Twenty answers, as a hedge wants them, and a failure. */
async function used(made: Made): Promise<object> {
  const call = laid(made);
  for (let i = 0; i < 21; i++) await call();
  await settled(laid(made, () => Promise.reject(Object.assign(new Error("down"), { status: 503 }))))();
  return call;
}

describe.each(kinds)("ten thousand of $kind", ({ kind, make, weight }) => {
  it("hold no timer, used or not", async () => {
    const set = vi.spyOn(globalThis, "setTimeout");
    const many: Made[] = Array.from({ length: 10_000 }, () => make());
    for (const made of many.slice(0, 100)) expect(await laid(made)()).toBe(1);
    // the look at the event loop is there only while calls come, and holds no process
    if (kind === "shed")
      for (const { value } of set.mock.results) expect((value as NodeJS.Timeout).hasRef()).toBe(false);
    else expect(set).not.toHaveBeenCalled();
    set.mockRestore();
  });

  it("weigh two kilobytes each, and no more for being used", async () => {
    const [many, calls] = [new Array<Made>(10_000), new Array<() => Promise<unknown>>(500)];
    const before = bytes();
    for (let i = 0; i < many.length; i++) many[i] = make();
    expect((bytes() - before) / many.length).toBeLessThan(weight);
    for (let i = 0; i < calls.length; i++) calls[i] = laid(many[i] as Made);
    const use = async (times: number) => {
      for (const call of calls) for (let i = 0; i < times; i++) await call();
      return bytes();
    };
    const first = await use(5);
    expect(((await use(50)) - first) / calls.length).toBeLessThan(1_500);
    expect(many).toHaveLength(10_000);
  }, 30_000);
});

describe.each(kinds)("one $kind that nobody refers to any more", ({ make }) => {
  it("is collected, with its calls and what it has learnt", async () => {
    const drop = async () => {
      const made = make();
      const call = await used(made);
      return [made, call, explain(call as never)[0]].map((part) => new WeakRef(part as object));
    };
    const dropped = await drop();
    reset(); // the stories of recent failures tell of the calls, and those of their layers
    await settled(async () => Promise.reject(new Error("last")))();
    await collectedUntil(() => dropped.every((part) => part.deref() === undefined));
    expect(dropped.map((part) => part.deref())).toEqual([undefined, undefined, undefined]);
  });

  it("though an operation in it never ends", async () => {
    const drop = async () => {
      const made = make();
      const call = laid(
        made,
        named("hangs", () => new Promise<never>(() => {})),
      );
      await settled(call)(undefined, { deadline: 1 });
      return new WeakRef<object>(made);
    };
    const dropped = await drop();
    reset();
    await settled(async () => Promise.reject(new Error("last")))();
    await collectedUntil(() => dropped.deref() === undefined);
    expect(dropped.deref()).toBeUndefined();
  });
});

describe("a process", () => {
  it("is held by none of them: places that are never given back, hedges to come, looks at the event loop, quotas to be whole", async () => {
    const program = `import { adaptiveLimit, budget, hedge, pipe, rateLimit, retry, shed } from "./src/index.ts";
      const quota = { limit: 1, per: "1h" };
      const layers = [hedge({ after: "1h" }), rateLimit({ requests: quota, whenFull: "reject" }), adaptiveLimit(),
        retry({ budget: budget() }), shed({ eventLoopDelay: "50ms", fairBy: () => "a" })];
      const hangs = () => new Promise(() => {});
      adaptiveLimit().acquire();
      rateLimit({ requests: quota }).acquire();
      for (const layer of layers) pipe(async () => 1, layer)().catch(() => {});
      for (const layer of layers.slice(1)) pipe(hangs, layer)().catch(() => {});
      for (const layer of layers) pipe(hangs, layer)(undefined, { deadline: 5 }).catch(() => console.log("gone"));`;
    const tsx = join(repository, "node_modules/tsx/dist/cli.mjs");
    const args = [tsx, "--input-type=module", "-e", program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: repository, timeout: 20_000 });
    expect(stdout.trim().split("\n")).toEqual(Array(5).fill("gone"));
  }, 30_000);
});

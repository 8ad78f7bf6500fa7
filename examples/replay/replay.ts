// Makes the calls of a trace at the times at which they came, whether those before them are answered or not.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Story, type StoryState, settled } from "holdfast";
import { callOf } from "./call.ts";
import type { Faults } from "./faults.ts";
import type { Declared } from "./provider.ts";
import type { Request } from "./trace.ts";

export interface Options {
  readonly speed: number;
  readonly slots: number;
  readonly faults: Faults;
  /** After each answer: how many have come, and how many are answered. */
  readonly told: (come: number, seen: readonly Seen[]) => void;
}

/** What became of one request; times are those of the trace, ms. */
export interface Seen {
  readonly at: number;
  readonly tookMs: number;
  /** So long after it was due it was sent. */
  readonly lateMs: number;
  /** That in which it ended; `shed`: every service was spared it by a layer of ours. */
  readonly state: StoryState | "shed";
  readonly money: number;
}

/** What a token takes, ms of the trace's time: half a second for a long context, and 50 tokens a second. */
const contextTokenMs = 0.1;
const generatedTokenMs = 20;

export async function replay(requests: readonly Request[], options: Options): Promise<readonly Seen[]> {
  const { faults, slots, speed } = options;
  const tokens = { contextTokenMs: contextTokenMs / speed, generatedTokenMs: generatedTokenMs / speed };
  const none = { errors: 0, slow: 0 };
  const first = await start({ name: "first", slots, ...tokens, faults });
  const second = await start({ name: "second", slots, ...tokens, faults: none });
  try {
    return await drive(requests, first, second, options);
  } finally {
    for (const { child } of [first, second]) child.kill("SIGKILL");
  }
}

async function drive(requests: readonly Request[], first: Started, second: Started, options: Options) {
  const { faults, slots, speed, told } = options;
  const call = settled(callOf(first, second, slots, speed));
  const seen: Seen[] = [];
  for (const { url } of [first, second]) await fetch(url); // the first of a process takes longest
  const pending: Promise<void>[] = [];
  const begin = performance.now();
  const now = () => (performance.now() - begin) * speed;
  for (const request of requests) {
    const ahead = (request.at - now()) / speed;
    if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead));
    setGone(first, faults.outage !== undefined && now() >= faults.outage.from && now() < faults.outage.to);
    const lateMs = now() - request.at;
    const ended = call(request).then(({ story }) => {
      const money = story.cost.money ?? 0;
      seen.push({ at: request.at, tookMs: now() - request.at, lateMs, state: stateOf(story), money });
      told(pending.length, seen);
    });
    pending.push(ended);
  }
  await Promise.all(pending);
  return seen;
}

function stateOf({ failures, state }: Story): Seen["state"] {
  const isGood = state === "succeeded" || state === "degraded";
  return !isGood && failures.every(({ kind }) => kind === "notAdmitted") ? "shed" : state;
}

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  isGone: boolean;
}

async function start(declared: Declared): Promise<Started> {
  const file = fileURLToPath(new URL("provider.ts", import.meta.url));
  const child = fork(file, [JSON.stringify(declared)], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  process.once("exit", () => child.kill("SIGKILL"));
  const [port] = (await once(child, "message")) as [number];
  return { child, url: `http://127.0.0.1:${port}`, isGone: false };
}

function setGone(service: Started, isGone: boolean): void {
  if (service.isGone === isGone) return;
  service.isGone = isGone;
  service.child.send({ isGone });
}

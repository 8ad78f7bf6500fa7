// What goes wrong while the team works: at any time two of the three providers, each in another way, in an order drawn from a seed.
import { setTimeout as sleep } from "node:timers/promises";
import type { Misbehaviour } from "./provider/misbehaviour.ts";
import type { Provider } from "./provider/start.ts";

export type Fault = "killed" | "frozen" | Misbehaviour;

export interface Faults {
  /** Every fault there was, in its order. */
  readonly met: readonly { readonly provider: string; readonly fault: Fault }[];
  /** Who is well or not now. */
  now(): string;
  stop(): Promise<void>;
}

const kinds: readonly Fault[] = ["killed", "frozen", "slow", "rateLimited", "garbage", "invented"];
const longestPhaseMs = 4000;

/** Three phases have every fault once; each lasts until its third of the work is done, at most four seconds, and then they begin again. */
export async function unleash(providers: readonly Provider[], seed: number, share: () => number): Promise<Faults> {
  const stopped = new AbortController();
  const met: { provider: string; fault: Fault }[] = [];
  const phases = phasesOf(seed);
  let current: Phase = [];

  const change = async () => {
    const next = phases.next().value as Phase;
    const changes = providers.map((provider, at) => ({ provider, fault: next[at] }));
    current = next;
    // first the one that gets well, so that there are never three
    for (const { provider, fault } of changes) if (!fault) await provider.heal();
    for (const { provider, fault } of changes) if (fault) await inflict(provider, fault);
    for (const { provider, fault } of changes) if (fault) met.push({ provider: provider.name, fault });
  };
  const goOn = async () => {
    for (let phase = 1; ; phase++) {
      const end = performance.now() + longestPhaseMs;
      while (performance.now() < end && share() < phase / 3) {
        if (stopped.signal.aborted) return;
        await sleep(20);
      }
      if (stopped.signal.aborted) return;
      await change();
    }
  };

  await change();
  const ended = goOn();
  ended.catch(() => {}); // told when it is stopped
  return {
    met,
    now: () => providers.map(({ name }, at) => `${name} ${current[at] ?? "well"}`).join(", "),
    async stop() {
      stopped.abort();
      await ended;
    },
  };
}

/** By provider; the one without a fault is well. */
export type Phase = readonly (Fault | undefined)[];

export function* phasesOf(seed: number): Generator<Phase, never> {
  const random = randomOf(seed);
  for (let cycle = 0; ; cycle++) {
    const well = shuffled([0, 1, 2], random);
    const faults = shuffled(kinds, random);
    // the first phase begins before the work, and a kill is to hit a provider at work
    while (cycle === 0 && faults.slice(0, 2).includes("killed")) faults.push(...faults.splice(0, 2));
    for (const healthy of well) yield [0, 1, 2].map((at) => (at === healthy ? undefined : faults.shift()));
  }
}

async function inflict(provider: Provider, fault: Fault): Promise<void> {
  if (fault === "killed") return provider.kill();
  await provider.heal(fault === "frozen" ? undefined : fault);
  if (fault === "frozen") provider.freeze();
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** @see Tommy Ettinger, mulberry32, 2017 */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

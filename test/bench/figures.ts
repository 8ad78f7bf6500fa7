// All that one run measures.
import { budgets } from "./cases/budget.ts";
import { bulkheads, cockatielBulkhead, cockatielCrowd, cockatielFull, crowds, full } from "./cases/bulkhead.ts";
import { bus, unheard } from "./cases/bus.ts";
import { cached, entered } from "./cases/cache.ts";
import { checks } from "./cases/checks.ts";
import { failing, retriedByPRetry } from "./cases/failing.ts";
import { type Failover, failover } from "./cases/failover.ts";
import { hedges } from "./cases/hedge.ts";
import { loads } from "./cases/load.ts";
import { nesting } from "./cases/nesting.ts";
import { open, opossumOpen } from "./cases/open.ts";
import { alone, engines, peers, rotate } from "./cases/peers.ts";
import { memory, signals } from "./cases/pending.ts";
import { rateLimits } from "./cases/rateLimit.ts";
import { stacks } from "./cases/stacks.ts";
import { withins } from "./cases/within.ts";
import { bytes } from "./harness/memory.ts";
import { type Starts, starts } from "./harness/starts.ts";
import { type Case, type Effort, type Group, type Timing, time } from "./harness/time.ts";
import type { Library } from "./library.ts";

export interface Figures {
  readonly groups: readonly Group[];
  readonly times: ReadonlyMap<string, Timing>;
  readonly memory: ReadonlyMap<string, number>;
  readonly starts: ReadonlyMap<string, Starts>;
  readonly failover: Failover;
}

export interface Work extends Effort {
  readonly memoryRounds: number;
  readonly startRounds: number;
  readonly failoverMs: number;
  /** By what factor a limit may be missed. */
  readonly slack: number;
}

export async function measure(library: Library, work: Work): Promise<Figures> {
  const groups = await grouped(library);
  const times = await time(casesOf(groups), work, rotate);
  const before = {
    memory: await bytes(memory(library), work.memoryRounds),
    starts: await starts(signals(library), work.startRounds),
    failover: await failover(library, work.failoverMs),
  };
  // last: no call measured after it would be one of a process that never used it
  const last = await withins(library);
  const late = await time(last.cases, work, rotate);
  return { ...before, groups: [...groups, last], times: new Map([...times, ...late]) };
}

function casesOf(groups: readonly Group[]): Case[] {
  return groups.flatMap(({ cases }) => cases);
}

async function grouped(library: Library): Promise<Group[]> {
  return [
    {
      title: "A call that succeeds",
      says: "Retry, breaker and timeout round an async function that returns a number.",
      reference: engines,
      short: "by hand",
      cases: [...peers(), ...stacks(library)],
    },
    {
      title: "What goes in and what comes out",
      says: "A zod schema of ten fields, with a list and an object inside, asked of the input, of the output, or of both.",
      reference: engines,
      short: "by hand",
      cases: checks(library),
    },
    {
      title: "Policies, nesting, own wrappers",
      says: "The same three layers by other ways.",
      reference: engines,
      short: "by hand",
      cases: nesting(library),
    },
    {
      title: "A call that fails",
      says: "Without a breaker, which would open.",
      reference: retriedByPRetry,
      short: "p-retry",
      cases: failing(library),
    },
    {
      title: "Rejection by an open breaker",
      says: "Under pipe and protect with timeout and retry about it.",
      reference: opossumOpen,
      short: "opossum",
      cases: await open(library),
    },
    {
      title: "An answer that is known",
      says: "Under nothing, and under protect with the three layers; beside lru-cache alone, and a call that is only entered.",
      reference: entered,
      short: "entered",
      cases: await cached(library),
    },
    {
      title: "A budget that is not asked",
      says: "Retry round a success: its share comes in, and nothing is spent. Beside p-retry alone, which has none.",
      reference: alone,
      short: "p-retry",
      cases: budgets(library),
    },
    {
      title: "A hedge that does not fire",
      says: "Each answer comes before its time. Beside p-retry alone; most of it is what any call of ours is recorded for.",
      reference: alone,
      short: "p-retry",
      cases: hedges(library),
    },
    {
      title: "A rate limit with enough left",
      says: "A request is taken and nobody waits. Beside p-retry alone, which has none.",
      reference: alone,
      short: "p-retry",
      cases: rateLimits(library),
    },
    {
      title: "A limit that is found, load shedding",
      says: "There is room: a place is taken and given back, its latency looked at; and nobody is turned away. Beside p-retry alone.",
      reference: alone,
      short: "p-retry",
      cases: loads(library),
    },
    {
      title: "A bulkhead with a place free",
      says: "Ten places, one call after another. Most of it is what any call of ours is recorded for, whatever is laid round it.",
      reference: cockatielBulkhead,
      short: "cockatiel's",
      cases: bulkheads(library),
    },
    {
      title: "Rejection by a full bulkhead",
      says: "One place, taken, and no queue.",
      reference: cockatielFull,
      short: "cockatiel's",
      cases: full(library),
    },
    {
      title: "A queue",
      says: "A hundred calls at once through ten places, in a queue of a hundred; a line is all hundred.",
      reference: cockatielCrowd,
      short: "cockatiel's",
      cases: crowds(library),
    },
    {
      title: "The bus",
      says: "protect with the three layers, and who listens.",
      reference: unheard,
      short: "nobody",
      cases: bus(library),
    },
  ];
}

// Load shedding refuses the lowest first: by its measure exactly, and by the limits inside as they are.

import type { CallerLog } from "../../../src/testing/simulation/ledger.ts";
import { nameOf, type Rule } from "../../../src/testing/simulation/rule.ts";
import type { WatchedCall } from "../watched.ts";

/** From this pressure on each is refused. */
const from = { critical: 2, normal: 1, sheddable: 0.9, background: 0.8 } as const;
const ranks = Object.keys(from);
/** Who has more than his share goes so much earlier. */
const overShare = 0.05;

/** Of calls whose operation is a service. */
export function lowestFirst(watched: readonly WatchedCall[]): Rule {
  const shedding = watched.filter(({ layers }) => layers.shed !== undefined);
  const byName = new Map(shedding.map((one) => [one.name, one]));
  /** The most critical that was refused for want of room in this very moment, and since any place came free; by the call's name. */
  const refused = new Map<string, { readonly rank: number; readonly at: number }>();

  function refusedAt(name: string, at: number): number {
    const last = refused.get(name);
    return last?.at === at ? last.rank : ranks.length;
  }

  return {
    name: "lowest first",
    says: "Load shedding refuses by its measure exactly those whom it is meant for, and lets in nobody while one who matters more was refused.",
    called(run, world, found) {
      const { caller, told } = run;
      const one = byName.get(told?.name ?? "");
      if (caller === undefined || told === undefined || one === undefined) return;
      // it was let in before; be it in the name of another, who has left what they shared
      const isOfIt = (call: string | undefined) => call === told.call || one.layers.cache !== undefined;
      if (caller.runs.some((other) => other !== run && isOfIt(other.told?.call))) return;
      const rank = rankOf(told.criticality);
      const { pressure = 0 } = one.layers.shed ?? {};
      if (pressure >= from[rank])
        found(`${nameOf(caller as CallerLog)} (${rank}) is let in, and the pressure is ${pressure}`);
      if (ranks.indexOf(rank) > refusedAt(one.name, world.coming))
        found(`${nameOf(caller)} (${rank}) is let in, and one who matters more was refused`);
    },
    heard(event, world, found) {
      if (event.type !== "call.shed") return;
      const one = byName.get(event.name);
      if (one === undefined) return;
      const { layers } = one;
      const { pressure = 0, tenants } = layers.shed ?? {};
      const rank = rankOf(event.criticality);
      const least = from[rank] - (tenants === undefined ? 0 : overShare);
      if (event.why === "measure" && pressure < least)
        found(`"${event.name}" (${rank}) was refused by its measure, and the pressure is ${pressure}`);
      // where a share is kept for who matters less, he may come in
      if (event.why !== "limit" || layers.adaptiveLimit?.reserve?.sheddable !== undefined || tenants !== undefined)
        return;
      const at = world.coming;
      if (isSimple(one)) refused.set(one.name, { rank: Math.min(ranks.indexOf(rank), refusedAt(one.name, at)), at });
    },
    left() {
      refused.clear();
    },
  };
}

/** Nobody waits inside: who is let in runs, and at once. */
function isSimple({ layers: { bulkhead, rateLimit, breaker, tiers, guard, cache } }: WatchedCall): boolean {
  return (bulkhead ?? rateLimit ?? breaker ?? tiers ?? guard ?? cache) === undefined;
}

function rankOf(criticality: string | undefined): keyof typeof from {
  return criticality !== undefined && criticality in from ? (criticality as keyof typeof from) : "normal";
}

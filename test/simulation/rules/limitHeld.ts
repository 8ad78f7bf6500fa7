// A limit that is found out: no more run than it says when one is let in, places come back at the true end, and who matters more goes first.
import { nameOfRun, type Rule } from "../../../src/testing/simulation/rule.ts";
import type { World } from "../../../src/testing/simulation/world.ts";
import type { WatchedAdaptiveLimit } from "../watched.ts";

type Rank = "critical" | "normal" | "sheddable";

export function limitHeld({ plan, names, services, state, waits, sheds }: WatchedAdaptiveLimit): Rule {
  const { min = 1, max = 1_000, reserve = {} } = plan;
  /** In which one has ended: the limit hears of it a turn later. */
  let endedInStep = -1;

  function running({ running }: World): number {
    let count = 0;
    for (const run of running) if (services.has(run.service)) count++;
    return count;
  }

  /** So many places are kept from one of this rank; never the last. */
  function keptFrom(rank: Rank, limit: number): readonly [least: number, most: number] {
    const [critical, sheddable] = [reserve.critical ?? 0, reserve.sheddable ?? 0].map((share) =>
      Math.round(limit * share),
    );
    const above = rank === "critical" ? 0 : (critical as number);
    const below = rank === "sheddable" ? 0 : (sheddable as number);
    return [Math.min(above, limit - 1), Math.min(above + below, limit - 1)];
  }

  return {
    name: "limit held",
    says: "No more run than the limit when one is let in, the shares that are kept counted in; each place is held to the true end; nobody is refused while there is room for him.",
    called(run, world, found) {
      if (!services.has(run.service) || waits) return;
      const { limit } = state();
      const count = running(world);
      // of a run that several share, what they are together
      const rank = (run.told?.criticality ?? run.caller?.plan.criticality ?? "normal") as Rank;
      const [kept] = keptFrom(rank, limit);
      if (count > limit - kept)
        found(`${nameOfRun(run)} (${rank}) is begun, and with it ${count} run of ${limit}, of which ${kept} are kept`);
    },
    left(_run, world) {
      endedInStep = world.step;
    },
    heard(event, world, found) {
      if (event.type !== "call.shed" || event.why !== "limit" || !names.has(event.name) || waits || sheds) return;
      if (endedInStep === world.step) return;
      const { limit, baseMs } = state();
      const [, kept] = keptFrom(event.criticality as Rank, limit);
      const count = running(world);
      // during a measurement fewer may run: not before anything was found
      if (count < (baseMs === undefined ? limit : min) - kept)
        found(`"${event.name}" (${event.criticality}) was refused, and ${count} ran of ${limit}`);
    },
    stepped(world, found) {
      const { limit, running: said } = state();
      if (limit < min || limit > max) found(`the limit is ${limit}, and has to be from ${min} to ${max}`);
      const count = running(world);
      if (waits ? said < count : said !== count) found(`the limit says that ${said} run, and it is ${count}`);
    },
  };
}

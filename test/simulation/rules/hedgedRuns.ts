// Hedges: so many at most, at their time, one event each; and who has lost is ended.
import type { Run } from "../../../src/testing/simulation/ledger.ts";
import { type Found, nameOfRun, type Rule } from "../../../src/testing/simulation/rule.ts";
import type { World } from "../../../src/testing/simulation/world.ts";
import { judged } from "../judged.ts";
import type { Layers } from "../plan.ts";
import type { WatchedCall } from "../watched.ts";

/** What is known of one call, by its id. */
interface Known {
  readonly runs: Run[];
  started: number;
  refused: number;
  rounds: number;
}

/** Of calls whose operation is a service. */
export function hedgedRuns(watched: readonly WatchedCall[]): Rule {
  const byName = new Map(watched.map((one) => [one.name, one]));
  const calls = new Map<string, Known>();
  return {
    name: "hedged runs",
    says: "No more runs go on beside each other than a hedge allows, each at its time and with one event; the first good answer ends the others.",
    called(run, world, found) {
      const { told } = run;
      const one = byName.get(told?.name ?? "");
      if (told === undefined || one === undefined || !one.services.has(run.service)) return;
      const { hedge, urgency } = one.layers;
      const known = knownOf(told.call);
      const beside = known.runs.filter(goesOn);
      known.runs.push(run);
      const most = 1 + (hedge === undefined ? 0 : (hedge.extra ?? 1));
      if (beside.length >= most)
        found(`${nameOfRun(run)} is begun, and with it ${beside.length + 1} run beside each other of ${most}`);
      // a load that several share is told of in the name of one of them, and later perhaps of another
      if (!world.watched || one.layers.cache !== undefined) return;
      if (known.runs.length > 1 + known.rounds + known.started)
        found(
          `${nameOfRun(run)} is begun, and there were ${known.rounds} further rounds and ${known.started} hedges of call ${told.call}`,
        );
      if (hedge !== undefined && urgency === undefined && beside.length > 0 && !turnsAway(one.layers))
        early(run, beside, known, hedge.after, found);
    },
    heard(event) {
      const { type, call, name } = event;
      if (call === undefined || !byName.has(name)) return;
      if (type === "hedge.started") knownOf(call).started++;
      else if (type === "hedge.refused") knownOf(call).refused++;
      else if (type === "retry.scheduled") knownOf(call).rounds++;
    },
    stepped(world, found) {
      for (const run of world.running) {
        const { told } = run;
        const one = byName.get(told?.name ?? "");
        if (told === undefined || !one?.services.has(run.service) || !goesOn(run)) continue;
        const known = calls.get(told.call);
        if (known === undefined) continue;
        const won = known.runs.find((other) => other !== run && hasWon(other));
        if (won !== undefined && won.endedInStep! >= run.startedInStep)
          found(`${nameOfRun(run)} goes on, and ${nameOfRun(won)} has given a good answer`);
        late(run, one.layers, known, world, found);
      }
    },
  };

  function knownOf(call: string): Known {
    let known = calls.get(call);
    if (known === undefined) {
      known = { runs: [], started: 0, refused: 0, rounds: 0 };
      calls.set(call, known);
    }
    return known;
  }

  /** Beside others: its delay after the latest of them, or at once when one has failed. */
  function early(run: Run, beside: readonly Run[], { runs }: Known, after: number | "p95", found: Found): void {
    if (runs.some((one) => one.endedInStep === run.startedInStep || one.abortedInStep === run.startedInStep)) return;
    const latest = Math.max(...beside.map(({ startedAt }) => startedAt));
    if (after === "p95") return;
    // where the other side has asked to wait, it is later
    if (run.startedAt < latest + after - 1e-6)
      found(
        `${nameOfRun(run)} is begun ${run.startedAt - latest} ms after the one before, and should be after ${after} ms`,
      );
  }

  /** One that runs alone for longer than its delay is hedged, unless that is said to be refused. */
  function late(run: Run, { hedge, cache }: Layers, known: Known, world: World, found: Found): void {
    if (hedge === undefined || hedge.after === "p95" || cache !== undefined || !world.watched) return;
    if (known.runs.length > 1 || known.started > 0 || known.refused > 0) return;
    if (run.startedAt + hedge.after < world.coming - 1e-6)
      found(`${nameOfRun(run)} goes on since ${run.startedAt} ms, and nothing was begun beside it`);
  }
}

function goesOn({ endedAt, signal }: Run): boolean {
  return endedAt === undefined && signal?.aborted !== true;
}

/** Before it was ended itself. */
function hasWon({ abortedInStep, endedInStep, ok, behaviour }: Run): boolean {
  if (ok !== true || behaviour.gives === "lie" || judged(behaviour.gives) !== undefined) return false;
  return abortedInStep === undefined || abortedInStep >= (endedInStep ?? 0);
}

/** Whether something inside the hedge lets an attempt wait, or refuses it. */
function turnsAway({ breaker, bulkhead, rateLimit, adaptiveLimit }: Layers): boolean {
  return (breaker ?? bulkhead ?? rateLimit ?? adaptiveLimit) !== undefined;
}

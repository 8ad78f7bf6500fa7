// A breaker's counts are what happened, and it lets nobody pass whom it should not.
import { HoldfastError } from "../../../src/index.ts";
import type { Run } from "../../../src/testing/simulation/ledger.ts";
import { type Found, nameOfRun, type Rule } from "../../../src/testing/simulation/rule.ts";
import type { World } from "../../../src/testing/simulation/world.ts";
import { BreakerModel, type Heard, type Weight } from "../breaker/model.ts";
import type { Bounds } from "../breaker/outcomes.ts";
import { judged } from "../judged.ts";
import type { WatchedBreaker } from "../watched.ts";

/** Of the runs of these services, which stand directly behind the breaker. */
export function breakerCounts(watched: WatchedBreaker): Rule {
  const { plan, services, names, state } = watched;
  const model = new BreakerModel(plan, watched.timeout);
  const observes = plan.mode === "observe";
  /** Events that were looked at. */
  let seen = 0;
  /** As the step began. */
  let before = { closed: true, changes: 0 };

  return {
    name: "breaker counts",
    says: "A breaker counts what happened, opens, probes and closes by it, and lets nobody pass while it is open.",
    called(run, _world, found) {
      if (!services.has(run.service)) return;
      const refused = model.begins(run.no, run.startedAt);
      // several whom a limit lets in together begin before the first of them is heard of
      const isTogether = watched.waits && model.changedAt === run.startedAt;
      if (refused !== undefined && !observes && !isTogether) found(`${nameOfRun(run)} is begun, and ${refused}`);
    },
    left(run, world) {
      if (!services.has(run.service)) return;
      model.ends(run.no, world.runs.length - 1, run.startedAt, world.coming, weigh(run, world));
    },
    stepped(world, found) {
      compare(world, found);
      refusals(world, found);
      before = { closed: model.phase.is === "closed" && world.coming >= model.rampUntil, changes: model.changes };
    },
  };

  function compare(world: World, found: Found): void {
    const { coming: now } = world;
    const is = state();
    if (model.unsure) model.adopt(is.state, is.since, world.now, world.runs.length - 1);
    const { phase } = model;
    const may =
      phase.is !== "open"
        ? [phase.is]
        : [...(now < phase.latest ? ["open"] : []), ...(now >= phase.until ? ["halfOpen"] : [])];
    if (!may.includes(is.state)) return found(`the breaker is ${is.state} and should be ${may.join(" or ")}`);
    if (phase.is === "open" && is.state === "open") {
      const left = is.nextProbeMs ?? 0;
      if (left < phase.until - now - 1 || left > phase.latest - now + 1)
        found(`the breaker's next probe is in ${left} ms and should be in ${phase.until - now} ms`);
    }
    const opened = phase.is === "halfOpen" ? phase.opened : phase;
    const calls = opened.is === "open" ? opened.calls : model.outcomes.within(now, () => true);
    const failures = opened.is === "open" ? opened.failures : model.outcomes.within(now, (one) => one.failed);
    if (isOutside(is.calls, calls)) found(`the breaker has counted ${is.calls} calls, and there were ${text(calls)}`);
    if (isOutside(is.failures, failures))
      found(`the breaker has counted ${is.failures} failures, and there were ${text(failures)}`);
  }

  function refusals({ events }: World, found: Found): void {
    for (; seen < events.length; seen++) {
      const event = events[seen];
      if (event?.type !== "breaker.refused" || !names.has(event.name)) continue;
      if (before.closed && before.changes === model.changes)
        found(`"${event.name}" was refused, and the breaker was closed`);
    }
  }

  function weigh(run: Run, world: World): Heard {
    const { endedAt, signal, caller, behaviour } = run;
    const waited = mayHaveWaited(run);
    if (endedAt === undefined) {
      const reason: unknown = signal?.reason;
      // a load that several share ends by the deadline of the last of them
      if (watched.shares && HoldfastError.is(reason, "DEADLINE_EXCEEDED"))
        return { weight: "failure", sure: false, waited };
      return { weight: cut(run, reason, world.coming), sure: true, waited };
    }
    const thought = judged(behaviour.gives);
    const weight = thought === undefined ? "success" : thought.counts ? "failure" : "nothing";
    // its caller went away as it was called: whether it had its answer by then is for the library to say
    const sure = !(caller?.plan.abort === "inside" && caller.runs[0] === run) && !mayHaveLost(run);
    return { weight, sure, waited, hint: thought?.hintMs };
  }

  /** Another one had its answer in the same step: who was first is for the library to say. */
  function mayHaveLost({ caller, no, endedInStep }: Run): boolean {
    return (
      watched.hedges && (caller?.runs.some((other) => other.no !== no && other.endedInStep === endedInStep) ?? false)
    );
  }

  /** For a place, since before the last change: then it was begun before, and says nothing. */
  function mayHaveWaited({ caller }: Run): boolean {
    return watched.waits && caller !== undefined && caller.startedAt <= model.changedAt;
  }

  /** The time-out of an attempt counts; a deadline if the attempt had at least half of it; that a caller has gone away does not. */
  function cut({ caller, startedAt }: Run, reason: unknown, now: number): Weight {
    if (HoldfastError.is(reason, "TIMEOUT")) return "failure";
    if (!HoldfastError.is(reason, "DEADLINE_EXCEEDED") || caller === undefined) return "nothing";
    const whole = Math.max(watched.deadlines[caller.plan.to ?? 0] ?? 0, caller.dueAt - caller.startedAt);
    return now - startedAt >= whole / 2 ? "failure" : "nothing";
  }
}

function isOutside(n: number, [least, most]: Bounds): boolean {
  return n < least || n > most;
}

function text([least, most]: Bounds): string {
  return least === most ? `${least}` : `${least} to ${most}`;
}

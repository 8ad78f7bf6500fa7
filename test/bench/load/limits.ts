// What must be reached under load.
import { type Check, found } from "../limits.ts";
import * as outage from "./outage.ts";
import * as overload from "./overload.ts";
import { hedged, type Tail } from "./tail.ts";

export interface Results {
  readonly overloads: readonly overload.Overload[];
  readonly outages: readonly outage.Outage[];
  readonly tails: readonly Tail[];
}

export function checks({ overloads, outages, tails }: Results): Check[] {
  const list: Check[] = [];
  const under = overloads.find(({ name }) => name === overload.adaptive);
  const bare = overloads.find(({ name }) => name === overload.unprotected);
  if (under !== undefined && bare !== undefined)
    list.push(
      { what: `${under.name}, 10 × capacity: goodput as a share of capacity`, measured: under.goodput, atLeast: 0.95 },
      {
        what: `${under.name}, 10 × capacity: critical calls' p99, by that of an unloaded service`,
        measured: under.p99Ms / bare.calmP99Ms,
        atMost: 2,
      },
    );
  const gone = new Map(outages.map((one) => [one.name, one]));
  for (const name of [outage.withBudget, outage.withBreaker, outage.impatient]) {
    const { attemptsPerCall, herd, recoveryMs } = found(gone, name);
    list.push(
      {
        what: `${name}, an outage: requests that reach the dependency, by call`,
        measured: attemptsPerCall,
        atMost: 1.2,
      },
      { what: `${name}, its return: s until all calls are answered`, measured: recoveryMs / 1_000, atMost: 2 },
    );
    // by default calls that the breaker refuses wait for it up to a second, and come back with it: shown, and said
    if (name !== outage.withBreaker)
      list.push({
        what: `${name}, its return: the busiest half second, by that without protection`,
        measured: herd / found(gone, outage.unprotected).herd,
        atMost: 1.5,
      });
  }
  const tail = tails.find(({ name }) => name === hedged);
  if (tail !== undefined)
    list.push(
      { what: `${hedged}, a slow answer now and then: p99, by p50`, measured: tail.p99Ms / tail.p50Ms, atMost: 3 },
      { what: `${hedged}, likewise: requests beyond one a call, as a share`, measured: tail.extra, atMost: 0.06 },
    );
  return list;
}

/** What nobody protects is as even as its arrivals, unless the machine has other things to do. */
export function isBusy({ outages }: Results): boolean {
  return outages.some(({ herd, name }) => name === outage.unprotected && herd > 1.5);
}

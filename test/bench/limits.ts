// What must be reached. A figure beyond its limit fails the run.
import { budgeted, budgetedByProtect } from "./cases/budget.ts";
import { bulkheadAlone, bulkheadFull, cockatielFull } from "./cases/bulkhead.ts";
import { entered, hits, lruGet, unasked } from "./cases/cache.ts";
import { bare, bothChecked, everything, gated, guarded, parsed, unchecked } from "./cases/checks.ts";
import { hedged, hedgedByProtect } from "./cases/hedge.ts";
import { adaptive, adaptiveByProtect, shedding, sheddingByProtect } from "./cases/load.ts";
import { opossumOpen } from "./cases/open.ts";
import { alone, cockatiel, engines } from "./cases/peers.ts";
import { cockatielPending, signalEach } from "./cases/pending.ts";
import { limited, limitedByBucket, limitedByProtect, limitedByTokens } from "./cases/rateLimit.ts";
import type { Figures } from "./figures.ts";

export interface Check {
  readonly what: string;
  readonly measured: number;
  readonly atMost?: number | undefined;
  readonly atLeast?: number | undefined;
}

/** `slack`: by what factor a rough run may miss. */
export function reached({ measured, atMost = Infinity, atLeast = -Infinity }: Check, slack: number): boolean {
  return measured <= atMost * slack && measured >= atLeast / slack;
}

export function checks({ times, memory, starts, failover }: Figures): Check[] {
  const time = (name: string) => found(times, name).median;
  const bytes = (name: string) => found(memory, name);
  const list: Check[] = [];
  for (const ours of ["holdfast pipe", "holdfast protect"]) {
    list.push(
      { what: `${ours}, as a multiple of the engines by hand`, measured: time(ours) / time(engines), atMost: 0.6 },
      { what: `${ours}, times faster than cockatiel`, measured: time(cockatiel) / time(ours), atLeast: 10 },
      {
        what: `${ours}, signal, as a multiple of the engines by hand`,
        measured: time(`${ours}, signal`) / time(engines),
        atMost: 1,
      },
    );
  }
  list.push({
    what: `${bothChecked}, as a multiple of the engines by hand, which check nothing (the aim is 1)`,
    measured: time(bothChecked) / time(engines),
    atMost: 1.25,
  });
  list.push({
    what: `${everything}: times faster than cockatiel's three (the aim is 4)`,
    measured: time(cockatiel) / time(everything),
    atLeast: 1.5,
  });
  for (const ours of [guarded, gated]) {
    const schema = time(parsed) - time(bare);
    list.push({
      what: `${ours}, over its schema, ns`,
      measured: time(ours) - time(unchecked) - schema,
      atMost: 300,
    });
  }
  for (const ours of ["holdfast breaker alone, open", "holdfast protect, open"]) {
    list.push({ what: `${ours}, as a multiple of opossum's`, measured: time(ours) / time(opossumOpen), atMost: 0.25 });
  }
  for (const hit of hits) {
    const get = time(lruGet) - time(unasked);
    list.push({
      what: `${hit}, as a share of a call that is entered and twice lru-cache's get`,
      measured: time(hit) / (time(entered) + 2 * get),
      atMost: 1,
    });
  }
  for (const ours of ["holdfast pipe", "holdfast protect"]) {
    const [each, theirs] = [signalEach(ours), signalEach(cockatielPending)];
    const { few, many } = found(starts, ours);
    list.push(
      {
        what: `${ours}, bytes pending, as a multiple of cockatiel's`,
        measured: bytes(ours) / bytes(cockatielPending),
        atMost: 0.2,
      },
      { what: `${each}, bytes pending, likewise`, measured: bytes(each) / bytes(theirs), atMost: 0.3 },
      { what: `${ours}, a start with 10,000 on the signal against 10`, measured: many / few, atMost: 1.5 },
    );
  }
  const added = (ours: string, atMost: number, aim = "") =>
    list.push({
      what: `${ours}, over a call that is entered, as a share of what p-retry adds to a function${aim}`,
      measured: (time(ours) - time(entered)) / (time(alone) - time(bare)),
      atMost,
    });
  for (const ours of [budgeted, budgetedByProtect, limited, limitedByBucket, limitedByProtect]) added(ours, 1);
  for (const ours of [adaptive, adaptiveByProtect, shedding]) added(ours, 1);
  added(sheddingByProtect, 1.5); // two of them
  for (const ours of [hedged, hedgedByProtect]) added(ours, 1.5, " (the aim is 1)");
  list.push(
    {
      what: `${limitedByTokens} that are estimated, as a multiple of requests alone`,
      measured: time(limitedByTokens) / time(limited),
      atMost: 2,
    },
    {
      what: `${bulkheadAlone}, as a multiple of a call with nothing declared`,
      measured: time(bulkheadAlone) / time(entered),
      atMost: 1.3,
    },
    {
      what: `${bulkheadFull}, as a multiple of cockatiel's`,
      measured: time(bulkheadFull) / time(cockatielFull),
      atMost: 0.35,
    },
  );
  list.push({
    what: "first provider dead, caller's p99 above the second's own, ms",
    measured: failover.chain.p99 - failover.direct.p99,
    atMost: 5,
  });
  return list;
}

export function found<T>(figures: ReadonlyMap<string, T>, name: string): T {
  const figure = figures.get(name);
  if (figure === undefined) throw new Error(`no figure of "${name}"`);
  return figure;
}

// A bulkhead lets in as many as it has places, holds each place to the true end, and lets nobody wait for nothing.
import type { Run } from "../../../src/testing/simulation/ledger.ts";
import { type Found, nameOfRun, type Rule } from "../../../src/testing/simulation/rule.ts";
import type { World } from "../../../src/testing/simulation/world.ts";
import type { WatchedBulkhead } from "../watched.ts";

export function placesHeld({ plan, services, state }: WatchedBulkhead): Rule {
  const { concurrency, queue = 0, abandonAfter = Number.POSITIVE_INFINITY } = plan;

  /** Those that run behind it and surely have a place, and those that perhaps have one. */
  function held({ running }: World, now: number): readonly [least: number, most: number] {
    let [least, most] = [0, 0];
    for (const run of running) {
      if (!services.has(run.service)) continue;
      const lostAt = abandonedAt(run);
      if (lostAt > now) least++;
      if (lostAt >= now) most++;
    }
    return [least, most];
  }

  function abandonedAt({ abortedAt = Number.POSITIVE_INFINITY }: Run): number {
    return abortedAt + abandonAfter;
  }

  return {
    name: "places held",
    says: "No more run than a bulkhead has places; each is held to the true end; nobody waits while one is free.",
    called(run, world, found) {
      if (!services.has(run.service)) return;
      const [least] = held(world, world.coming);
      if (least > concurrency) found(`${nameOfRun(run)} is begun, and with it ${least} run in ${concurrency} places`);
    },
    stepped(world, found: Found) {
      const [least, most] = held(world, world.now);
      const { running, queued } = state();
      if (running < least || running > most)
        found(`the bulkhead says that ${running} run, and it is ${least === most ? least : `${least} to ${most}`}`);
      if (queued > queue) found(`${queued} wait in a queue of ${queue}`);
      if (queued > 0 && running < concurrency) found(`${queued} wait, and ${running} run in ${concurrency} places`);
    },
  };
}

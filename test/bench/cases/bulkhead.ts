// A bulkhead alone: with a place free, full, and a crowd that goes through a few places.
import { bulkhead as cockatiel } from "cockatiel";
import { type Case, rejects } from "../harness/time.ts";
import type { Library } from "../library.ts";

export const cockatielBulkhead = "cockatiel bulkhead";
export const cockatielFull = "cockatiel bulkhead, full";
export const bulkheadAlone = "holdfast bulkhead";
export const bulkheadFull = "holdfast bulkhead, full";
export const cockatielCrowd = "cockatiel, a hundred calls through ten places";

export function bulkheads({ bulkhead, protect }: Library): Case[] {
  const theirs = cockatiel(10);
  const ours = bulkhead(10)(ok);
  const abandons = bulkhead({ concurrency: 10, abandonAfter: "1m" })(ok);
  const declared = protect("bench", ok, { bulkhead: 10 });
  return [
    { name: cockatielBulkhead, run: () => theirs.execute(ok) },
    { name: bulkheadAlone, run: () => ours() },
    { name: "holdfast bulkhead, abandonAfter", run: () => abandons() },
    { name: "holdfast protect, bulkhead", run: () => declared() },
  ];
}

export function full({ bulkhead }: Library): Case[] {
  const theirs = cockatiel(1);
  void theirs.execute(() => new Promise(() => {}));
  const places = bulkhead(1);
  places.acquire();
  const ours = places(ok);
  return [
    { name: cockatielFull, run: rejects(() => theirs.execute(ok)) },
    { name: bulkheadFull, run: rejects(() => ours()) },
  ];
}

export function crowds({ bulkhead }: Library): Case[] {
  const theirs = cockatiel(10, 100);
  const ours = bulkhead({ concurrency: 10, queue: 100 })(ok);
  const timed = bulkhead({ concurrency: 10, queue: 100, queueTimeout: "1m" })(ok);
  return [
    { name: cockatielCrowd, run: () => Promise.all(crowd.map(() => theirs.execute(ok))) },
    { name: "holdfast, a hundred calls through ten places", run: () => Promise.all(crowd.map(() => ours())) },
    { name: "holdfast, likewise with queueTimeout", run: () => Promise.all(crowd.map(() => timed())) },
  ];
}

const ok = async () => 1;
const crowd = Array.from({ length: 100 });

// An answer that is known: what a hit costs beside lru-cache's own get, and beside a call that is entered and has nothing to do.
import { LRUCache } from "lru-cache";
import type { Case } from "../harness/time.ts";
import type { Library } from "../library.ts";
import { three } from "./stacks.ts";

export const lruGet = "lru-cache get, with a lifetime";
export const unasked = "an async function, nothing else";
export const entered = "holdfast protect, nothing declared";
export const hits = ["holdfast cache, a hit", "holdfast protect + cache, a hit"] as const;

const ok = async (_: string) => 1;

export async function cached({ cache, pipe, protect }: Library): Promise<Case[]> {
  const lru = new LRUCache<string, { value: number }>({ max: 1000, ttl: 3_600_000, ttlResolution: 0 });
  lru.set("key", { value: 1 });
  const alone = pipe(ok, cache({ ttl: "1h" }));
  const declared = protect("bench", ok, { ...three, cache: { ttl: "1h" } });
  const nothing = protect("bench", ok);
  await Promise.all([alone("key"), declared("key")]);
  return [
    { name: unasked, run: () => ok("key") },
    { name: lruGet, run: async () => lru.get("key")?.value },
    { name: entered, run: () => nothing("key") },
    { name: hits[0], run: () => alone("key") },
    { name: hits[1], run: () => declared("key") },
  ];
}

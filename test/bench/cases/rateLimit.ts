// A rate limit on the way of a success: a request is taken, and nobody waits.
import type { Case } from "../harness/time.ts";
import type { Library } from "../library.ts";

export const limited = "holdfast rate limit";
export const limitedByProtect = "holdfast protect, rate limit";
export const limitedByBucket = "holdfast rate limit, a bucket";
export const limitedByTokens = "holdfast rate limit, requests and tokens";

export function rateLimits({ protect, rateLimit }: Library): Case[] {
  const requests = { limit: 1e12, per: "1s" } as const;
  const own = rateLimit({ requests })(ok);
  const bucket = rateLimit({ requests: { ...requests, burst: 1e9 } })(ok);
  const declared = protect("bench", ok, { rateLimit: { requests } });
  const estimate = () => ({ inputTokens: 10 });
  const both = rateLimit({ requests, tokens: { limit: 1e12, per: "1s" }, estimate })(ok);
  return [
    { name: limited, run: () => own() },
    { name: limitedByBucket, run: () => bucket() },
    { name: limitedByProtect, run: () => declared() },
    { name: limitedByTokens, run: () => both(undefined as never) },
  ];
}

const ok = async () => 1;

// What was answered before. Declared, not built yet.
import { HoldfastError } from "../core/errors.ts";
import type { Duration, WrapperFor } from "../core/operation.ts";

export interface CacheOptions<I> {
  ttl: Duration;
  key?: ((input: I) => string) | undefined;
  max?: number | undefined;
  staleOnError?: Duration | undefined;
  whileRevalidating?: Duration | undefined;
  negative?: Duration | undefined;
}

export interface Cache<I> extends WrapperFor<I> {
  readonly kind: "cache";
  delete(input: I): void;
  clear(): void;
}

/** Not built yet. @throws HoldfastError always */
export function cache<I>(_options: CacheOptions<I>): Cache<I> {
  throw new HoldfastError("`cache` is declared but not built yet: leave it out.", { code: "OPTIONS_INVALID" });
}

// What was answered before. Declared, not built yet.
import { OptionsInvalidError } from "../core/errors.ts";
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

/** Not built yet. @throws OptionsInvalidError always */
export function cache<I>(_options: CacheOptions<I>): Cache<I> {
  throw new OptionsInvalidError("cache", [{ wanted: "no cache yet: it is declared and not built" }]);
}

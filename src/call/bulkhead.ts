// How many at once. Declared, not built yet.
import { HoldfastError } from "../core/errors.ts";
import type { Duration, Wrapper } from "../core/operation.ts";
import type { Permit } from "./breaker.ts";

export interface BulkheadOptions {
  concurrency: number;
  queue?: number | undefined;
  queueTimeout?: Duration | undefined;
  abandonAfter?: Duration | undefined;
}

export interface Bulkhead extends Wrapper {
  readonly kind: "bulkhead";
  readonly running: number;
  readonly queued: number;
  acquire(): Permit | undefined;
}

/** Not built yet. @throws HoldfastError always */
export function bulkhead(_options: number | BulkheadOptions): Bulkhead {
  throw new HoldfastError("`bulkhead` is declared but not built yet: leave it out.", { code: "OPTIONS_INVALID" });
}

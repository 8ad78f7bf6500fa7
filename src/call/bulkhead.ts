// How many at once. Declared, not built yet.
import { OptionsInvalidError } from "../core/errors.ts";
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

/** Not built yet. @throws OptionsInvalidError always */
export function bulkhead(_options: number | BulkheadOptions): Bulkhead {
  throw new OptionsInvalidError("bulkhead", [{ wanted: "no bulkhead yet: it is declared and not built" }]);
}

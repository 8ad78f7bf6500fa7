// Refusals in volume: what they say changes once a millisecond, so that the text of their stack is put together once for many.
import { BreakerOpenError, stackless } from "../../core/errors.ts";

export class Alike {
  private operation = "";
  private breaker = "";
  private why = "";
  private ms: number | undefined = undefined;
  /** What it reads, once a second one says the same. */
  private stack: string | undefined = undefined;

  error(operation: string, breaker: string, why: string, ms: number | undefined): BreakerOpenError {
    const make = () => new BreakerOpenError(operation, breaker, why, ms);
    const isAlike = this.operation === operation && this.ms === ms && this.breaker === breaker && this.why === why;
    const error = stackless(make, isAlike ? this.stack : undefined);
    if (!isAlike) {
      this.operation = operation;
      this.breaker = breaker;
      this.why = why;
      this.ms = ms;
      this.stack = undefined;
    } else this.stack ??= error.stack;
    return error;
  }
}

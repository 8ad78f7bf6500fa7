// The deadline of a call.
import { DeadlineExceededError, stackless } from "./errors.ts";
import type { CallRecord, Cut } from "./record.ts";
import { armUnheld, disarm, Timed } from "./timers.ts";

/** Ends its call when the deadline has come. */
export class DeadlineTimer extends Timed {
  private readonly call: CallRecord;
  private readonly dueAt: number;
  private readonly declaredMs: number | undefined;
  constructor(call: CallRecord, dueAt: number, declaredMs: number | undefined) {
    super(call.startedAt);
    this.call = call;
    this.dueAt = dueAt;
    this.declaredMs = declaredMs;
  }
  /** A body on its way holds its own socket; the limit on it holds nothing. */
  letProcessEnd(): void {
    const { clock } = this.call.stack.seams;
    disarm(this);
    armUnheld(clock, Math.max(0, this.dueAt - clock.monotonic()), this);
  }
  expire(): void {
    this.call.abandon(overdue(this.call, this.dueAt, this.declaredMs));
  }
}

/** The end of a call whose deadline, at `dueAt` monotonic ms, has come; `declaredMs`: as it was when the call began. */
export function overdue(call: CallRecord, dueAt: number, declaredMs: number | undefined): Cut {
  const at = call.stack.seams.clock.monotonic();
  // a caller in more of a hurry than was declared says nothing about what was called
  const declared = declaredMs === undefined || declaredMs === Number.POSITIVE_INFINITY ? 0 : declaredMs;
  return {
    reason: stackless(() => new DeadlineExceededError(call.name, Math.max(0, at - dueAt))),
    at,
    wholeMs: Math.max(Number.MIN_VALUE, declared, dueAt - call.startedAt),
  };
}

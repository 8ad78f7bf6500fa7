// One listener a signal, however many calls follow it: a long-lived signal is neither filled with listeners nor slow.
import type { CallRecord } from "./record.ts";

/** Where a signal keeps its hub: a lookup by the signal costs twice as much. */
const HUB = Symbol("holdfast.hub");

/** The way a call hears of its caller's abort. */
export class Hub {
  private readonly signal: AbortSignal;
  private first: CallRecord | null = null;
  private state: "idle" | "soon" | "listening" = "idle";

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  join(call: CallRecord): void {
    call.following = this;
    call.later = this.first;
    if (this.first !== null) this.first.earlier = call;
    this.first = call;
  }

  leave(call: CallRecord): void {
    if (call.earlier !== null) call.earlier.later = call.later;
    else this.first = call.later;
    if (call.later !== null) call.later.earlier = call.earlier;
    call.following = call.earlier = call.later = null;
    if (this.first !== null || this.state !== "listening") return;
    this.state = "idle";
    this.signal.removeEventListener("abort", this);
  }

  /** In the same turn, but not for what has its answer already: to add and remove a listener costs as much as all the rest. */
  soon(): void {
    if (this.signal.aborted) return this.handleEvent(); // by the operation, as it was called
    if (this.state !== "idle") return;
    this.state = "soon";
    if (waiting.push(this) === 1) now.then(beginAll);
  }

  begin(): void {
    this.state = "idle";
    if (this.first === null) return;
    if (this.signal.aborted) return this.handleEvent();
    this.state = "listening";
    this.signal.addEventListener("abort", this);
  }

  handleEvent(): void {
    const { reason } = this.signal;
    while (this.first !== null) {
      const call = this.first;
      this.leave(call);
      call.abandon({ reason, at: call.stack.seams.clock.monotonic(), wholeMs: 0 });
    }
  }
}

const now = Promise.resolve();
let waiting: Hub[] = [];

function beginAll(): void {
  const hubs = waiting;
  waiting = [];
  for (const hub of hubs) hub.begin();
}

/** Ends the call when the signal aborts, until the call leaves. */
export function follow(call: CallRecord, signal: AbortSignal): void {
  const home = signal as AbortSignal & { [HUB]?: Hub };
  home[HUB] ??= new Hub(signal);
  home[HUB].join(call);
}

/** Before more is begun in the turn in which a call was entered: what was called in it may have sent its caller away. */
export function hearNow(call: CallRecord): void {
  for (
    let one: CallRecord | undefined = call;
    one !== undefined;
    one = (one.parent as { call: CallRecord } | null)?.call
  )
    one.following?.soon();
}

// One listener a signal, however many calls follow it: a long-lived signal is neither filled with listeners nor slow.
import type { CallRecord, Following } from "./record.ts";

/** Where a signal keeps its hub: a lookup by the signal costs twice as much. */
const HUB = Symbol("holdfast.hub");

class Hub implements Following {
  private readonly signal: AbortSignal;
  private first: CallRecord | null = null;

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  join(call: CallRecord): void {
    call.following = this;
    call.later = this.first;
    if (this.first !== null) this.first.earlier = call;
    else this.signal.addEventListener("abort", this);
    this.first = call;
  }

  leave(call: CallRecord): void {
    if (call.earlier !== null) call.earlier.later = call.later;
    else this.first = call.later;
    if (call.later !== null) call.later.earlier = call.earlier;
    call.following = call.earlier = call.later = null;
    if (this.first === null) this.signal.removeEventListener("abort", this);
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

/** Ends the call when the signal aborts, until the call leaves. */
export function follow(call: CallRecord, signal: AbortSignal): void {
  const home = signal as AbortSignal & { [HUB]?: Hub };
  home[HUB] ??= new Hub(signal);
  home[HUB].join(call);
}

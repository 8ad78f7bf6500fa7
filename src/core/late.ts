// What is told of an attempt that nobody waits for any more: that it was left, and when it truly ended.
import { type AttemptRecord, RUNNING } from "./attempt.ts";
import type { Cut } from "./record.ts";
import { leave, returned } from "./spend.ts";

export function tellAbandoned(left: AttemptRecord, cut: Cut): void {
  const { call } = left;
  const { events } = call.stack.seams;
  if (!left.called) return;
  if (left.is(RUNNING)) leave(left);
  if (events.quiet) return;
  const wished = cut.wholeMs === 0;
  const reason = !wished ? "timeout" : call.cut === null ? "lost" : "cancelled";
  const { attempt, tier } = left.context;
  events.emit("attempt.abandoned", { attempt, tier, reason, stillRunning: left.is(RUNNING) }, call);
}

export function tellEnded(left: AttemptRecord, ok: boolean): void {
  const { call } = left;
  const { events } = call.stack.seams;
  if (!left.called) return;
  if (ok) returned(left);
  if (events.quiet) return;
  const { tier } = left.segment;
  const attempt = left.more.number ?? left.context.attempt;
  const now = left.now();
  events.emit("attempt.ended", { attempt, tier, lateMs: now - (left.cut?.at ?? now), ok }, call);
}

// What is told of a call that has ended: its end to the bus, its story to whoever asks.
import { HoldfastError } from "./errors.ts";
import type { CallRecord } from "./record.ts";
import { ownCost, wholeCost } from "./spend.ts";
import type { End } from "./state.ts";
import type { Story } from "./story.ts";

const nothing = { degraded: undefined, handsOnCached: false };

export function tellStory(call: CallRecord): Story {
  const { stack, rare, end, root } = call;
  const { clock } = stack.seams;
  if (end !== null) root?.note(call.startedAt + end.elapsedMs);
  return {
    id: call.id,
    name: stack.name,
    component: stack.component,
    state: end?.state ?? "succeeded",
    labels: call.labels,
    startedAt: clock.now() - (clock.monotonic() - call.startedAt),
    elapsedMs: end?.elapsedMs ?? clock.monotonic() - call.startedAt,
    attempts: call.attempts,
    failures: call.failures.slice(),
    tier: call.tier,
    tierName: rare?.tierName ?? stack.tierName,
    ...(rare?.degraded && { degraded: rare.degraded }),
    corrections: rare?.corrections?.slice() ?? [],
    cost: wholeCost(call),
    ...(rare?.reviewId !== undefined && { reviewId: rare.reviewId }),
    ...(rare?.shared && { sharedWith: rare.shared.call }),
    // one that still runs has no state yet
    children: rare?.children?.filter((child) => child.ended).map((child) => child.story()) ?? [],
  };
}

export function tellEnd(call: CallRecord, { state, elapsedMs }: End): void {
  const { events } = call.stack.seams;
  const { attempts, cut, rare, tier } = call;
  if (state === "timedOut" && HoldfastError.is(cut?.reason, "DEADLINE_EXCEEDED"))
    events.emit("deadline.exceeded", { lateMs: cut.reason.lateMs }, call);
  const told = { state, tier, attempts, elapsedMs, cost: ownCost(call) };
  const { degraded, handsOnCached } = rare ?? nothing;
  if (degraded === undefined && !handsOnCached) return events.emit("call.settled", told, call);
  events.emit("call.settled", { ...told, ...(degraded && { degraded }), ...(handsOnCached && { cached: true }) }, call);
}

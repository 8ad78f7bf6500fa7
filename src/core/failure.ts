// What was tried and did not do, as the story has it and the bus hears it.
import type { AttemptRecord } from "./attempt.ts";
import { bodyOf } from "./body.ts";
import type { RareOfAttempt } from "./rare.ts";
import type { CallRecord } from "./record.ts";
import { isResponse, statusWithin } from "./shapes.ts";
import type { Failure, FailureKind } from "./verdict.ts";

/** `endedAt`: monotonic ms. */
export function failureOf(
  attempt: AttemptRecord,
  kind: FailureKind,
  endedAt: number,
  rare: RareOfAttempt | null,
): Failure {
  const { call, context, segment, startedAt, value } = attempt;
  const { cost, kept, produced, waitedFor } = rare ?? nothing;
  return {
    error: value,
    kind,
    attempt: context.attempt,
    tier: segment.tier,
    tierName: segment.tierName,
    ...(produced !== undefined && { produced }),
    ...(kept !== undefined && kept.error === value && { kept: { call: kept.call, ageMs: kept.ageMs } }),
    ...(waitedFor !== undefined && { waitedFor }),
    startedAt: call.stack.seams.clock.now() - (attempt.now() - startedAt),
    elapsedMs: Math.max(0, endedAt - startedAt),
    ...(cost !== undefined && { cost }),
  };
}

const nothing: Partial<RareOfAttempt> = {};

export function tellFailure(call: CallRecord, failure: Failure, counts: boolean): void {
  const { attempt, tier, kind, error, elapsedMs } = failure;
  const { events } = call.stack.seams;
  events.emit("attempt.failed", { attempt, tier, kind, counts, error, elapsedMs }, call);
  if (kind === "unauthorized") events.emit("credentials.refused", { status: statusWithin(error) ?? 401 }, call);
}

/** A failure as a story may keep it: of a response what it said, not the body that somebody is yet to read. */
export function kept(failure: Failure): Failure {
  const { error } = failure;
  if (bodyOf(error) === undefined || !isResponse(error)) return failure;
  const { status, statusText, headers, url } = error as unknown as Response;
  try {
    const told = new Response(null, { status, statusText, headers });
    return { ...failure, error: Object.defineProperty(told, "url", { value: url }) };
  } catch {
    return { ...failure, error: { status, statusText, url } };
  }
}

/** What the next attempt is told of the earlier ones: of refused outputs only the last, or each attempt would carry the sum of all before it. */
export function handedOn(failures: readonly Failure[]): readonly Failure[] {
  const last = failures.findLastIndex((failure) => failure.produced !== undefined);
  return failures.map((failure, i) => {
    if (i >= last || failure.produced === undefined) return failure;
    const { produced: _, ...told } = failure;
    return told;
  });
}

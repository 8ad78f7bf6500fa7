// A record of one failed attempt, as a chain keeps it.
import { classifyError } from "../../src/core/classify.ts";
import type { Failure } from "../../src/core/verdict.ts";

export function failure(error: unknown): Failure {
  const { kind } = classifyError(error);
  return { error, kind, attempt: 1, tier: 0, tierName: "first", startedAt: 0, elapsedMs: 1 };
}

// The stages of urgency as they are written, and every problem of them at once: form, order, and what the call has not.
import { z } from "zod";
import type { Finding } from "../../core/verdict.ts";
import type { UrgencyStage } from "../urgency.ts";

/** Their form; what else is asked of them: `problemsOf`. */
export const urgencySchema = z
  .array(
    z.strictObject({
      at: z.number().gt(0).lt(1),
      start: z.enum(["hedge", "nextTier", "lastTier", "cached"]),
    }),
    { error: "a list of stages, { at, start }" },
  )
  .min(1, { error: "at least one stage" });

/** Of what a call has that stages may start: how often. `Infinity`: that cannot be told. */
export interface Had {
  readonly hasDeadline: boolean;
  readonly hedge: number;
  readonly tier: number;
  readonly cached: number;
}

/** Of whatever is written there: what has no form is told by the schema. */
export function problemsOf(written: unknown, had: Had): Finding[] {
  const stages = stagesIn(written);
  return [...without(had), ...outOfOrder(stages), ...missing(stages, had)];
}

/** How many of them start this. */
export function countOf(written: unknown, what: keyof typeof moreOf): number {
  return stagesIn(written).filter(({ start }) => whatOf[start as UrgencyStage["start"]] === what).length;
}

function stagesIn(written: unknown): Partial<UrgencyStage>[] {
  return Array.isArray(written) ? written.map((stage) => (stage ?? {}) as Partial<UrgencyStage>) : [];
}

function without({ hasDeadline }: Had): Finding[] {
  return hasDeadline ? [] : [{ path: "urgency", wanted: "a call with a `deadline`, of which the stages are shares" }];
}

function outOfOrder(stages: readonly Partial<UrgencyStage>[]): Finding[] {
  return stages.flatMap(({ at }, i) => {
    const before = stages[i - 1]?.at;
    if (typeof at !== "number" || typeof before !== "number" || at > before) return [];
    return [{ path: `urgency.${i}.at`, got: at, wanted: "later than the stage before it" }];
  });
}

/** What is started and is not there, or not so often. */
function missing(stages: readonly Partial<UrgencyStage>[], had: Had): Finding[] {
  const left = { ...had };
  return stages.flatMap(({ start }, i) => {
    const what = whatOf[start as UrgencyStage["start"]];
    if (what === undefined || start === undefined || left[what]-- > 0) return [];
    const wanted = had[what] === 0 ? wantedFor[start] : `${had[what]} of that at most: ${moreOf[what]}`;
    return [{ path: `urgency.${i}.start`, got: start, wanted }];
  });
}

const whatOf = { hedge: "hedge", cached: "cached", nextTier: "tier", lastTier: "tier" } as const;

const moreOf = {
  hedge: "the call's `hedge` has no more `extra`",
  cached: "the call has one cache",
  tier: "the call has no more tiers",
};

const wantedFor: Readonly<Record<UrgencyStage["start"], string>> = {
  hedge: "a call with `hedge`",
  nextTier: "a call with `fallback`",
  lastTier: "a call with `fallback`",
  cached: "a call with a `cache` that may serve what is stale (`staleOnError` or `whileRevalidating`)",
};

// Rising urgency: the more of the deadline is gone, the more is tried at once.
import { z } from "zod";
import type { AttemptRecord } from "../core/attempt.ts";
import { OptionsInvalidError } from "../core/errors.ts";
import { LiveOptions } from "../core/options.ts";
import type { Beside, Hedging, LayerSpec } from "../core/stack.ts";
import type { Finding } from "../core/verdict.ts";
import { LiveSpec, parseOptions } from "../core/wrapper.ts";
import { Rising } from "./urgency/rising.ts";
import type { Way } from "./way.ts";

/** What starts when this share of the deadline is gone. */
export interface UrgencyStage {
  /** Of the deadline that the call has, between 0 and 1. */
  at: number;
  /** Another try beside the first; the next tier, or the last, beside what runs; the answer that the cache still has. */
  start: "hedge" | "nextTier" | "lastTier" | "cached";
}

export const urgencySchema = z
  .array(
    z.strictObject({
      at: z.number().gt(0).lt(1),
      start: z.enum(["hedge", "nextTier", "lastTier", "cached"]),
    }),
    { error: "a list of stages, { at, start }" },
  )
  .min(1, { error: "at least one stage" })
  .superRefine((stages, context) => {
    for (const [i, { at }] of stages.entries())
      if (i > 0 && at <= (stages[i - 1] as UrgencyStage).at)
        context.addIssue({ code: "custom", path: [i, "at"], message: "later than the stage before it", input: at });
  });

/** What a call has that a stage may start. */
export interface Ways {
  readonly stages: readonly UrgencyStage[];
  readonly hasDeadline: boolean;
  readonly hedge: Hedging | undefined;
  readonly tiers: readonly Way[];
  /** What the cache still has for this attempt's input. */
  readonly cached:
    | ((attempt: AttemptRecord) => { readonly value: unknown; readonly ageMs: number } | undefined)
    | undefined;
}

/** @throws OptionsInvalidError for stages that start what the call does not have */
export function urgencySpec(name: string, ways: Ways): LayerSpec {
  const { hedge } = ways;
  const issues = missing(ways, ways.stages).map(({ path, ...issue }) => ({ path: `urgency.${path}`, ...issue }));
  if (!ways.hasDeadline)
    issues.unshift({ path: "urgency", wanted: "a call with a `deadline`, of which the stages are shares" });
  if (issues.length > 0) throw new OptionsInvalidError(name, issues);
  if (hedge !== undefined) hedge.hurried ??= new WeakMap();
  const now = { ...ways };
  const live = new LiveOptions((written) => parsed(written, ways), ways.stages, inFull).changedBy(
    ({ stages }) =>
      () => {
        now.stages = stages;
      },
  );
  const beside: Beside = { run: (attempt, top) => new Rising(attempt, top, now, now.stages).start() };
  return new LiveSpec("urgency", live, { beside });
}

/** `explain` shows stages as a layer's options; they are written as a list. */
function inFull(written: unknown): unknown {
  return Array.isArray(written) ? { stages: written } : written;
}

function parsed(written: unknown, ways: Ways): { readonly stages: readonly UrgencyStage[] } {
  const { stages } = inFull(written) as { readonly stages: unknown };
  const wanted = parseOptions("urgency", urgencySchema, stages);
  const issues = missing(ways, wanted);
  if (issues.length > 0) throw new OptionsInvalidError("urgency", issues);
  return { stages: wanted };
}

/** What is started and is not there, or not so often. */
function missing({ cached, hedge, tiers }: Ways, stages: readonly UrgencyStage[]): Finding[] {
  const left = { hedge: hedge?.extra ?? 0, cached: cached === undefined ? 0 : 1, tier: tiers.length };
  const had = { ...left };
  return stages.flatMap(({ start }, i) => {
    const what = start === "hedge" || start === "cached" ? start : "tier";
    if (left[what]-- > 0) return [];
    const wanted = had[what] === 0 ? wantedFor[start] : `${had[what]} of that at most: ${moreOf[what]}`;
    return [{ path: `${i}.start`, got: start, wanted }];
  });
}

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

// The story of a call: what it was, how it ended, and everything that was tried on the way.
import type { Cost } from "./operation.ts";
import type { Failure } from "./verdict.ts";

export type StoryState =
  | "succeeded"
  | "degraded"
  | "rejected"
  | "flagged"
  | "notAdmitted"
  | "timedOut"
  | "cancelled"
  | "failed";

export interface Story {
  readonly id: string;
  readonly name: string;
  readonly component: string;
  readonly state: StoryState;
  readonly labels: Readonly<Record<string, string>>;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly elapsedMs: number;
  /** Times any tier's operation was called. */
  readonly attempts: number;
  readonly failures: readonly Failure[];
  /** That answered, or was asked last; from 0. */
  readonly tier: number;
  readonly tierName: string;
  readonly degraded?: { readonly reason: string; readonly ageMs?: number | undefined } | undefined;
  readonly corrections: ReadonlyArray<{ readonly path: string; readonly rule: string }>;
  /** Of all attempts in all tiers, and of the calls inside it. */
  readonly cost: Cost;
  readonly reviewId?: string | undefined;
  /** The id of the call whose attempts gave this one its answer: they, and what they cost, are in the story of that one. */
  readonly sharedWith?: string | undefined;
  /** Protected calls made inside this one. */
  readonly children: readonly Story[];
}

export type Settled<O> =
  | { readonly ok: true; readonly value: O; readonly story: Story }
  | { readonly ok: false; readonly error: unknown; readonly story: Story };

// What several callers of one run want together: as urgent as the most urgent of them, and without retry or tiers only if all say so.
import type { Said } from "./context.ts";
import type { Criticality } from "./operation.ts";

const byUrgency: readonly Criticality[] = ["critical", "normal", "sheddable", "background"];

/** Lives on: what is made of it later sees what is wanted then. */
export type Live = { -readonly [K in keyof Said]: Said[K] };

export class Wishes {
  private readonly said: Live;
  private all = 0;
  private noRetry = 0;
  private noTiers = 0;
  /** How many said nothing of it, which counts as normal. */
  private silent = 0;
  private readonly urgencies = byUrgency.map(() => 0);

  constructor(said: Live) {
    this.said = said;
  }

  /** One comes, or goes; gives whether that changes how urgent it is. */
  count({ criticality, fallback, retry }: Said, sign: 1 | -1): boolean {
    const { said, urgencies } = this;
    this.all += sign;
    if (retry === false) this.noRetry += sign;
    if (fallback === false) this.noTiers += sign;
    if (criticality === undefined) this.silent += sign;
    const at = byUrgency.indexOf(criticality ?? "normal");
    urgencies[at] = (urgencies[at] ?? 0) + sign;
    const before = said.criticality;
    said.criticality = this.silent === this.all ? undefined : byUrgency[urgencies.findIndex((count) => count > 0)];
    said.retry = this.noRetry === this.all ? false : undefined;
    said.fallback = this.noTiers === this.all ? false : undefined;
    return said.criticality !== before;
  }
}

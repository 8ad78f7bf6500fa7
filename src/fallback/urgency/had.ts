// What a call has that stages may start: as it is declared, before anything is built, and as it stands, or will.
import type { z } from "zod";
import { cacheSchema } from "../../call/cache.ts";
import { hedgeSchema } from "../../call/hedge.ts";
import { limitSchema } from "../../core/duration.ts";
import type { Coming, LiveOptions } from "../../core/options.ts";
import type { LayerSpec } from "../../core/stack.ts";
import { specOf } from "../../core/wrapper.ts";
import type { Tiered, Way } from "../way.ts";
import type { Had } from "./stages.ts";

interface Hedges {
  readonly extra: number;
}
interface Stale {
  readonly staleOnError?: number | undefined;
  readonly whileRevalidating?: number | undefined;
}

/** Of a declaration that may have other problems: what cannot be read is one of those, and is taken as enough. `inner`: what stands round its operation already. */
export function hadIn(declared: Readonly<Record<string, unknown>>, inner: readonly LayerSpec[]): Had {
  const { deadline, hedge, cache, fallback } = declared;
  const below = new Whole(inner, undefined, undefined);
  return had(
    below.hedge === undefined
      ? said<Hedges>(hedge, hedgeSchema, { extra: Number.POSITIVE_INFINITY })
      : (below.hedge.options as Hedges),
    said<Stale>(cache, cacheSchema, { staleOnError: 1 }),
    typeof deadline === "function"
      ? (said<{ within: number }>(deadline, limitSchema, { within: 1 })?.within ?? 1)
      : said<number>(deadline, limitSchema, 1),
    below.tiers.length || (Array.isArray(fallback) ? fallback.length : fallback ? Number.POSITIVE_INFINITY : 0),
  );
}

function said<Options>(given: unknown, schema: z.ZodType, unread: Options): Options | undefined {
  if (given === undefined || given === false) return undefined;
  const options = typeof given === "function" ? specOf(given)?.options : schema.safeParse(given).data;
  return (options as Options | undefined) ?? unread;
}

/** Those of its layers, and its tiers. */
export class Whole {
  readonly hedge: LayerSpec | undefined;
  readonly cache: LayerSpec | undefined;
  readonly deadline: LayerSpec | undefined;
  readonly tiers: readonly Way[];

  /** `specs`: those inside, the innermost first. */
  constructor(specs: readonly LayerSpec[], cache: LayerSpec | undefined, deadline: LayerSpec | undefined) {
    this.hedge = specs.find(({ kind }) => kind === "hedge");
    this.cache = cache;
    this.deadline = deadline;
    const recovery = specs.find(({ kind }) => kind === "fallback")?.layer;
    this.tiers = recovery !== undefined && "recovery" in recovery ? (recovery.recovery as Tiered).ways : [];
  }

  /** As it is, or as it will be when what is coming has been made. */
  had(coming?: Coming): Had {
    const now = <Options>(spec: LayerSpec | undefined) => optionsOf(spec, coming) as Options | undefined;
    return had(now<Hedges>(this.hedge), now<Stale>(this.cache), now<number>(this.deadline), this.tiers.length);
  }

  get live(): readonly LiveOptions[] {
    return [this.hedge, this.cache, this.deadline].flatMap((spec) => spec?.live ?? []);
  }
}

function optionsOf(spec: LayerSpec | undefined, coming: Coming | undefined): unknown {
  const live = spec?.live;
  if (live === undefined) return spec?.options;
  return coming?.has(live) ? coming.get(live) : live.now;
}

function had(hedge: Hedges | undefined, cache: Stale | undefined, deadlineMs: number | undefined, tier: number): Had {
  const staleMs = (cache?.staleOnError ?? 0) + (cache?.whileRevalidating ?? 0);
  return {
    hasDeadline: deadlineMs !== undefined && deadlineMs !== Number.POSITIVE_INFINITY,
    hedge: hedge?.extra ?? 0,
    cached: staleMs > 0 ? 1 : 0,
    tier,
  };
}

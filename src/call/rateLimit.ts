// How much in how long: requests, tokens and money, each with a quota of its own.
import { z } from "zod";
import { limitSchema, spanSchema, spell } from "../core/duration.ts";
import { OptionsInvalidError } from "../core/errors.ts";
import type { Cost, Duration, Wrapper, WrapperFor } from "../core/operation.ts";
import { LiveOptions } from "../core/options.ts";
import { liveSeams, type Seams } from "../core/seams.ts";
import { functionSchema } from "../core/wanted.ts";
import { LiveSpec, parseOptions, wrapperOf } from "../core/wrapper.ts";
import type { Permit } from "./breaker.ts";
import { LimitBracket } from "./rateLimit/bracket.ts";
import { handled, stateOf } from "./rateLimit/handle.ts";
import { Limiters } from "./rateLimit/keys.ts";
import { Limiter } from "./rateLimit/limiter.ts";
import type { Settings } from "./rateLimit/settings.ts";

export interface Quota {
  /** So much in `per`; 0 lets nothing through; of requests else at least 1. */
  limit: number;
  /** In any period of this length, wherever it is laid. */
  per: Duration;
  /** For a token bucket: so much at once, beside what comes evenly. */
  burst?: number | undefined;
}

export interface RateLimitOptions<I = never> {
  /** How many operations are begun. */
  requests?: Quota | undefined;
  inputTokens?: Quota | undefined;
  outputTokens?: Quota | undefined;
  /** Input and output together. */
  tokens?: Quota | undefined;
  /** What was told as money, or has a price: a model without one is told (`limit.unpriced`), and goes on. */
  money?: Quota | undefined;
  /** `tokenBucket` (default): a `burst` at once, the rest evenly; without a burst, and as `slidingWindow`: what was taken comes back a period later; `smooth`: one by one, evenly spaced. */
  shape?: "tokenBucket" | "slidingWindow" | "smooth" | undefined;
  /** Who finds nothing left waits (default), the more critical first, or is refused. */
  whenFull?: "wait" | "reject" | undefined;
  /** Who would have to wait longer is refused at once; default 1 min. */
  maxWait?: Duration | undefined;
  /** What a call will use, taken before it begins; what it tells it has used is settled at its end. What cannot be meant, such as NaN, ends the call with a `TypeError`. */
  estimate?: ((input: I) => Cost) | undefined;
  /** Quotas of its own for each key, of the 10 000 keys seen last. */
  key?: ((input: I) => string) | undefined;
  /** Whose headers tell how much is left: it is believed where it is less than what is counted here. */
  headers?: "openai" | "anthropic" | "standard" | undefined;
}

export interface RateLimit extends Wrapper {
  readonly kind: "rateLimit";
  /** What may be taken of each quota now. */
  readonly left: Readonly<Record<string, number>>;
  /** How many wait. */
  readonly waiting: number;
  /** Leave for one request that is not one promise; `undefined` where nothing is left. */
  acquire(): Permit | undefined;
}

export interface RateLimitFor<I> extends WrapperFor<I> {
  readonly kind: "rateLimit";
}

const amount = (least: string, fits: (given: number) => boolean) =>
  z.custom<number>((given) => typeof given === "number" && Number.isFinite(given) && fits(given), {
    error: `a number, ${least}`,
  });
const quota = z
  .strictObject({
    limit: amount("at least 0", (given) => given >= 0),
    per: spanSchema,
    burst: amount("more than 0", (given) => given > 0).optional(),
  })
  .transform(({ limit, per, burst }) => ({ limit, per, burst }));

export const rateLimitSchema = z
  .strictObject({
    requests: quota.optional(),
    inputTokens: quota.optional(),
    outputTokens: quota.optional(),
    tokens: quota.optional(),
    money: quota.optional(),
    shape: z
      .enum(["tokenBucket", "slidingWindow", "smooth"], { error: '"tokenBucket", "slidingWindow" or "smooth"' })
      .default("tokenBucket"),
    whenFull: z.enum(["wait", "reject"], { error: '"wait" or "reject"' }).default("wait"),
    maxWait: limitSchema.prefault("1m"),
    estimate: functionSchema<(input: never) => Cost>().optional(),
    key: functionSchema<(input: never) => string>().optional(),
    headers: z.enum(["openai", "anthropic", "standard"], { error: '"openai", "anthropic" or "standard"' }).optional(),
  })
  .superRefine((given, context) => {
    const quotas = Object.entries({
      requests: given.requests,
      inputTokens: given.inputTokens,
      outputTokens: given.outputTokens,
      tokens: given.tokens,
      money: given.money,
    });
    if (quotas.every(([, quota]) => quota === undefined))
      context.addIssue({
        code: "custom",
        message: "a quota: requests, inputTokens, outputTokens, tokens or money",
        input: given,
      });
    for (const [name, quota] of quotas) {
      const issue = (path: string, message: string, input: unknown) =>
        context.addIssue({ code: "custom", path: [name, path], message, input });
      if (name === "requests" && quota !== undefined && quota.limit > 0 && quota.limit < 1)
        issue("limit", inWhole(quota), quota.limit);
      if (quota?.burst === undefined) continue;
      if (given.shape !== "tokenBucket") issue("burst", "nothing: only a token bucket has one", quota.burst);
      else if (name === "requests" && quota.burst < 1) issue("burst", "at least 1: a request is one", quota.burst);
    }
  });

/** A request is one: of less than one none would ever be let in. */
function inWhole({ limit, per }: { readonly limit: number; readonly per: number }): string {
  const one = per / limit;
  const [so, unit] = one < 1_000 ? [one, "ms"] : [one / 1_000, "s"];
  return `at least 1, or 0; for ${limit} in ${spell(per)} say { limit: 1, per: "${Number(so.toPrecision(6))}${unit}" }`;
}

/**
 * Lets so much through in a time: requests, tokens, money, several quotas together, taken all or none. Others wait their
 * turn, the more critical first, or are refused with a `RateLimitedError`. No period of that length, wherever it is laid,
 * holds more than the quota and its declared burst. State belongs to the wrapper: what it is laid round shares it.
 * @throws OptionsInvalidError when made with options that cannot be meant: every problem, with its path
 * @example
 * const limit = rateLimit({ requests: { limit: 2, per: "1m" }, whenFull: "reject" });
 * const ask = limit(async (question: string) => `${question}?`);
 * console.log(await ask("why"), limit.left); // → why? { requests: 1 }
 * @see Jonathan Turner, "New Directions in Communications (or Which Way to the Information Age?)", 1986: the leaky bucket
 */
export function rateLimit(
  options: RateLimitOptions & { key?: undefined; estimate?: undefined },
  seams?: Partial<Seams>,
): RateLimit;
export function rateLimit<I>(options: RateLimitOptions<I>, seams?: Partial<Seams>): RateLimitFor<I>;
export function rateLimit(options: RateLimitOptions, seams?: Partial<Seams>): Wrapper {
  const live = new LiveOptions<Settings>((written) => parseOptions("rateLimit", rateLimitSchema, written), options);
  const settings = live.now;
  const ownSeams = liveSeams(seams);
  const laid = (bracket: LimitBracket, state: () => unknown) =>
    wrapperOf(new LiveSpec("rateLimit", live, { bracket, state }), seams) as Wrapper & { readonly kind: "rateLimit" };
  if (settings.key === undefined) {
    const limiter = new Limiter(settings, ownSeams);
    live.changedBy({
      change: (next) => {
        if (next.key === undefined) return () => limiter.change(next);
        throw new OptionsInvalidError("rateLimit", [{ path: "key", got: next.key, wanted: saidWhenMade }]);
      },
    });
    const bracket = new LimitBracket(() => limiter, limiter);
    return handled(
      laid(bracket, () => stateOf(limiter)),
      limiter,
    );
  }
  const limiters = new Limiters(settings, ownSeams);
  live.changedBy({ change: (next) => () => limiters.change(next) });
  const bracket = new LimitBracket((input, call) => limiters.at(input, call), undefined);
  return laid(bracket, () => limiters.state());
}

const saidWhenMade = "nothing: whether there is a limit for each key is said when it is made";

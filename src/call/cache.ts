// What was answered before, and one load for all who ask at once.

import { z } from "zod";
import { durationSchema, limitSchema, openSchema } from "../core/duration.ts";
import type { Duration, Operation, Protected, WrapperFor } from "../core/operation.ts";
import { LiveOptions } from "../core/options.ts";
import { liveSeams, type Seams } from "../core/seams.ts";
import { functionSchema } from "../core/wanted.ts";
import { parseOptions, wrapperLaying } from "../core/wrapper.ts";
import { Laid, withHandle } from "./cache/laid.ts";
import { type Settings, settingsOf } from "./cache/settings.ts";

// biome-ignore lint/suspicious/noExplicitAny: by hand, nothing says what the operation gives
export interface CacheOptions<I, O = any> {
  /** How long an answer is fresh; or what tells it of each one (0: not to be kept). */
  ttl: Duration | ((value: O, input: I) => Duration);
  /** By what two inputs are the same question; needed unless the input is a text or a number. */
  key?: ((input: I) => string) | undefined;
  /** Calls with another label `tenant` have answers of their own; `shared`: one for all. Default `apart`. */
  tenants?: "apart" | "shared" | undefined;
  /** So many answers are kept, those used last; default 1000. */
  max?: number | undefined;
  /** For so long after its lifetime an answer stands in when a load fails, where the verdict allows; default 0: not at all. */
  staleOnError?: Duration | undefined;
  /** For so long after its lifetime an answer is given while a load renews it; default 0: not at all. */
  whileRevalidating?: Duration | undefined;
  /** How long such an answer is held back for the load; default 0: given at once. */
  patience?: Duration | undefined;
  /** How long a failure is kept that the input is to blame for: `invalid`, `tooLarge`, `contentFiltered`; default 0: not at all. */
  negative?: Duration | undefined;
}

export interface Cache<I> extends WrapperFor<I> {
  readonly kind: "cache";
  /** Forgets this answer, of every tenant; what is being loaded is not kept. */
  delete(input: I): void;
  /** Forgets all. */
  clear(): void;
}

/** Without a key: for inputs that are one. */
export interface PlainCache {
  <I extends string | number | void = void, O = unknown>(operation: Operation<I, O>): Protected<I, O>;
  readonly kind: "cache";
  /** Forgets this answer, of every tenant; what is being loaded is not kept. */
  delete(input?: string | number): void;
  /** Forgets all. */
  clear(): void;
}

type Ttl = Settings["ttl"];

export const cacheSchema = z
  .strictObject({
    ttl: z.unknown().transform((given, context): Ttl => {
      if (typeof given === "function") return given as Ttl;
      const { success, data, error } = limitSchema.safeParse(given);
      if (success) return data;
      for (const issue of error.issues)
        context.addIssue({ ...issue, message: `${issue.message}, or a function` } as never);
      return z.NEVER;
    }),
    key: functionSchema<(input: never) => string>().optional(),
    tenants: z.enum(["apart", "shared"]).optional(),
    max: z.int().min(1).optional(),
    staleOnError: openSchema.optional(),
    whileRevalidating: openSchema.optional(),
    patience: durationSchema.optional(),
    negative: openSchema.optional(),
  })
  .superRefine(({ patience, whileRevalidating }, context) => {
    if (!patience || whileRevalidating !== undefined) return;
    const message = "a duration: patience says nothing without it";
    context.addIssue({ code: "custom", path: ["whileRevalidating"], message, input: whileRevalidating });
  });

/**
 * Gives what was answered before; else all who ask the same at once share one load, which goes on while anybody waits for
 * it. Values are shared, not copied. What came from a later tier, was stale, flagged or cut off is not kept, nor is a
 * failure. Each call it is laid round has its own answers; none is kept where nobody holds the call.
 * @throws OptionsInvalidError when made with options that cannot be meant; when called, for an input that has no key and
 * for a value that can be read once only (a Response, a Request with a body, a stream, an iterator)
 * @example
 * const user = cache({ ttl: "1m" })(async (id: string) => ({ id }));
 * console.log((await user("ada")) === (await user("ada"))); // → true
 * @see Mark Nottingham, RFC 5861, HTTP Cache-Control Extensions for Stale Content, 2010
 */
export function cache<I>(options: CacheOptions<I> & { key: (input: I) => string }, seams?: Partial<Seams>): Cache<I>;
// biome-ignore lint/suspicious/noExplicitAny: without a key nothing says what the input is
export function cache(options: CacheOptions<any> & { key?: undefined }, seams?: Partial<Seams>): PlainCache;
export function cache(options: CacheOptions<never>, seams?: Partial<Seams>): unknown {
  const laid = new Laid(new LiveOptions(settingsIn, options), liveSeams(seams));
  return withHandle(
    wrapperLaying("cache", () => laid.lay(), seams),
    laid,
  );
}

function settingsIn(written: unknown): Settings {
  return settingsOf(parseOptions("cache", cacheSchema, written));
}

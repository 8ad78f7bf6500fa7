// Durations as people write them.
import { z } from "zod";
import type { Duration } from "./operation.ts";

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const written = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;

/** Milliseconds, or NaN for what is no duration. */
export function toMs(duration: Duration): number {
  if (typeof duration === "number") return duration >= 0 ? duration : Number.NaN;
  const parts = typeof duration === "string" ? written.exec(duration) : null;
  return parts === null ? Number.NaN : Number(parts[1]) * units[parts[2] as keyof typeof units];
}

const wanted = 'milliseconds, or a text such as "250ms", "20s", "5m" or "1h"';

/** A duration in an options object: parsed to milliseconds; `Infinity` only where `unlimited` allows it. */
function duration(least: number, unlimited: boolean) {
  return z.custom<Duration>().transform((given, context) => {
    const ms = toMs(given);
    if (ms >= least && (unlimited || ms !== Number.POSITIVE_INFINITY)) return ms;
    const bound = least > 0 ? ", more than 0" : "";
    context.addIssue({ code: "custom", message: `${wanted}${bound}`, input: given });
    return z.NEVER;
  });
}

/** May be 0. */
export const durationSchema = duration(0, false);
/** May be 0; `Infinity` means no limit. */
export const openSchema = duration(0, true);
/** More than 0. */
export const spanSchema = duration(Number.MIN_VALUE, false);
/** More than 0; `Infinity` means no limit. */
export const limitSchema = duration(Number.MIN_VALUE, true);

/** For people: `29 400 ms`. */
export function spell(ms: number): string {
  return `${String(Math.ceil(ms)).replace(/\B(?=(\d{3})+$)/g, " ")} ms`;
}

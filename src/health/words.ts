// What was seen, in words that may be shown to anybody: kinds, codes and times, no message that somebody else wrote.
import { brief } from "../core/brief.ts";
import { classifyError } from "../core/classify.ts";
import { HoldfastError } from "../core/errors.ts";
import type { EventMap } from "../core/events.ts";
import { insideOf, nameOf, statusWithin, textField } from "../core/shapes.ts";

/**
 * An error of ours by its message, which its author meant to be read; any other by its kind, status, code or class: its
 * message may hold an address or a password.
 */
export function whatFailed(error: unknown): string {
  if (HoldfastError.is(error)) return brief(error);
  const { kind } = classifyError(error);
  const status = statusWithin(error);
  const detail = status === undefined ? (codeWithin(error) ?? nameOf(error)) : `HTTP ${status}`;
  return detail === "" ? kind : `${kind} (${brief(detail)})`;
}

function codeWithin(error: unknown, depth = 0): string | undefined {
  const code = textField(error, "code");
  if (code !== undefined && /^[A-Z][A-Z0-9_]{2,40}$/.test(code)) return code;
  if (depth >= 4) return undefined;
  for (const inside of insideOf(error)) {
    const found = codeWithin(inside, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

const openings: Readonly<Record<EventMap["breaker.opened"]["why"], string>> = {
  failureRate: "too many calls failed",
  slowCallRate: "too many calls were slow",
  consecutiveFailures: "too many calls failed in a row",
  probeFailed: "it was tried again and failed",
  isolated: "it was isolated by hand",
};

export function whyOpen(why: EventMap["breaker.opened"]["why"]): string {
  return openings[why] ?? "it failed too often";
}

/** `12 s`, `3 min`, `2 h`. */
export function spellAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}

/** As RFC 3339 has it. */
export function timeOf(epochMs: number): string {
  // beyond what a date can hold there is still an answer
  return Math.abs(epochMs) <= 8.64e15 ? new Date(epochMs).toISOString() : "unknown";
}

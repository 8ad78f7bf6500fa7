// What a provider says is left, and until when: read from its headers.
import { headerOf, readWait, sentAt } from "../../core/hints.ts";
import type { QuotaName } from "./amounts.ts";

export type Provider = "openai" | "anthropic" | "standard";

export interface Told {
  readonly quota: QuotaName;
  readonly remaining: number;
  /** `undefined`: it says nothing of it. */
  readonly resetMs: number | undefined;
}

interface Source {
  readonly quota: QuotaName;
  readonly remaining: string;
  readonly reset: string;
}

const sources: Readonly<Record<Provider, readonly Source[]>> = {
  openai: [
    { quota: "requests", remaining: "x-ratelimit-remaining-requests", reset: "x-ratelimit-reset-requests" },
    { quota: "tokens", remaining: "x-ratelimit-remaining-tokens", reset: "x-ratelimit-reset-tokens" },
  ],
  anthropic: (
    [
      ["requests", "requests"],
      ["tokens", "tokens"],
      ["inputTokens", "input-tokens"],
      ["outputTokens", "output-tokens"],
    ] as const
  ).map(([quota, word]) => ({
    quota,
    remaining: `anthropic-ratelimit-${word}-remaining`,
    reset: `anthropic-ratelimit-${word}-reset`,
  })),
  standard: [
    { quota: "requests", remaining: "ratelimit-remaining", reset: "ratelimit-reset" },
    { quota: "requests", remaining: "x-ratelimit-remaining", reset: "x-ratelimit-reset" },
  ],
};

/** What these headers tell; nothing where there are none, or they cannot be read. */
export function toldBy(provider: Provider, headers: readonly unknown[], nowEpochMs: number): readonly Told[] {
  for (const held of headers) {
    const now = sentAt(held, nowEpochMs);
    const told = sources[provider].flatMap(({ quota, remaining, reset }) => {
      const left = numberIn(headerOf(held, remaining));
      return left === undefined
        ? []
        : [{ quota, remaining: left, resetMs: readWait(headerOf(held, reset), 1000, now) }];
    });
    if (told.length > 0) return told;
    const one = provider === "standard" ? inOne(headerOf(held, "ratelimit"), now) : undefined;
    if (one !== undefined) return [one];
  }
  return [];
}

/** `"default";r=50;t=30`, and before that draft `limit=100, remaining=50, reset=30`. */
function inOne(text: string | undefined, nowEpochMs: number): Told | undefined {
  if (text === undefined) return undefined;
  const remaining = numberIn(/(?:^|[;,\s])(?:r|remaining)=([\d.]+)/.exec(text)?.[1]);
  if (remaining === undefined) return undefined;
  const reset = /(?:^|[;,\s])(?:t|reset)=(\d+)/.exec(text)?.[1];
  return { quota: "requests", remaining, resetMs: readWait(reset, 1000, nowEpochMs) };
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+(?:\.\d+)?$/.test(text.trim()) ? Number(text) : undefined;
}

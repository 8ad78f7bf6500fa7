// A cache's options as it works with them: milliseconds, every default filled in.
import type { Duration } from "../../core/operation.ts";

export interface Settings {
  readonly ttl: number | ((value: unknown, input: unknown) => Duration);
  readonly key?: ((input: never) => string) | undefined;
  readonly tenants: "apart" | "shared";
  readonly max: number;
  /** 0: never, here and below. */
  readonly staleOnError: number;
  readonly whileRevalidating: number;
  readonly patience: number;
  readonly negative: number;
}

const fixed = {
  tenants: "apart",
  max: 1_000,
  staleOnError: 0,
  whileRevalidating: 0,
  patience: 0,
  negative: 0,
} as const;

/** What was written, over the defaults. */
export function settingsOf(
  given: Pick<Settings, "ttl"> & { readonly [K in keyof Settings]?: Settings[K] | undefined },
): Settings {
  const written = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...fixed, ttl: given.ttl, ...written };
}

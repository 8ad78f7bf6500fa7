// The layers of a call in order, for people, tests and the dashboard.
import { type Stack, stackOf } from "./stack.ts";

/** Where a policy keeps the stack of what is run on it: what its calls share. */
export const SHARED: unique symbol = Symbol.for("holdfast/1/policy") as never;

export interface Explained {
  readonly kind: string;
  /** As parsed: durations are ms, defaults are filled in. */
  readonly options: object;
  /** As it is now, where the layer has a state. */
  readonly state?: unknown;
}

/**
 * What a call, or a policy, is made of: the outermost layer first. Nothing for a bare function.
 * @example
 * const user = protect("user", async (id: string) => ({ id }), { retry: {}, timeout: "2s" });
 * console.log(explain(user).map((layer) => layer.kind).join(" ")); // → retry timeout
 */
export function explain(call: unknown): readonly Explained[] {
  const specs = (sharedBy(call) ?? stackOf(call))?.specs.toReversed() ?? [];
  return specs.map(({ kind, options, layer }) => ({
    kind,
    options: { ...options },
    ...(layer.state && { state: layer.state() }),
  }));
}

/** The stack of a policy. */
export function sharedBy(policy: unknown): Stack | undefined {
  return (policy as { readonly [SHARED]?: Stack } | undefined)?.[SHARED];
}

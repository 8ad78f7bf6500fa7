// New options while running. Declared, not built yet.
import type { CacheOptions } from "./call/cache.ts";
import { OptionsInvalidError } from "./core/errors.ts";
import type { Protected } from "./core/operation.ts";
import type { Policy, PolicyOptions } from "./declaration.ts";
import type { GuardOptions } from "./input/guard.ts";
import type { GateOptions } from "./output/gate.ts";

/** What may be changed of a call, or of a policy, while it runs. */
export interface Change extends PolicyOptions {
  // biome-ignore lint/suspicious/noExplicitAny: what a call's schemas make of its values is not in its type
  guard?: GuardOptions<any> | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: likewise
  gate?: GateOptions<any> | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: likewise
  cache?: CacheOptions<any> | undefined;
}

/** Not built yet. @throws OptionsInvalidError always */
export function configure(_call: Protected<never, unknown> | Policy, _change: Change): () => void {
  throw new OptionsInvalidError("configure", [{ wanted: "no configure yet: it is declared and not built" }]);
}

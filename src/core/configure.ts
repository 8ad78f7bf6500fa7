// New options while running. Declared, not built yet.
import { HoldfastError } from "./errors.ts";

/** Not built yet. @throws HoldfastError always */
export function configure(_call: unknown, _change: object): () => void {
  throw new HoldfastError("`configure` is declared but not built yet: make the call anew.", {
    code: "OPTIONS_INVALID",
  });
}

// A breaker's state as text, to be kept where its owner likes: for another process, or for after a restart.
import { z } from "zod";
import { OptionsInvalidError } from "../../core/errors.ts";
import { parseOptions } from "../../core/wrapper.ts";

const open = z.strictObject({
  version: z.literal(1),
  state: z.literal("open"),
  /** When it opened, epoch ms. */
  at: z.number(),
  /** How long it breaks. */
  ms: z.number().nonnegative(),
  why: z.enum(["failureRate", "slowCallRate", "consecutiveFailures", "probeFailed"]),
  /** How many probes have failed since it was closed: breaks go on growing. */
  failedProbes: z.int().nonnegative(),
});
const schema = z.discriminatedUnion("state", [
  open,
  z.strictObject({ version: z.literal(1), state: z.enum(["closed", "isolated"]) }),
]);

export type Saved = z.output<typeof schema>;

export function write(saved: Saved): string {
  return JSON.stringify(saved);
}

/** @throws OptionsInvalidError for what `save()` of this version has not written */
export function read(text: string): Saved {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new OptionsInvalidError("breaker", [{ path: "", got: text, wanted: "a text that `save()` gave" }]);
  }
  return parseOptions("breaker", schema, given);
}

// What was said for all calls made inside a function: asked by every call, answered only where somebody ever said something.
import type { CallOptions } from "./operation.ts";
import { shared } from "./shared.ts";

/** Filled by the first use of `within`: the core knows no async context, and pays for none until then. */
export const around = shared("around", () => ({
  options: undefined as ((said: CallOptions | undefined) => CallOptions | undefined) | undefined,
}));

// A limit of time as a layer: one number, which can be changed while it runs.
import { limitSchema } from "./duration.ts";
import type { Duration } from "./operation.ts";
import { LiveOptions } from "./options.ts";
import type { LayerSpec, Limit } from "./stack.ts";
import { LiveSpec, parseOptions } from "./wrapper.ts";

/** `shown` is what `explain` says of it. Whoever has begun to count keeps the number that stood then. */
export function limited(
  kind: string,
  limit: Limit["limit"],
  given: Duration,
  shown: (ms: number) => object,
): LayerSpec {
  const live = new LiveOptions((written) => parseOptions(kind, limitSchema, written), given);
  const layer: Limit = { limit, ms: live.now };
  live.changedBy({
    change: (ms) => () => {
      layer.ms = ms;
    },
  });
  return new LiveSpec(kind, live, layer, shown);
}

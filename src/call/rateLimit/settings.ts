// Options as a rate limit works with them: milliseconds, every default filled in.
import type { Cost } from "../../core/operation.ts";
import type { QuotaName } from "./amounts.ts";
import type { Provider } from "./headers.ts";
import type { Measure, Shape } from "./meter.ts";

export type Quotas = { readonly [Q in QuotaName]?: Measure | undefined };

export interface Settings extends Quotas {
  readonly shape: Shape;
  readonly whenFull: "wait" | "reject";
  /** `Infinity`: no limit. */
  readonly maxWait: number;
  readonly estimate?: ((input: never) => Cost) | undefined;
  readonly key?: ((input: never) => string) | undefined;
  readonly headers?: Provider | undefined;
}

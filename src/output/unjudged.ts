// An output that nobody could judge: no poor one, so nothing is asked again because of it.
import { brief } from "../core/brief.ts";
import { shared } from "../core/shared.ts";
import type { Finding } from "../core/verdict.ts";

// a judge may be of another copy than the gate
const faults = shared("unjudged", () => new WeakMap<Finding, unknown>());

/** The finding of a judge that failed with this. */
export function unjudged(why: string, error: unknown): Finding {
  const finding = { wanted: `a second opinion, ${why} (${brief(error)})` };
  faults.set(finding, error);
  return finding;
}

/** The judge's error, where that is all that speaks against it: what somebody found wrong is wrong, whoever else failed. */
export function faultIn(findings: readonly Finding[]): { readonly error: unknown } | undefined {
  return findings.length > 0 && findings.every((one) => faults.has(one))
    ? { error: faults.get(findings[0] as Finding) }
    : undefined;
}

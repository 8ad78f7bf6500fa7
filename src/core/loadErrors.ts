// What is refused because there is too much to do, or nothing new is begun.
import { spell } from "./duration.ts";
import { HoldfastError, named, says } from "./errors.ts";
import { nested } from "./fullError.ts";
import type { Criticality } from "./operation.ts";

/** Not called: a quota of its rate limit is used up. */
export class RateLimitedError extends HoldfastError {
  /** Which one: `requests`, `inputTokens`, `outputTokens`, `tokens` or `money`. */
  readonly quota: string;
  /** The name of the limit, or of the component it is laid round. */
  readonly limit: string;
  /** `retryAfterMs` `undefined`: it will never be let through as it is. */
  constructor(operation: string, quota: string, retryAfterMs: number | undefined, limit = "") {
    super(undefined, { code: "RATE_LIMITED", operation, retryable: retryAfterMs !== undefined, retryAfterMs });
    this.quota = quota;
    this.limit = limit;
  }
}
says(RateLimitedError, (e) => {
  const which = e.limit === "" || e.limit === e.operation ? "its rate limit" : `the rate limit "${e.limit}"`;
  const when =
    e.retryAfterMs === undefined
      ? `It asks for more than ${which} ever lets through.`
      : `There is room again in ${spell(e.retryAfterMs)}.`;
  return `${named(e)} was not called: the quota of ${e.quota} of ${which} is used up. ${when}`;
});

/** Not called: there is more to do than can be done well, and what matters more goes first. */
export class LoadShedError extends HoldfastError {
  readonly criticality: Criticality;
  readonly why: "limit" | "eventLoop" | "measure" | "fairness";
  /** A call that has a place under the same limit, and in which the refused one was made: it may have refused itself. */
  declare readonly heldBy?: string | undefined;
  constructor(
    operation: string,
    criticality: Criticality,
    why: LoadShedError["why"],
    retryAfterMs?: number,
    heldBy?: string,
  ) {
    super(undefined, { code: "LOAD_SHED", operation, retryable: retryAfterMs !== undefined, retryAfterMs });
    this.criticality = criticality;
    this.why = why;
    if (heldBy !== undefined) this.heldBy = heldBy;
  }
}
says(LoadShedError, (e) => {
  const refused = `${named(e)} (${e.criticality}) was not called: ${overload[e.why]}.`;
  if (e.heldBy !== undefined) return `${refused} ${nested(e.heldBy, "adaptive limit")}`;
  const again = e.retryAfterMs === undefined ? "Send less" : `Try again in ${spell(e.retryAfterMs)}, send less`;
  return `${refused} ${again}, or say a higher \`criticality\` where it is true.`;
});

const overload: Readonly<Record<LoadShedError["why"], string>> = {
  limit: "as much runs as can be served well",
  eventLoop: "the event loop is behind",
  measure: "the declared measure says that there is too much to do",
  fairness: "its tenant has had its share",
};

/** This process, or its component, is shutting down: the call was not begun, or was not done in time. */
export class ShuttingDownError extends HoldfastError {
  /** What is shutting down; `undefined`: the whole process. */
  declare readonly component?: string | undefined;
  /** It had begun, and was ended with this. */
  readonly ended: boolean;
  constructor(operation: string, component?: string | undefined, ended = false) {
    super(undefined, { code: "SHUTTING_DOWN", operation });
    if (component !== undefined) this.component = component;
    this.ended = ended;
  }
}
says(ShuttingDownError, (e) => {
  const what = e.component === undefined ? "this process" : `"${e.component}"`;
  return e.ended
    ? `${named(e)} was ended: ${what} is shutting down, and the time it had for that is over.`
    : `${named(e)} was not called: ${what} is shutting down and begins nothing new. Ask another instance.`;
});

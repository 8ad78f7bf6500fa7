// What is known of the health of a component, or of the whole; and what there is to declare about it.
import { z } from "zod";
import { spanSchema } from "../core/duration.ts";
import { OptionsInvalidError } from "../core/errors.ts";
import type { Health } from "../core/events.ts";
import type { Criticality, Duration } from "../core/operation.ts";
import { holdReadiness } from "../core/readiness.ts";
import { LiveSeams } from "../core/seams.ts";
import { isThenable } from "../core/wayIn.ts";
import { parseOptions } from "../core/wrapper.ts";
import { watchedDefaults } from "./calls.ts";
import { checkName, criticalitySchema, thresholds } from "./probe.ts";
import { block, type Readiness, readiness } from "./readiness.ts";
import { registryOf } from "./registry.ts";
import { rollUp, worstFirst } from "./rollUp.ts";

/** So many reasons are given of the whole, the worst first. */
const mostReasons = 50;

export interface WatchOptions {
  /** What the whole makes of it; default normal: the whole falls with it. */
  criticality?: Criticality | undefined;
  /** A right answer that takes longer is a poor one; by default slowness of calls is not judged. */
  slowAfter?: Duration | undefined;
  /** So many results in a row that are worse make it worse; default 3. Calls within one second are one result. */
  failureThreshold?: number | undefined;
  /** So many results in a row that are better make it better; default 1. */
  successThreshold?: number | undefined;
}

export interface HealthOf {
  /**
   * What is known of this component, or, without a name, of the whole: from its probes, and from its protected calls
   * since this was first asked (or a probe or a handler was made). Reasons say what was seen, since when, and hold nothing
   * that the other side has written.
   */
  (component?: string): { readonly status: Health; readonly reasons: readonly string[] };
  /** Declares a component that is known by its calls alone: how much it matters, and when it is unwell. Gives its undo. */
  watch(component: string, options?: WatchOptions): () => void;
  /** Not ready until the task settles; gives the task. */
  block<T extends PromiseLike<unknown>>(task: T, reason: string): T;
  /** Not ready until the undo is called, of all who said so: the first step of a shutdown. Health and liveness stay as they are. */
  unready(reason: string): () => void;
  /** Whether new work may be sent here, and if not, why. */
  readiness(): Readiness;
}

const watchSchema = z.strictObject({
  criticality: criticalitySchema.default("normal"),
  slowAfter: spanSchema.optional(),
  ...thresholds,
});
const reasonSchema = z.custom<string>((given) => typeof given === "string" && given !== "", { error: "a reason" });

/**
 * The health of a component, or of the whole. A component is `unknown` until something was seen of it.
 * @example
 * const undo = health.watch("stripe", { criticality: "sheddable", failureThreshold: 1 });
 * const charge = protect("stripe", async () => Promise.reject(Object.assign(new Error("no"), { status: 502 })));
 * console.log(health("stripe").status); // → unknown
 * await charge().catch(() => {});
 * console.log(health("stripe").status, health().status); // → unhealthy degraded
 * undo();
 */
export const health: HealthOf = Object.assign(of, {
  watch(component: string, options: WatchOptions = {}) {
    checkName("health.watch", component);
    const { criticality, slowAfter, ...given } = parseOptions(component, watchSchema, options);
    const { component: watched, undo } = registryNow().declare(component, criticality);
    watched.watch({ ...given, slowAfter: slowAfter ?? watchedDefaults.slowAfter });
    let undone = false;
    return () => {
      if (undone) return;
      undone = true;
      watched.watch(watchedDefaults);
      undo();
    };
  },
  block<T extends PromiseLike<unknown>>(task: T, reason: string): T {
    if (!isThenable(task)) {
      const wanted = "a promise: what has to be done before new work may come";
      throw new OptionsInvalidError("health.block", [{ path: "task", got: task, wanted }]);
    }
    return block(registryNow(), task, parseOptions("health.block", reasonSchema, reason));
  },
  unready: (reason: string) => holdReadiness(parseOptions("health.unready", reasonSchema, reason)),
  readiness: () => readiness(registryNow()),
});

function of(component?: string): { readonly status: Health; readonly reasons: readonly string[] } {
  const registry = registryNow();
  const now = registry.seams.clock.now();
  if (component !== undefined) {
    const found = registry.find(component);
    return { status: found?.status ?? "unknown", reasons: found?.reasons(now) ?? ["nothing is known of it"] };
  }
  const all = registry.components();
  const reasons = worstFirst(all).flatMap((one) => one.reasons(now).map((reason) => `${one.name}: ${reason}`));
  const rest = reasons.length - mostReasons;
  return { status: rollUp(all), reasons: rest > 0 ? [...reasons.slice(0, mostReasons), `and ${rest} more`] : reasons };
}

function registryNow() {
  return registryOf(new LiveSeams().events);
}

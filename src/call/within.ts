// A deadline, a criticality and labels for all calls made inside a function, also where nobody passes a context on.
import { AsyncLocalStorage } from "node:async_hooks";
import { z } from "zod";
import { around } from "../core/around.ts";
import { epochNow } from "../core/clock.ts";
import { ATTEMPT } from "../core/context.ts";
import { openSchema } from "../core/duration.ts";
import { OptionsInvalidError } from "../core/errors.ts";
import type { CallOptions, Criticality, Duration } from "../core/operation.ts";
import { shared } from "../core/shared.ts";
import { parseOptions } from "../core/wrapper.ts";

export interface WithinOptions {
  /** From now, for all calls made inside together; default none but that of a `within` around. */
  deadline?: Duration | undefined;
  /** Of calls that say none; default that of a `within` around. */
  criticality?: Criticality | undefined;
  /** Added to those of a `within` around; a call's own stand over them. */
  labels?: Readonly<Record<string, string>> | undefined;
}

interface Scope {
  /** Epoch ms; `Infinity`: none. */
  readonly deadlineAt: number;
  readonly criticality: Criticality | undefined;
  readonly labels: Readonly<Record<string, string>> | undefined;
}

const optionsSchema = z.strictObject({
  deadline: openSchema.optional(),
  criticality: z.enum(["critical", "normal", "sheddable", "background"]).optional(),
  labels: z.record(z.string(), z.string()).optional(),
});

// two copies of holdfast in one process are one system
const current = shared("within", () => new AsyncLocalStorage<Scope>());

/**
 * Says for all calls made inside the function what each would have to be told: they take the nearer deadline, the
 * criticality unless they say one, and the labels. One inside another narrows it. The function itself is not ended: the
 * calls in it are, and none begins when the time is over.
 * @throws OptionsInvalidError for options that cannot be meant: every problem, with its path; for no function
 * @example
 * const user = protect("user", async (id: string) => ({ id }));
 * await within({ deadline: "2s", labels: { request: "r1" } }, () => user("ada"));
 */
export function within<T>(options: WithinOptions, run: () => Promise<T>): Promise<T> {
  const { deadline, criticality, labels } = parseOptions("within", optionsSchema, options);
  if (typeof run !== "function")
    throw new OptionsInvalidError("within", [{ path: "run", got: run, wanted: "a function" }]);
  around.options ??= saidInside;
  const outer = current.getStore();
  const own = deadline === undefined ? Number.POSITIVE_INFINITY : epochNow() + deadline;
  const scope: Scope = {
    deadlineAt: Math.min(own, outer?.deadlineAt ?? Number.POSITIVE_INFINITY),
    criticality: criticality ?? outer?.criticality,
    labels: labels === undefined ? outer?.labels : { ...outer?.labels, ...labels },
  };
  return current.run(scope, async () => run());
}

/** A context that is passed on has its call's criticality and labels: only the nearer deadline holds there too. */
function saidInside(said: CallOptions | undefined): CallOptions | undefined {
  const scope = current.getStore();
  if (scope === undefined) return said;
  if (said !== undefined && ATTEMPT in said) return narrowed(said, scope.deadlineAt);
  const deadlineAt = Math.min(scope.deadlineAt, said?.deadlineAt ?? Number.POSITIVE_INFINITY);
  return {
    ...said,
    deadlineAt: deadlineAt === Number.POSITIVE_INFINITY ? undefined : deadlineAt,
    criticality: said?.criticality ?? scope.criticality,
    labels: scope.labels === undefined ? said?.labels : { ...scope.labels, ...said?.labels },
  };
}

/** By less than a millisecond it is the same deadline, worked out on two clocks: a timer more would be for nothing. */
function narrowed(context: CallOptions, deadlineAt: number): CallOptions {
  const isNearer = deadlineAt < (context.deadlineAt ?? Number.POSITIVE_INFINITY) - 1;
  return isNearer ? { ...context, deadlineAt } : context;
}

// Asks a component how it is, again and again, whether or not anybody calls it.
import { z } from "zod";
import { durationSchema, spanSchema, spell } from "../core/duration.ts";
import { OptionsInvalidError } from "../core/errors.ts";
import type { Health } from "../core/events.ts";
import type { CallContext, Criticality, Duration } from "../core/operation.ts";
import type { Seams } from "../core/seams.ts";
import { parseOptions } from "../core/wrapper.ts";
import { Rounds } from "./rounds.ts";

export interface ProbeOptions {
  /** From the start of one round to that of the next, a tenth more or less so that many processes do not ask together; default 10 s. */
  every?: Duration | undefined;
  /** A check that takes longer has failed, and its signal is aborted; default 1 s. */
  timeout?: Duration | undefined;
  /** An answer that takes longer is right but poor: degraded; default half of `timeout`, and no more than it. */
  slowAfter?: Duration | undefined;
  /** What the whole makes of it; default normal: the whole falls with it. What is sheddable or background makes it degraded at most. */
  criticality?: Criticality | undefined;
  /** Who is told: `/livez`, `/readyz` or `/startupz`. A startup probe rests once it has passed. Default readiness. */
  kind?: "liveness" | "readiness" | "startup" | undefined;
  /** So many rounds in a row that are worse make it worse, but for the very first answer, which decides; default 3. */
  failureThreshold?: number | undefined;
  /** So many rounds in a row that are better make it better; default 1. */
  successThreshold?: number | undefined;
}

export interface Probe {
  /** No check runs after it; what it knew is known no longer. */
  stop(): void;
  /** A round now, or the one that is on its way; gives the component's health then. After `stop` none is run. */
  now(): Promise<Health>;
}

export const thresholds = {
  failureThreshold: count().default(3),
  successThreshold: count().default(1),
};
export const criticalitySchema = z.enum(["critical", "normal", "sheddable", "background"]);

const schema = z
  .strictObject({
    every: spanSchema.prefault("10s"),
    timeout: spanSchema.prefault("1s"),
    slowAfter: durationSchema.optional(),
    criticality: criticalitySchema.default("normal"),
    kind: z.enum(["liveness", "readiness", "startup"]).default("readiness"),
    ...thresholds,
  })
  .superRefine(({ slowAfter, timeout }, context) => {
    if (slowAfter === undefined || slowAfter <= timeout) return;
    const message = `at most \`timeout\` (${spell(timeout)}), as what takes longer has failed: lower it, or raise that`;
    context.addIssue({ code: "custom", path: ["slowAfter"], message, input: slowAfter });
  })
  .transform((given) => ({ ...given, slowAfter: given.slowAfter ?? given.timeout / 2 }));
export type ProbeSettings = z.output<typeof schema>;

/**
 * Checks a component at once and then at intervals, until it is stopped: a check that resolves has found it well; one
 * that throws, rejects or takes too long is unhealthy with a reason, harms no other, and runs again next round. So is one
 * whose answer says so: `false`, `{ ok: false }`, `{ healthy: false }`, `{ status: "down" }`, a `Response` that is not `ok`.
 * Rounds of one probe never overlap; nothing of it holds the process.
 * @throws OptionsInvalidError when made with options that cannot be meant: every problem, with its path
 * @example
 * const db = probe("db", async ({ signal }) => void signal, { every: "10s", kind: "readiness" });
 * console.log(await db.now(), health("db").reasons); // → healthy []
 * db.stop();
 */
export function probe(
  component: string,
  check: (context: CallContext) => Promise<unknown>,
  options: ProbeOptions = {},
  seams?: Partial<Seams>,
): Probe {
  checkName("probe", component);
  if (typeof check !== "function")
    throw new OptionsInvalidError(component, [{ path: "check", got: check, wanted: "a function" }]);
  const rounds = new Rounds(component, check, parseOptions(component, schema, options), seams);
  return { stop: () => rounds.stop(), now: () => rounds.now() };
}

export function checkName(of: string, component: unknown): void {
  if (typeof component !== "string" || component === "")
    throw new OptionsInvalidError(of, [{ path: "component", got: component, wanted: named }]);
}

const named = 'the name of what is checked, such as "db": the one by which `health` and its calls know it';

function count() {
  return z.custom<number>((given) => Number.isSafeInteger(given) && (given as number) >= 1, {
    error: "a whole number, at least 1",
  });
}

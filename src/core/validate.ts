// How a schema is asked: every function of the user's in it once a time, also where one answers by a promise.
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { z } from "zod";
import type { AnySchema } from "./schema.ts";
import { isThenable } from "./wayIn.ts";

export type Issue = StandardSchemaV1.Issue;
export type Result = StandardSchemaV1.Result<unknown>;
type Zod = AnySchema & z.core.$ZodType;

/** Gives a promise only where the schema does. */
export function validatorOf(schema: AnySchema): (given: unknown) => Result | Promise<Result> {
  if (isZod(schema)) return hasFunctions(schema) ? onceEach(schema) : atOnce(schema);
  const standard = schema["~standard"]; // some vendors make a new one each time it is looked at
  return (given) => {
    const done = standard.validate(given);
    return isThenable(done) ? Promise.resolve(done) : done;
  };
}

export function vendorOf(schema: AnySchema | undefined): string | undefined {
  return schema?.["~standard"].vendor;
}

export function isZod(schema: AnySchema | undefined): schema is Zod {
  return vendorOf(schema) === "zod" && "_zod" in (schema as object);
}

/** What zod's `~standard` does where nothing in the schema can give a promise, without what it makes for each value. */
function atOnce(schema: Zod): (given: unknown) => Result {
  const run: z.core.ParseContextInternal = { async: false };
  return (given) => {
    const done = schema._zod.run({ value: given, issues: [] }, run) as z.core.ParsePayload;
    return done.issues.length === 0 ? { value: done.value } : told(done, run);
  };
}

/**
 * Zod's `~standard` runs synchronously first, and when it meets a promise it throws that away and begins anew: what
 * stands before is run twice, the look-up itself too. Asked for either at once, it runs everything once, but slowly.
 * So it is asked that way until it has passed a value without a promise; from then on, until it meets one, fast.
 */
function onceEach(schema: Zod): (given: unknown) => Result | Promise<Result> {
  let waits: boolean | undefined;
  return (given) => {
    if (waits === false) {
      const done = runFast(schema, given);
      if (done !== undefined) return done;
    }
    const run = { async: true };
    const done = schema._zod.run({ value: given, issues: [] }, run);
    if (done instanceof Promise) {
      waits = true;
      return done.then((payload) => told(payload, run));
    }
    if (waits === undefined && done.issues.length === 0) waits = false;
    return told(done, run);
  };
}

/** `undefined` where it met a promise. */
function runFast(schema: Zod, given: unknown): Result | undefined {
  const run = { async: false };
  try {
    const done = schema._zod.run({ value: given, issues: [] }, run);
    return done instanceof Promise ? undefined : told(done, run);
  } catch (error) {
    // by its words: it may be the error of another copy of zod
    if (error instanceof Error && /during synchronous parse/.test(error.message)) return undefined;
    throw error;
  }
}

function told({ value, issues }: z.core.ParsePayload, run: z.core.ParseContextInternal): Result {
  if (issues.length === 0) return { value };
  return { issues: issues.map((issue) => z.core.util.finalizeIssue(issue, run, z.core.config())) };
}

/** Whether a function of the user's is asked, which may give a promise: without one, zod's faster way is free to go. */
function hasFunctions(schema: Zod): boolean {
  const seen = new Set<unknown>();
  const open: unknown[] = [schema];
  try {
    while (open.length > 0) {
      const one = open.pop();
      if (seen.has(one) || typeof one !== "object" || one === null || !("_zod" in one)) continue;
      seen.add(one);
      const def = (one as { _zod: { def: Record<string, unknown> } })._zod.def;
      if (asks.has(def.type) || def.check === "custom") return true;
      if (typeof def.transform === "function" || typeof def.fn === "function") return true;
      for (const key of parts) {
        const part = def[key];
        if (Array.isArray(part)) open.push(...part);
        else if (key === "shape" && part) open.push(...Object.values(part));
        else open.push(part);
      }
    }
  } catch {
    return true; // a getter that knows of a schema which is not made yet
  }
  return false;
}

const asks = new Set<unknown>(["transform", "custom", "lazy", "promise", "function"]);
const parts = [
  ...["shape", "catchall", "element", "items", "rest", "options", "left", "right"],
  ...["innerType", "in", "out", "keyType", "valueType", "checks"],
];

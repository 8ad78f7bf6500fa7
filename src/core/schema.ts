// Any Standard Schema: what its issues say, in our words.
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Finding } from "./verdict.ts";

// biome-ignore lint/suspicious/noExplicitAny: a schema of anything is neither one of `unknown` nor one of `never`
export type AnySchema = StandardSchemaV1<any, any>;
// biome-ignore lint/suspicious/noExplicitAny: likewise
export type In<S> = S extends StandardSchemaV1<infer I, any> ? I : never;
// biome-ignore lint/suspicious/noExplicitAny: likewise
export type Out<S> = S extends StandardSchemaV1<any, infer O> ? O : never;

export function isSchema(given: unknown): boolean {
  return ((typeof given === "object" && given !== null) || typeof given === "function") && "~standard" in given;
}

/** Every issue with its path, and what stands there in what was given. */
export function findingsOf(issues: readonly StandardSchemaV1.Issue[], given: unknown): Finding[] {
  return issues.flatMap((issue) => {
    const keys = (issue.path ?? []).map((part) => (typeof part === "object" ? part.key : part));
    // zod tells of all unknown keys of an object at once: here each has its own path
    const unknown = issue as { readonly code?: string; readonly keys?: readonly string[] };
    if (unknown.code === "unrecognized_keys" && unknown.keys !== undefined)
      return unknown.keys.map((key) => ({ path: [...keys, key].map(String).join("."), wanted: "no such key" }));
    return [{ path: keys.map(String).join("."), got: at(given, keys), wanted: issue.message }];
  });
}

function at(given: unknown, keys: readonly PropertyKey[]): unknown {
  let seen = given;
  try {
    for (const key of keys) {
      if (seen instanceof Map && seen.has(key)) {
        seen = seen.get(key);
        continue;
      }
      if (typeof seen !== "object" || seen === null || !Object.hasOwn(seen, key)) return undefined;
      seen = (seen as Record<PropertyKey, unknown>)[key];
    }
  } catch {
    return undefined; // a getter that gave it once, and no more
  }
  return seen;
}

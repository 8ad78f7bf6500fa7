// Whether a zod schema can have anything at a path: a mistyped one would hide nothing, and correct nothing.
import type { z } from "zod";

type Def = Readonly<Record<string, unknown>> & { readonly type: string };

/** So many steps of schemas inside schemas are followed; what is deeper may be there. */
const deepest = 200;

/** In what goes in, or in what the schema makes of it; `true` wherever that cannot be told. */
export function mayHave(schema: z.core.$ZodType, path: readonly string[]): boolean {
  try {
    return has(schema, path, deepest);
  } catch {
    return true; // a getter that knows of a schema which is not made yet
  }
}

function has(schema: unknown, path: readonly string[], left: number): boolean {
  const def = (schema as { readonly _zod?: { readonly def: Def } } | undefined)?._zod?.def;
  if (path.length === 0 || def === undefined || left === 0) return true;
  const [key = "", ...rest] = path;
  const inner = (one: unknown, keys = path) => has(one, keys, left - 1);
  switch (def.type) {
    case "object":
      return inObject(def, path, inner);
    case "array":
      return isItem(key) && inner(def.element, rest);
    case "tuple": {
      const items = def.items as unknown[];
      if (key !== "*") return isItem(key) && inTuple(items[Number(key)] ?? def.rest, rest, inner);
      return [...items, def.rest].some((item) => inTuple(item, rest, inner));
    }
    case "union":
      return (def.options as unknown[]).some((option) => inner(option));
    case "intersection":
      return inner(def.left) || inner(def.right);
    case "pipe":
      return inner(def.in) || inner(def.out);
    case "lazy":
      return inner((def.getter as () => unknown)());
    default:
      if ("innerType" in def) return inner(def.innerType); // optional, nullable, default, readonly, catch …
      return !plain.has(def.type); // in a record or a map there may be anything: its keys may have dots of their own
  }
}

type Inner = (schema: unknown, path?: readonly string[]) => boolean;

function inObject(def: Def, path: readonly string[], inner: Inner): boolean {
  const shape = def.shape as Readonly<Record<string, unknown>>;
  if (path[0] === "*" && Object.keys(shape).some((key) => inner(shape[key], path.slice(1)))) return true;
  const hit = path.some((_, i) => {
    const key = path.slice(0, i + 1).join(".");
    return Object.hasOwn(shape, key) && inner(shape[key], path.slice(i + 1));
  });
  return hit || takesAny(def.catchall); // its keys may have dots of their own
}

function inTuple(schema: unknown, rest: readonly string[], inner: Inner): boolean {
  return takesAny(schema) && inner(schema, rest);
}

/** Nothing stands where `never` does, or no schema. */
function takesAny(schema: unknown): boolean {
  const type = (schema as { readonly _zod?: { readonly def: Def } } | undefined)?._zod?.def.type;
  return schema !== undefined && schema !== null && type !== "never";
}

function isItem(key: string): boolean {
  return key === "*" || /^\d+$/.test(key);
}

/** What has nothing inside. */
const plain = new Set([
  ...["string", "number", "int", "bigint", "boolean", "date", "symbol", "undefined", "null", "void", "never", "nan"],
  ...["literal", "enum", "template_literal"],
]);

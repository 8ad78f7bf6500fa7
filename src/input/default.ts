// Whether a zod schema has a default of its own at a path.
import type { z } from "zod";

interface Def {
  readonly type: string;
  readonly [part: string]: unknown;
}

export function hasDefault(schema: z.core.$ZodType, path: string): boolean {
  return found(schema, path === "" ? [] : path.split("."));
}

function found(schema: unknown, keys: readonly string[]): boolean {
  const def = (schema as { readonly _zod?: { readonly def: Def } } | undefined)?._zod?.def;
  if (def === undefined) return false;
  const [key = "", ...rest] = keys;
  switch (def.type) {
    case "default":
    case "prefault":
      return keys.length === 0 || found(def.innerType, keys);
    case "lazy":
      return found((def.getter as () => unknown)(), keys);
    case "pipe":
      return found(def.in, keys);
    case "union":
      return (def.options as unknown[]).some((option) => found(option, keys));
    case "intersection":
      return found(def.left, keys) || found(def.right, keys);
    case "object":
      return splits(keys).some(([key, rest]) => found(own(def.shape, key) ?? def.catchall, rest));
    case "array":
      return keys.length > 0 && found(def.element, rest);
    case "tuple":
      return keys.length > 0 && found((def.items as unknown[])[Number(key)] ?? def.rest, rest);
    case "record":
      return splits(keys).some(([, rest]) => found(def.valueType, rest));
    default:
      return "innerType" in def && found(def.innerType, keys); // optional, nullable, readonly, catch …
  }
}

/** The key at which it begins, which may have dots of its own, and what is left. */
function splits(keys: readonly string[]): readonly (readonly [key: string, rest: readonly string[]])[] {
  return keys.map((_, i) => [keys.slice(0, i + 1).join("."), keys.slice(i + 1)]);
}

function own(shape: unknown, key: string): unknown {
  return Object.hasOwn(shape as object, key) ? (shape as Record<string, unknown>)[key] : undefined;
}

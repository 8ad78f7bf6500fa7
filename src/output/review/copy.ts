// Copies of plain data: what was shown is what is judged, whatever becomes of the objects it was made of.

/** So deep is nothing that a person could judge, and copying goes in by recursion. */
const deepest = 500;

class NotPlain extends Error {}

/** A copy of its own; nothing where it is more than data (a stream, an instance of a class, a function) or a circle. */
export function copyOf(value: unknown): { readonly value: unknown } | undefined {
  try {
    return { value: copied(value, new Map(), 0) };
  } catch {
    return undefined; // also what throws when it is read
  }
}

/** What JSON has, and `undefined`, bigints, dates, maps and sets. */
function copied(seen: unknown, made: Map<object, unknown>, depth: number): unknown {
  if (typeof seen === "function" || typeof seen === "symbol") throw new NotPlain();
  if (typeof seen !== "object" || seen === null) return seen;
  if (depth > deepest) throw new NotPlain();
  const known = made.get(seen);
  if (known === made) throw new NotPlain(); // a circle
  if (known !== undefined) return known;
  made.set(seen, made); // not made yet
  const copy = (one: unknown) => copied(one, made, depth + 1);
  const result = copiedObject(seen, copy);
  made.set(seen, result);
  return result;
}

function copiedObject(seen: object, copy: (one: unknown) => unknown): object {
  const prototype: unknown = Object.getPrototypeOf(seen);
  const own = Object.keys(seen);
  if (Object.getOwnPropertySymbols(seen).length > 0) throw new NotPlain();
  if (Array.isArray(seen)) {
    if (own.length !== seen.length) throw new NotPlain(); // it has holes, or names of its own
    return seen.map(copy);
  }
  if (prototype === null || Object.getPrototypeOf(prototype) === null) {
    const result: object = Object.create(prototype === null ? null : Object.prototype);
    for (const key of own) put(result, key, copy((seen as Record<string, unknown>)[key]));
    return result;
  }
  if (own.length > 0) throw new NotPlain();
  if (prototype === Date.prototype) return new Date((seen as Date).getTime());
  if (prototype === Map.prototype)
    return new Map([...(seen as Map<unknown, unknown>)].map(([k, v]) => [copy(k), copy(v)]));
  if (prototype === Set.prototype) return new Set([...(seen as Set<unknown>)].map(copy));
  throw new NotPlain();
}

/** Also a key such as `__proto__`, which is plain data when it comes out of JSON. */
export function put(into: object, key: string, value: unknown): void {
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
}

// A changed copy of a value of which nothing is changed: copied is only what stands on the way to a change.

export interface Draft {
  readonly root: unknown;
  /** Whether something can stand there: everything above it is an object or a list that can be copied. */
  holds(keys: readonly PropertyKey[]): boolean;
  get(keys: readonly PropertyKey[]): unknown;
  put(keys: readonly PropertyKey[], value: unknown): void;
}

/** Own properties only, so that a path through `__proto__` or `constructor` leads nowhere. */
export function draftOf(given: unknown): Draft {
  let root = given;
  const own = new Set<unknown>(); // copies already: a list of which each item is changed is copied once

  function owned(seen: unknown): object {
    if (own.has(seen)) return seen as object;
    const copy = copied(seen as object);
    own.add(copy);
    return copy;
  }

  return {
    get root() {
      return root;
    },
    holds(keys) {
      let seen = root;
      for (const [at, key] of keys.entries()) {
        if (!canBeCopied(seen) || (Array.isArray(seen) && !isIndex(key, seen))) return false;
        if (at < keys.length - 1) seen = ownOf(seen, key);
      }
      return true;
    },
    get: (keys) => keys.reduce<unknown>((seen, key) => (canBeCopied(seen) ? ownOf(seen, key) : undefined), root),
    put(keys, value) {
      const last = keys.at(-1);
      if (last === undefined) {
        root = value;
        return;
      }
      let holder = owned(root);
      root = holder;
      for (const key of keys.slice(0, -1)) {
        const next = owned(ownOf(holder, key));
        define(holder, key, next);
        holder = next;
      }
      define(holder, last, value);
    },
  };
}

/** A Map or a Date keeps what it holds where no copy of properties finds it. */
function canBeCopied(seen: unknown): seen is object {
  return typeof seen === "object" && seen !== null && /^\[object (Object|Array)\]$/.test(tagOf.call(seen));
}

function isIndex(key: PropertyKey, list: readonly unknown[]): boolean {
  return Object.hasOwn(list, key) && key !== "length";
}

function ownOf(seen: object, key: PropertyKey): unknown {
  return Object.hasOwn(seen, key) ? (seen as Record<PropertyKey, unknown>)[key] : undefined;
}

function copied(seen: object): object {
  if (Array.isArray(seen)) return seen.slice();
  const copy = Object.create(Object.getPrototypeOf(seen)) as object;
  for (const key of Reflect.ownKeys(seen))
    if (Object.prototype.propertyIsEnumerable.call(seen, key)) define(copy, key, ownOf(seen, key));
  return copy;
}

/** Assigning would call a setter, and of `__proto__` change the prototype. */
function define(seen: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(seen, key, { value, configurable: true, enumerable: true, writable: true });
}

const { toString: tagOf } = Object.prototype;

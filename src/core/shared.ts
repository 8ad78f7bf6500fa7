// What two copies of holdfast in one process have in common: they are one system.

/** On every error of ours, whichever copy made it. */
export const BRAND: unique symbol = Symbol.for("holdfast/1") as never;

type Registry = Record<string, unknown>;

/** The one thing of this name in this process; the first copy that asks makes it. */
export function shared<T>(name: string, make: () => T): T {
  const home = globalThis as unknown as Record<symbol, Registry | undefined>;
  home[BRAND] ??= {};
  const registry = home[BRAND];
  registry[name] ??= make();
  return registry[name] as T;
}

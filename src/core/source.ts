// Which function of a user's an error was thrown by: a declaration has many, and a message names none.
import { shared } from "./shared.ts";

const sources = shared("sources", () => new WeakMap<WeakKey, string>());

/** `path`: in the declaration. The nearest to it says so first. */
export function thrownBy(error: unknown, path: string, thrower: unknown): void {
  if (typeof error !== "object" || error === null || sources.has(error)) return;
  const name = typeof thrower === "function" ? thrower.name : "";
  sources.set(error, name === "" ? path : `${path} (${name})`);
}

export function sourceOf(error: unknown): string | undefined {
  return typeof error === "object" && error !== null ? sources.get(error) : undefined;
}

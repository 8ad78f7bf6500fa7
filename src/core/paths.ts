// Paths as options write them: keys with dots between, `*` for any key or item, and "" for the value itself.

/** What a path written with dots is made of. */
export function stepsOf(path: string): string[] {
  return path === "" ? [] : path.split(".");
}

/** Whether it leads to exactly these keys. A key with a dot in it takes as many parts. */
export function leadsTo(pattern: readonly string[], keys: readonly string[]): boolean {
  return meets(pattern, keys, (left, rest) => left.length === 0 && rest.length === 0);
}

/** Whether what it leads to is what stands at these keys, or stands above or below that. */
export function touches(pattern: readonly string[], keys: readonly string[]): boolean {
  return meets(pattern, keys, (left, rest) => left.length === 0 || rest.length === 0);
}

function meets(
  pattern: readonly string[],
  keys: readonly string[],
  ended: (pattern: readonly string[], keys: readonly string[]) => boolean,
): boolean {
  if (ended(pattern, keys)) return true;
  const [key] = keys;
  if (key === undefined) return false;
  if (pattern[0] === "*" && meets(pattern.slice(1), keys.slice(1), ended)) return true;
  const parts = key.split(".");
  if (!parts.every((part, i) => pattern[i] === part)) return false;
  return meets(pattern.slice(parts.length), keys.slice(1), ended);
}

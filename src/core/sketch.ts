// The start of what JSON says of a value: work that its size does not change.

/** So many of its parts are looked at: each is at least one sign long, and a brief text has fewer. */
const most = 200;

interface Left {
  parts: number;
}

/** What JSON may write instead, and which begins as the whole would; throws where JSON does, as far as it is looked at. */
export function sketch(seen: unknown): unknown {
  return part(seen, "", { parts: most }, []);
}

function part(given: unknown, key: string, left: Left, around: readonly object[]): unknown {
  left.parts--;
  const seen = asJson(given, key);
  if (typeof seen === "string") return seen.slice(0, most);
  if (typeof seen !== "object" || seen === null) return seen;
  if (isBoxed(seen)) return part(seen.valueOf(), key, left, around);
  if (around.includes(seen)) throw new TypeError("a circle");
  const within = [...around, seen];
  if (Array.isArray(seen)) {
    const length = Math.min(seen.length, left.parts);
    // one by one: a hole is looked at too
    return Array.from({ length }, (_, i) => (left.parts > 0 ? part(seen[i], String(i), left, within) : null));
  }
  const parts: [string, unknown][] = [];
  for (const name in seen) {
    if (left.parts <= 0) break;
    if (Object.hasOwn(seen, name))
      parts.push([name.slice(0, most), part((seen as Record<string, unknown>)[name], name, left, within)]);
  }
  return Object.fromEntries(parts);
}

/** What it says of itself for JSON; bytes only of their start. */
function asJson(given: unknown, key: string): unknown {
  if ((typeof given !== "object" || given === null) && typeof given !== "bigint") return given;
  const seen = ArrayBuffer.isView(given) && "subarray" in given ? (given as Uint8Array).subarray(0, most) : given;
  const { toJSON } = seen as { readonly toJSON?: unknown };
  return typeof toJSON === "function" ? toJSON.call(seen, key) : seen;
}

function isBoxed(seen: object): boolean {
  return seen instanceof String || seen instanceof Number || seen instanceof Boolean;
}

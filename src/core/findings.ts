// Findings as errors tell them: all are kept, a few dozen are told, and no value is told at length.
import { brief, cut, visible, written } from "./brief.ts";
import type { Finding } from "./verdict.ts";

/** How many a message or a log line tells. */
const most = 50;

export function list(findings: readonly Finding[]): string {
  const told = findings.slice(0, most).map(({ path, got, wanted }) => {
    return `${path ? `${cut(path)}: ` : ""}${say(wanted, got)}`;
  });
  if (findings.length > most) told.push(`and ${findings.length - most} more`);
  return visible(told.join("; "));
}

/** "no such key" wants nothing. */
function say(wanted: string, got: unknown): string {
  if (typeof wanted !== "string") return `wanted something else, got ${brief(got)}`; // made by hand, and a message never throws
  return `${wanted.startsWith("no ") ? "" : "wanted "}${cut(wanted)}${got === undefined ? "" : `, got ${brief(got)}`}`;
}

/** A list of all of them, of which JSON has as many as a message, and what was got in brief: it may be a circle, or a megabyte. */
export function tellable(findings: readonly Finding[]): readonly Finding[] {
  return Object.defineProperty([...findings], "toJSON", { value: asJson });
}

function asJson(this: readonly Finding[]): readonly unknown[] {
  const told = this.slice(0, most).map((finding) => {
    const { path, wanted, got } = finding;
    return {
      ...finding,
      ...(typeof path === "string" && { path: cut(path) }),
      ...("got" in finding && { got: short(got) }),
      ...(typeof wanted === "string" && { wanted: cut(wanted) }),
    };
  });
  return this.length > most ? [...told, { wanted: `and ${this.length - most} more` }] : told;
}

function short(got: unknown): unknown {
  if (typeof got === "string") return cut(got);
  const text = brief(got);
  return text.endsWith("…") ? text : written(got, 0);
}

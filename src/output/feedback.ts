// Findings as they are kept: they go to the next attempt, into events and into logs, so they stay small whatever was wrong.
import { brief } from "../core/brief.ts";
import type { Finding } from "../core/verdict.ts";

const mostFindings = 50;
const mostCharacters = 300;

/** At most fifty, the last telling how many there were; texts cut, and of large things what they are. */
export function bounded(findings: readonly Finding[]): readonly Finding[] {
  const kept = findings.slice(0, mostFindings).map(small);
  const more = findings.length - mostFindings;
  return more > 0 ? [...kept, { wanted: `no more findings like these (${more} are left out)` }] : kept;
}

function small(finding: Finding): Finding {
  const { path, got, wanted, fix, score } = finding;
  return {
    ...(path !== undefined && { path: cut(path) }),
    ...("got" in finding && {
      got: typeof got === "string" ? cut(got) : large(got, { left: 30 }) ? brief(kind(got)) : got,
    }),
    wanted: cut(wanted),
    ...(fix !== undefined && { fix: cut(fix) }),
    ...(score !== undefined && { score }),
  };
}

function cut(text: string): string {
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters - 1)}…` : text;
}

/** Whether it holds more than can be told, looked at no further than that. */
function large(seen: unknown, budget: { left: number }): boolean {
  if (typeof seen === "string") budget.left -= Math.floor(seen.length / 10);
  if (--budget.left < 0) return true;
  if (typeof seen !== "object" || seen === null) return false;
  try {
    for (const key in seen) if (large((seen as Record<string, unknown>)[key], budget)) return true;
  } catch {
    return true;
  }
  return false;
}

function kind(seen: unknown): string {
  try {
    if (Array.isArray(seen)) return `a list of ${seen.length}`;
    return `an object of ${Object.keys(seen as object).length} keys`;
  } catch {
    return "an object that cannot be read";
  }
}

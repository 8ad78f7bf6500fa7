// What is shown of a violation: what did not hold, and the shortest plan that shows it, as a test that runs.
import type { Violation } from "../../src/testing/simulation/ledger.ts";
import type { Plan } from "./plan.ts";

const mostShown = 5;

export function accountOf(plan: Plan, violations: readonly Violation[]): string {
  const what = violations.slice(0, mostShown).map(({ rule, what, at }) => `- at ${at} ms (${rule}): ${what}`);
  return [
    `This did not hold: ${violations[0]?.says}`,
    ...what,
    ...(violations.length > mostShown ? [`- and ${violations.length - mostShown} more`] : []),
    "The shortest plan that shows it, as a test (test/issues/):",
    'import { expect, it } from "vitest";',
    'import { run } from "../simulation/run.ts";',
    'it("…", async () => {',
    `  const { violations } = await run(${literal(plan)});`,
    "  expect(violations).toEqual([]);",
    "});",
  ].join("\n");
}

/** As it is written in a program: no key in quotes that needs none. */
function literal(value: unknown): string {
  return JSON.stringify(value)
    .replace(/"([A-Za-z_]\w*)":/g, "$1: ")
    .replace(/"(?:[^"\\]|\\.)*"|,/g, (part) => (part === "," ? ", " : part));
}

// What a run of mutants says: the score with its interval, how many died by a time limit only, and who survived.
import type { MutantResult } from "@stryker-mutator/api/core";

/** In lines: the score, then each survivor with its place and what it was changed to. */
export function summary(results: readonly MutantResult[]): string {
  const of = (...states: MutantResult["status"][]) => results.filter((mutant) => states.includes(mutant.status));
  const late = of("Timeout");
  const killed = of("Killed");
  const waited = killed.filter((mutant) => /timed out in \d+ ?ms/i.test(mutant.statusReason ?? ""));
  const survivors = of("Survived", "NoCoverage");
  const found = killed.length + late.length;
  const all = found + survivors.length;
  const [low, high] = interval(found, all);
  return [
    `${percent(found / all)} of ${all} noticed; 95 %: ${percent(low)} to ${percent(high)}`,
    `${killed.length} by a test (${waited.length} of them because it waited for ever), ${late.length} by Stryker's time limit or count of loops, ${of("NoCoverage").length} lie where no test goes`,
    ...survivors.map(described),
  ].join("\n");
}

/** Wilson's interval for a share. */
function interval(found: number, all: number): [number, number] {
  const z = 1.96;
  const share = found / all;
  const middle = share + z ** 2 / (2 * all);
  const half = z * Math.sqrt((share * (1 - share)) / all + z ** 2 / (4 * all ** 2));
  const whole = 1 + z ** 2 / all;
  return [(middle - half) / whole, (middle + half) / whole];
}

function described({ fileName, location, mutatorName, replacement, status }: MutantResult): string {
  const file = fileName.replace(/^.*\/src\//, "src/");
  const { start, end } = location;
  const place = `${file}:${start.line}:${start.column}-${end.line}:${end.column}`;
  return `${status} ${place} ${mutatorName} -> ${(replacement ?? "").replace(/\s+/g, " ").slice(0, 100)}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

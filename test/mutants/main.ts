// Mutation testing of one room, or of single files and lines of it: npm run mutants -- src/fallback src/fallback/fallback.ts:40-90
import { statSync } from "node:fs";
import { Stryker } from "@stryker-mutator/core";

const places = process.argv.slice(2);
const room = /^src\/(\w+)/.exec(places[0] ?? "")?.[1];
if (room === undefined) {
  console.error("Which room? For example: npm run mutants -- src/input");
  process.exit(1);
}
process.env.HOLDFAST_ROOM = room; // the vitest configuration reads it, in Stryker's child processes

const options: ConstructorParameters<typeof Stryker>[0] = {
  mutate: places.map((place) =>
    statSync(place, { throwIfNoEntry: false })?.isDirectory() ? `${place}/**/*.ts` : place,
  ),
  mutator: { excludedMutations: ["StringLiteral"] }, // the words of a message are no behaviour
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: "test/mutants/vitest.config.ts", pool: "forks" },
  coverageAnalysis: "perTest",
  ignoreStatic: true,
  concurrency: 2,
  timeoutMS: 2000,
  ignorePatterns: ["dist", "coverage", "reports"],
  reporters: ["progress-append-only", "clear-text", "json"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: `reports/mutants-${room}.json` },
  thresholds: { high: 95, low: 85, break: 85 },
};

await new Stryker(options).runMutationTest();

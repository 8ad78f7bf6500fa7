// Mutation testing of one room, or of single files and lines of it: npm run mutants -- src/fallback src/fallback/fallback.ts:40-90
// Of a sample of its mutants, in minutes: npm run mutants -- src/core --sample 100 --seed 1
import { statSync } from "node:fs";
import { Stryker } from "@stryker-mutator/core";
import { commandLine, misused } from "../commandLine.ts";
import { drawSample } from "./sample.ts";
import { summary } from "./summary.ts";

const usage = "npm run mutants -- <src/room, or files of it> [--sample <how many>] [--seed <a whole number>]";
const { values, positionals: places } = commandLine(
  { allowPositionals: true, options: { sample: { type: "string" }, seed: { type: "string", default: "1" } } },
  usage,
);
const room = /^src\/(\w+)/.exec(places[0] ?? "")?.[1] ?? misused("Which room?", usage);
const { sample, seed } = values;
if (sample !== undefined && !(Number(sample) >= 1)) misused(`--sample: got ${sample}.`, usage);
if (!Number.isSafeInteger(Number(seed))) misused(`--seed: got ${seed}.`, usage);
process.env.HOLDFAST_ROOM = room; // the vitest configuration reads it, in Stryker's child processes
if (sample !== undefined) drawSample(Number(sample), Number(seed));

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
  concurrency: 1,
  timeoutMS: 30_000, // a slow machine must not pass for a test that noticed
  tempDirName: `.stryker-${room}`,
  ignorePatterns: ["dist", "coverage", "reports", ".stryker-*"],
  reporters: ["progress-append-only", "json"],
  jsonReporter: { fileName: `reports/mutants-${room}.json` },
};

const results = await new Stryker(options).runMutationTest();
console.log(summary(results));

import { defineConfig } from "vitest/config";
import usual from "../../vitest.config.ts";

// A room's mutants meet the tests of that room and those of whole stacks. Left out is what collects garbage or starts
// a process: it takes longer to say less.
const room = process.env.HOLDFAST_ROOM ?? "core";
const folders = ["composition", room];

export default defineConfig({
  ...usual,
  test: {
    pool: "forks",
    execArgv: ["--expose-gc"],
    isolate: false,
    testTimeout: 15_000,
    include: folders.map((folder) => `test/${folder}/**/*.test.ts`),
    exclude: [
      "test/**/*-memory.test.ts",
      "test/composition/copies.test.ts",
      "test/composition/leaks.test.ts",
      "test/composition/numbers.test.ts",
    ],
  },
});

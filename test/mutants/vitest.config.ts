import { defineConfig } from "vitest/config";
import usual from "../../vitest.config.ts";

// A room's mutants meet the tests of that room and those of whole stacks; those of the machine also the tests of the rooms
// that stand on it, for what it does is mostly said there. Left out is what collects garbage or starts a process: it takes
// longer to say less.
const room = process.env.HOLDFAST_ROOM ?? "core";
const standing: Readonly<Record<string, readonly string[]>> = {
  core: ["call", "fallback", "input", "output", "issues"],
};
const slow = standing[room]
  ? ["test/call/adaptiveLimit.test.ts", "test/call/retry-client.test.ts", "test/call/*-property.test.ts"]
  : [];
const folders = ["composition", room, ...(standing[room] ?? [])];

export default defineConfig({
  ...usual,
  test: {
    pool: "forks",
    execArgv: ["--expose-gc"],
    isolate: false,
    testTimeout: 15_000,
    include: folders.map((folder) => `test/${folder}/**/*.test.ts`),
    exclude: [
      ...slow,
      "test/**/*-memory.test.ts",
      "test/**/*-process.test.ts",
      "test/composition/copies.test.ts",
      "test/composition/leaks.test.ts",
      "test/composition/numbers.test.ts",
    ],
  },
});

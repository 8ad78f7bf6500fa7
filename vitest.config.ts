import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const src = (file: string) => fileURLToPath(new URL(`src/${file}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^holdfast$/, replacement: src("index.ts") },
      { find: /^holdfast\/testing$/, replacement: src("testing/index.ts") },
      { find: /^holdfast\/pino$/, replacement: src("observe/pino.ts") },
      { find: /^holdfast\/review$/, replacement: src("cli/live.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    execArgv: ["--expose-gc"],
    coverage: { provider: "v8", include: ["src/**"], reporter: ["text-summary", "html"] },
  },
});

// The public surface as text. `npm run api` writes it to docs/api.txt.
import { writeFileSync } from "node:fs";
import { type Entry, surface } from "./surface.ts";

export const apiFile = new URL("../../docs/api.txt", import.meta.url);

export function apiText(entries: readonly Entry[]): string {
  const parts = entries.map(({ name, exports }) => [`== ${name}`, ...exports.map(({ text }) => text)].join("\n\n"));
  return `${["The public surface, as the build declares it. Written by `npm run api`.", ...parts].join("\n\n")}\n`;
}

if (process.argv.includes("--write")) writeFileSync(apiFile, apiText(surface()));

// The briefs that wait for a person: kept in a file beside those that are delivered, and read back from there.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const fileIn = (out: string) => join(out, "reviews.json");

export async function keepFlagged(out: string): Promise<void> {
  await writeFile(fileIn(out), "[]");
}

/** By path, with the first thing that is wrong. */
export async function flaggedIn(out: string): Promise<ReadonlyMap<string, string>> {
  return new Map(JSON.parse(await readFile(fileIn(out), "utf8").catch(() => "[]")));
}

export function howToLook(out: string): string {
  return `npx holdfast review ${fileIn(out)}`;
}

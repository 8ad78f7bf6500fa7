// Tests that a page names, and whether they are there.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./project.ts";

/** Every test that a text names: `file` › outer › title. */
export function testsIn(text: string): { readonly file: string; readonly titles: readonly string[] }[] {
  return [...text.matchAll(/`(test\/\S+\.test\.ts)` › (.+?)(?=<br>| \|$)/gm)].map(([, file = "", path = ""]) => ({
    file,
    titles: path.replaceAll("\\|", "|").split(" › "),
  }));
}

/** Whether a file of tests has a test, or a group of tests, of this very title. */
export function hasTitle(source: string, title: string): boolean {
  return ['"', "'", "`"].some((quote) => {
    const written = title.replaceAll(quote, `\\${quote}`);
    const literal = `${quote}${written}${quote}`;
    const at = source.indexOf(`${literal},`);
    return at > 0 && /\(\s*$/.test(source.slice(0, at));
  });
}

export function missingIn(tests: ReturnType<typeof testsIn>): string[] {
  return tests.flatMap(({ file, titles }) => {
    const path = join(repository, file);
    if (!existsSync(path)) return [`${file} is not there`];
    const source = readFileSync(path, "utf8");
    return titles.filter((title) => !hasTitle(source, title)).map((title) => `${file}: ${title}`);
  });
}

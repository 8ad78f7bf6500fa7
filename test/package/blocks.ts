// The TypeScript blocks of a page, and what they say that they print.

export interface Block {
  readonly at: string;
  readonly code: string;
  readonly runs: boolean;
}

export function blocksOfPage(page: string, text: string): Block[] {
  return [...text.matchAll(/^( *)```ts( .*)?\n([\s\S]*?)^ *```$/gm)].map((match) => {
    const [, indent = "", info = "", code = ""] = match;
    return {
      at: `${page}:${lineOf(text, match.index)}`,
      code: code.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
      runs: info.trim() !== "no-run",
    };
  });
}

export function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/** A line for each `// → …`; see `lineLike`. */
export function said(code: string): string[] {
  return [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line = ""]) => line.trimEnd());
}

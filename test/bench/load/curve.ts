// Figures over time as a line of blocks, for a terminal and for the page.
const blocks = " ▁▂▃▄▅▆▇█";

/** Each figure by a block; the highest that is drawn is `top`. */
export function curve(figures: readonly number[], top = Math.max(1, ...figures)): string {
  return figures
    .map((figure) => blocks[figure <= 0 ? 0 : Math.max(1, Math.min(8, Math.round((figure / top) * 8)))])
    .join("");
}

/** What happened under the curve, from one place to another. */
export function span(from: number, to: number, word: string): string {
  const width = Math.max(2, to - from);
  const label = width >= word.length + 4 ? ` ${word} ` : "";
  const left = Math.floor((width - 2 - label.length) / 2);
  return `${" ".repeat(from)}└${"─".repeat(left)}${label}${"─".repeat(width - 2 - label.length - left)}┘`;
}

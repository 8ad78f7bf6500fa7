// A brief as a page for people, and read back from that page for the audit.
import type { Document } from "./documents.ts";
import type { Text } from "./sentences.ts";
import type { Brief } from "./workers.ts";

export function toMarkdown({ title, summary, figures }: Brief, { path, sentences }: Document): string {
  const at = (source: number) => sentences[source - 1];
  const items = [
    ...summary.map(({ source, text }) => `- ${oneLine(text)} (line ${at(source)?.line})`),
    ...(figures.length > 0 ? ["", "## Key figures", ""] : []),
    ...figures.map(({ source, figure }) => `- **${oneLine(figure)}**: ${at(source)?.text} (line ${at(source)?.line})`),
  ];
  return `# ${oneLine(title)}

A brief of ${path}: ${summary.length} of its ${sentences.length} sentences, word for word.

## Summary

${items.join("\n")}
`;
}

/** What the page says, each sentence found again in the text at the line that it names (0 where it is not there). */
export function fromMarkdown(page: string, text: Text): Brief {
  const lines = page.split("\n");
  const source = (said: string, line: string) =>
    text.sentences.find((sentence) => sentence.line === Number(line) && sentence.text === said)?.number ?? 0;
  const brief: Brief = { title: "", summary: [], figures: [] };
  let section = "";
  for (const line of lines) {
    const [, heading, title] = /^(#+) (.*)$/.exec(line) ?? [];
    if (heading === "#") brief.title = title ?? "";
    else if (heading) section = title ?? "";
    const [, item = "", where = ""] = /^- (.*) \(line (\d+|undefined)\)$/.exec(line) ?? [];
    const [, figure, said = ""] = /^\*\*(.+?)\*\*: (.*)$/.exec(item) ?? [];
    if (section === "Key figures" && figure) brief.figures.push({ source: source(said, where), figure });
    else if (item) brief.summary.push({ source: source(item, where), text: item });
  }
  return brief;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

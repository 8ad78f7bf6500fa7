// What is shown on a terminal: nothing that a model wrote may paint it, move in it, or look like another text.
import type { Finding } from "../core/verdict.ts";
import { encode } from "../output/review/encode.ts";
import type { Review } from "../output/review/entry.ts";

/** Control characters, those that turn the direction or are not seen at all, line ends of Unicode, halves of pairs, and what is nobody's. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;

/** Written as JSON writes them, so that what was JSON stays so. */
export function safe(text: string): string {
  return text.replace(unsafe, (one) =>
    [...Array(one.length).keys()].map((i) => `\\u${one.charCodeAt(i).toString(16).padStart(4, "0")}`).join(""),
  );
}

/** Plain data as JSON that can be read; what JSON has no word for says what it is. */
export function json(value: unknown): string {
  return JSON.stringify(encode(value), null, 2).split("\n").map(safe).join("\n");
}

export function reviewText(review: Review, now: number): string {
  const { id, name, component, labels, input, output, findings, fits, at, expiresAt, claimed } = review;
  const facts = [
    ...(component === name ? [] : [`component ${safe(component)}`]),
    ...Object.entries(labels).map(([key, value]) => `${safe(key)}=${safe(value)}`),
    ...(claimed === undefined ? [] : [`being looked at by ${safe(claimed.by)}`]),
  ];
  return [
    `${safe(name)}  ${safe(id)}  kept ${span(now - at)} ago, expires in ${span(expiresAt - now)}`,
    ...(facts.length > 0 ? [facts.join(", ")] : []),
    "input",
    indented(json(input)),
    "output",
    indented(json(output)),
    "found",
    ...findings.map((finding) => `  - ${findingText(finding)}`),
    ...(fits === false ? ["It cannot be approved as it is: amend it, or reject it."] : []),
  ].join("\n");
}

export function findingText({ path, wanted, got, fix, score }: Finding): string {
  return [
    ...(path ? [`${safe(path)}:`] : []),
    `wanted ${safe(String(wanted))}`,
    ...(got === undefined ? [] : [`got ${safe(JSON.stringify(encode(got)) ?? "")}`]),
    ...(fix === undefined ? [] : [`fix: ${safe(String(fix))}`]),
    ...(score === undefined ? [] : [`score ${score}`]),
  ].join(" ");
}

export function countText(count: number): string {
  if (count === 0) return "Nothing waits for a verdict.";
  return count === 1 ? "1 review waits." : `${count} reviews wait.`;
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}

/** In the unit that tells enough. */
function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3_600)} h`;
}

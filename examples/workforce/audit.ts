// What has become of every document, read from disk once more when all is done: nothing the run believes of itself is taken over.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Document, readDocument } from "./documents.ts";
import { flaggedIn } from "./flagged.ts";
import { fromMarkdown } from "./markdown.ts";
import { briefOf } from "./work.ts";
import { checkBrief } from "./workers.ts";

export interface Audit {
  readonly delivered: number;
  /** Kept for a person, by path, and why. */
  readonly flagged: ReadonlyMap<string, string>;
  readonly lost: readonly string[];
  /** Delivered, and not fit to be. */
  readonly unchecked: readonly { readonly path: string; readonly why: string }[];
}

export async function audit(root: string, documents: readonly Document[], out: string): Promise<Audit> {
  const lost: string[] = [];
  const unchecked: { path: string; why: string }[] = [];
  const flagged = await flaggedIn(out);
  let delivered = 0;
  for (const { path } of documents) {
    const page = await readFile(briefOf(out, path), "utf8").catch(() => undefined);
    if (page !== undefined) {
      delivered++;
      const text = await readDocument(join(root, path));
      const findings = checkBrief(fromMarkdown(page, text), text);
      const [first] = findings;
      if (first) unchecked.push({ path, why: `${first.path}: ${first.got ?? ""} is not ${first.wanted}` });
    } else if (!flagged.has(path)) lost.push(path);
  }
  return { delivered, flagged, lost, unchecked };
}

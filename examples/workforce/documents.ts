// A folder as documents: each either read, or refused with a word that says why.
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { readText, type Text } from "./sentences.ts";

export interface Document extends Text {
  /** Relative to the folder, with forward slashes. */
  readonly path: string;
}
export interface Refused {
  readonly path: string;
  readonly reason: string;
}
export interface Folder {
  readonly documents: readonly Document[];
  readonly refused: readonly Refused[];
}

/** What one brief can be made of: some 150 requests to the researcher. */
const maxBytes = 1_000_000;
const extensions = [".md", ".markdown", ".txt"];

/** @throws with a word for the user where there is nothing to work on */
export async function readFolder(folder: string): Promise<Folder> {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) throw new Error(`There is no folder ${folder}.`);
  if (!found.isDirectory()) throw new Error(`${folder} is a file; give the folder it is in.`);
  const paths = await documentsIn(folder);
  if (paths.length === 0) throw new Error(`There is no document (${extensions.join(", ")}) in the folder ${folder}.`);

  const documents: Document[] = [];
  const refused: Refused[] = [];
  for (const path of paths) {
    try {
      documents.push({ path, ...(await readDocument(join(folder, path))) });
    } catch (error) {
      refused.push({ path, reason: (error as Error).message });
    }
  }
  return { documents, refused };
}

/** @throws saying why nothing can be made of it */
export async function readDocument(file: string): Promise<Text> {
  const found = await stat(file).catch(({ code }) => {
    throw new Error(code === "ENOENT" ? "a link to nothing" : `not to be read (${code})`);
  });
  if (!found.isFile()) throw new Error("no file: a folder, a pipe or a device of that name");
  const { size } = found;
  if (size > maxBytes)
    throw new Error(`too large: ${megabytes(size)}, a document may have ${megabytes(maxBytes)}; split it`);
  const bytes = await readFile(file);
  if (bytes.includes(0)) throw new Error("binary: it has a zero byte, as no UTF-8 text has");
  const source = decode(bytes);
  if (source.trim() === "") throw new Error("empty: there is no text in it");
  const text = readText(source);
  if (text.sentences.length === 0) throw new Error("without a sentence: only code, headings, figures or markup");
  return text;
}

async function documentsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const paths: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!entry.name.startsWith(".") && entry.name !== "node_modules" && entry.name !== "briefs")
        paths.push(...(await documentsIn(path)).map((inner) => `${entry.name}/${inner}`));
    } else if (extensions.includes(extname(entry.name).toLowerCase())) paths.push(entry.name);
  }
  return paths;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error("not UTF-8 text");
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

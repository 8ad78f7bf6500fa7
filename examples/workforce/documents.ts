// Folders as documents: each either read, or refused with what was got, what is wanted, and what would do.
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { type Finding, InputRejectedError, protect, settled } from "holdfast";
import { readText, type Text } from "./sentences.ts";

export interface Document extends Text {
  /** Relative to the folder, or to where several folders are looked for; with forward slashes. */
  readonly path: string;
}
export interface Refused {
  readonly path: string;
  readonly reason: string;
}
export interface Folder {
  /** What the paths are relative to. */
  readonly root: string;
  readonly documents: readonly Document[];
  readonly refused: readonly Refused[];
}

/** What one brief can be made of: some 150 requests to the researcher. */
const maxBytes = 1_000_000;
const extensions = [".md", ".markdown", ".txt"];

const read = protect(
  "document",
  async ({ path, file }: { path: string; file: string }) => ({ path, ...(await readDocument(file)) }),
  { guard: { checks: [({ file }) => unfit(file)] } },
);

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
    const done = await settled(read)({ path, file: join(folder, path) });
    if (done.ok) documents.push(done.value);
    else refused.push({ path, reason: reasonIn(done.error) });
  }
  return { root: folder, documents, refused };
}

/** Several as one: paths with the folder they are in. */
export async function readFolders(folders: readonly string[]): Promise<Folder> {
  const [first, ...more] = await Promise.all(folders.map(readFolder));
  if (first === undefined) throw new Error("Give a folder.");
  if (more.length === 0) return first;
  const inFolder = <T extends { readonly path: string }>(of: (folder: Folder) => readonly T[]) =>
    [first, ...more].flatMap((folder) => of(folder).map((one) => ({ ...one, path: `${folder.root}/${one.path}` })));
  return { root: "", documents: inFolder(({ documents }) => documents), refused: inFolder(({ refused }) => refused) };
}

export async function readDocument(file: string): Promise<Text> {
  return readText(await readFile(file, "utf8"));
}

/** What is wrong with a file of which a brief is to be made: asked before anything is called. */
async function unfit(file: string): Promise<Finding | undefined> {
  const found = await stat(file).catch(({ code }) => String(code));
  if (found === "ENOENT") return { got: "a link to nothing", wanted: "a file", fix: "mend the link" };
  if (typeof found === "string") return { got: found, wanted: "a file that can be read" };
  if (!found.isFile()) return { got: "a folder, a pipe or a device", wanted: "a file" };
  if (found.size > maxBytes)
    return { path: "size", got: megabytes(found.size), wanted: `at most ${megabytes(maxBytes)}`, fix: "split it" };
  const bytes = await readFile(file);
  if (bytes.includes(0)) return { got: "a zero byte", wanted: "text", fix: "leave binary files out" };
  const source = decoded(bytes);
  if (source === undefined) return { got: "bytes that are none", wanted: "UTF-8 text", fix: "save it as UTF-8" };
  if (source.trim() === "") return { got: "an empty file", wanted: "text" };
  if (readText(source).sentences.length > 0) return undefined;
  return { got: "only code, headings, figures or markup", wanted: "a sentence" };
}

function reasonIn(error: unknown): string {
  return error instanceof InputRejectedError ? error.issues.map(said).join("; ") : String(error);
}

function said({ path, got, wanted, fix }: Finding): string {
  return `${path === undefined ? "" : `${path} `}${got}, wanted ${wanted}${fix === undefined ? "" : `: ${fix}`}`;
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

function decoded(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

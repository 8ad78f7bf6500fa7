// A recorded trace: when each request came, and how large it was. What cannot be read is said with its line.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

export interface Request {
  /** Ms since the first one. */
  readonly at: number;
  readonly contextTokens: number;
  readonly generatedTokens: number;
}

const header = "TIMESTAMP,ContextTokens,GeneratedTokens";
const tokens = /^\d{1,9}$/;
/** `2023-11-16 18:17:03.9799600`: a date of ISO 8601, with as many digits of a second as it has. */
const timestamp = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?Z?$/;

export class TraceError extends Error {}

/** In order of arrival, however they stand in the file. `first`: so many of them, no more. */
export async function readTrace(file: string, first = Number.POSITIVE_INFINITY): Promise<readonly Request[]> {
  const requests: { at: number; contextTokens: number; generatedTokens: number }[] = [];
  let no = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      no++;
      if (no === 1) checkHeader(file, line);
      else if (line.trim() !== "") requests.push(parsed(file, no, line));
      if (requests.length >= first) break;
    }
  } catch (error) {
    throw error instanceof TraceError ? error : new TraceError(unreadable(file, error as { code?: string }));
  }
  if (requests.length === 0)
    throw new TraceError(`${file}: there is no request in it, only ${no} line${no === 1 ? "" : "s"}.`);
  requests.sort((a, b) => a.at - b.at);
  const begin = requests[0]?.at ?? 0;
  return requests.map((request) => ({ ...request, at: request.at - begin }));
}

function checkHeader(file: string, line: string): void {
  const got = line.replace(/^\uFEFF/, "").trim();
  if (got !== header) throw new TraceError(`${file}, line 1: got ${shown(got)}, wanted the columns ${header}.`);
}

function parsed(file: string, no: number, line: string): Request {
  const cells = line.trim().split(",");
  const wrong = (what: string, got: string | undefined, wanted: string) =>
    new TraceError(`${file}, line ${no}: ${what}: got ${shown(got ?? "nothing")}, wanted ${wanted}.`);
  if (cells.length !== 3) throw wrong("columns", line, "three, with a comma between them");
  const [time = "", context = "", generated = ""] = cells;
  const [, date, clock, fraction = ""] = timestamp.exec(time) ?? [];
  const at = Date.parse(`${date}T${clock}Z`) + Number(`0${fraction}`) * 1_000;
  if (Number.isNaN(at)) throw wrong("TIMESTAMP", time, "a time such as 2023-11-16 18:17:03.9799600");
  if (!tokens.test(context)) throw wrong("ContextTokens", context, "a whole number");
  if (!tokens.test(generated)) throw wrong("GeneratedTokens", generated, "a whole number");
  return { at, contextTokens: Number(context), generatedTokens: Number(generated) };
}

function unreadable(file: string, { code = "it cannot be read" }: { code?: string }): string {
  const why: Record<string, string> = {
    ENOENT: "there is no such file",
    EISDIR: "that is a folder",
    EACCES: "it may not be read",
  };
  return `${file}: ${why[code] ?? code}.`;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

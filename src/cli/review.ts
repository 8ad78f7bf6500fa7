// `holdfast review`: what waits for a person, in a file or in a running process, listed and decided.
import { readFile, stat } from "node:fs/promises";
import { userInfo } from "node:os";
import { text as textOf } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { epochNow } from "../core/clock.ts";
import type { Decision } from "../output/review/entry.ts";
import type { Desk } from "./desk.ts";
import { fileDesk } from "./fileDesk.ts";
import { parsedOutput } from "./output.ts";
import { countText, json, reviewText } from "./screen.ts";
import { session, type Terminal } from "./session.ts";
import { socketDesk } from "./socketDesk.ts";

export const usage = `Usage: holdfast review <file or socket> [what]

Shows what waits for a person's verdict and asks for it, one after the other.
A file is one that \`reviews.save()\` or \`syncReviews\` wrote; a socket is one that \`serveReviews\` opened.

  --list                     only shows them
  --list --json              the same as JSON
  --approve <id>             delivers exactly what is shown
  --amend <id> --output <x>  delivers this JSON; @file: from a file; -: from the input
  --reject <id> --reason <x> delivers nothing
  --revoke <id>              takes back a verdict that nobody has got yet
  --by <who>                 who decides; you, if it is not said

Ends with 0; with 1 if the verdict was not taken; with 2 if it cannot be understood.`;

/** What cannot be understood. */
export class UsageError extends Error {}

const options = {
  list: { type: "boolean" },
  json: { type: "boolean" },
  approve: { type: "string" },
  amend: { type: "string" },
  reject: { type: "string" },
  revoke: { type: "string" },
  output: { type: "string" },
  reason: { type: "string" },
  by: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

export async function review(args: readonly string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = parsed(args);
  const say = (text: string) => void terminal.output.write(`${text}\n`);
  if (values.help) return say(usage);
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0) throw new UsageError("One file or socket is wanted.");
  const asked = (["list", "approve", "amend", "reject", "revoke"] as const).filter((one) => values[one] !== undefined);
  if (asked.length > 1)
    throw new UsageError(`One thing at a time, not ${asked.map((one) => `--${one}`).join(" and ")}.`);
  const decision = await decisionIn(values, terminal);
  const by = values.by ?? userInfo().username;
  const desk = await openDesk(path);
  try {
    const id = values.approve ?? values.amend ?? values.reject;
    if (decision !== undefined && id !== undefined) {
      await desk.decide(id, decision, by);
      say(`Decided. ${desk.next}`);
    } else if (values.revoke !== undefined) {
      await desk.revoke(values.revoke, by);
      say("Taken back: it waits again.");
    } else if (values.list) await list(desk, values.json ?? false, say);
    else await session(desk, by, terminal);
  } finally {
    desk.close();
  }
}

async function list(desk: Desk, asJson: boolean, say: (text: string) => void): Promise<void> {
  const waiting = await desk.pending();
  if (asJson) return say(json(waiting));
  say([countText(waiting.length), ...waiting.map((review) => reviewText(review, epochNow()))].join("\n\n"));
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

type Values = ReturnType<typeof parsed>["values"];

async function decisionIn(values: Values, { input }: Terminal): Promise<Decision | undefined> {
  const { approve, amend, reject, output, reason, json } = values;
  if ((output !== undefined) !== (amend !== undefined)) throw new UsageError("--amend and --output go together.");
  if ((reason !== undefined) !== (reject !== undefined)) throw new UsageError("--reject and --reason go together.");
  if (json && !values.list) throw new UsageError("--json is for --list.");
  if (approve !== undefined) return { verdict: "approve" };
  if (reject !== undefined) return { verdict: "reject", reason: reason ?? "" };
  if (output === undefined) return undefined;
  const text =
    output === "-" ? await textOf(input) : output.startsWith("@") ? await readFile(output.slice(1), "utf8") : output;
  return { verdict: "amend", output: parsedOutput(text) };
}

async function openDesk(path: string): Promise<Desk> {
  const isPipe = /^\\\\[.?]\\pipe\\/.test(path);
  const there = isPipe ? undefined : await stat(path).catch(() => undefined);
  if (!isPipe && there === undefined) throw new Error(`There is no file or socket at ${path}.`);
  if (isPipe || there?.isSocket()) return socketDesk(path);
  return fileDesk(path);
}

// A person at a terminal goes through what waits.
import { createInterface, type Interface } from "node:readline/promises";
import type { Readable, Writable } from "node:stream";
import { epochNow } from "../core/clock.ts";
import { HoldfastError } from "../core/errors.ts";
import type { Decision, Review } from "../output/review/entry.ts";
import type { Desk } from "./desk.ts";
import { edited } from "./editor.ts";
import { parsedOutput } from "./output.ts";
import { countText, findingText, reviewText, safe } from "./screen.ts";

export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable;
  readonly editor: string | undefined;
}

/** One after the other, until all are seen or the person leaves. */
export async function session(desk: Desk, by: string, { input, output, editor }: Terminal): Promise<void> {
  const say = (text: string) => void output.write(`${text}\n`);
  const lines = lineReader(input, output);
  try {
    const waiting = await desk.pending();
    say(countText(waiting.length));
    for (const [i, { id }] of waiting.entries()) {
      const review = await claimed(desk, id, by, say);
      if (review === undefined) continue;
      say(`\n${i + 1} of ${waiting.length}  ${reviewText(review, epochNow())}`);
      const then = await decide(review);
      // what was passed over, and what the end of the input left, holds nobody else off
      if (then !== "decided") await desk.release(id, by).catch(() => {});
      if (then === "leave") return;
    }
  } finally {
    lines.close();
  }

  /** Asks until a verdict is taken, or passed over. */
  async function decide(review: Review): Promise<"decided" | "pass" | "leave"> {
    for (;;) {
      const answer = (await lines.ask("[a]pprove  a[m]end  [r]eject  [s]kip  [q]uit > "))?.trim().toLowerCase();
      if (answer === undefined || answer === "q") return "leave";
      if (answer === "s") return "pass";
      const decision = await verdict(answer, review);
      if (decision === undefined) continue;
      try {
        await desk.decide(review.id, decision, by);
        say(`Decided. ${desk.next}`);
        return "decided";
      } catch (error) {
        say(safe((error as Error).message));
        if (!HoldfastError.is(error, "REVIEW_CONFLICT") || error.why !== "unfit") return "pass";
        for (const finding of error.findings ?? []) say(`  - ${findingText(finding)}`);
      }
    }
  }

  async function verdict(answer: string, review: Review): Promise<Decision | undefined> {
    if (answer === "a") return { verdict: "approve" };
    if (answer === "m") return amended(review);
    if (answer !== "r") return undefined;
    const reason = (await lines.ask("Why? > "))?.trim();
    return reason ? { verdict: "reject", reason } : undefined;
  }

  async function amended(review: Review): Promise<Decision | undefined> {
    try {
      const text =
        editor === undefined || !input.isTTY
          ? await lines.block("The output as JSON, and an empty line:")
          : await edited(editor, review.output, lines);
      return text.trim() === "" ? undefined : { verdict: "amend", output: parsedOutput(text) };
    } catch (error) {
      say(safe((error as Error).message));
      return undefined;
    }
  }
}

async function claimed(desk: Desk, id: string, by: string, say: (text: string) => void): Promise<Review | undefined> {
  try {
    const { claimed: _, ...review } = await desk.claim(id, by); // by oneself
    return review;
  } catch (error) {
    if (!HoldfastError.is(error)) throw error;
    say(safe(error.message));
    return undefined;
  }
}

export interface Lines {
  /** `undefined`: there is no more input. */
  ask(prompt: string): Promise<string | undefined>;
  /** Lines up to an empty one. */
  block(prompt: string): Promise<string>;
  pause(): void;
  resume(): void;
  close(): void;
}

/** Lines that come before they are asked for are kept: what is piped in comes at once. */
function lineReader(input: Readable & { readonly isTTY?: boolean }, output: Writable): Lines {
  const reader: Interface = createInterface({ input, output, terminal: input.isTTY ?? false });
  const held: string[] = [];
  let waiting: ((line: string | undefined) => void) | undefined;
  let isClosed = false;
  const give = (line: string | undefined) => {
    const one = waiting;
    waiting = undefined;
    one?.(line);
  };
  reader.on("line", (line) => (waiting === undefined ? void held.push(line) : give(line)));
  reader.on("close", () => {
    isClosed = true;
    give(undefined);
  });
  reader.on("SIGINT", () => reader.close());
  const next = () => {
    const line = held.shift();
    if (line !== undefined || isClosed) return Promise.resolve(line);
    return new Promise<string | undefined>((resolve) => {
      waiting = resolve;
    });
  };
  return {
    ask(prompt) {
      reader.setPrompt(prompt);
      if (!isClosed) reader.prompt();
      return next();
    },
    async block(prompt) {
      output.write(`${prompt}\n`);
      const lines: string[] = [];
      for (let line = await next(); line; line = await next()) lines.push(line);
      return lines.join("\n");
    },
    pause: () => void reader.pause(),
    resume: () => void reader.resume(),
    close: () => reader.close(),
  };
}

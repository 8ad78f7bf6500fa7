// What a process that has opened its queue and a terminal say to each other: a line of JSON each.
import type { Socket } from "node:net";
import { HoldfastError } from "../core/errors.ts";
import { ReviewConflictError, ReviewExpiredError } from "../core/reviewErrors.ts";
import { copyOf } from "../output/review/copy.ts";
import { decode, encode } from "../output/review/encode.ts";

export interface Question {
  readonly no: number;
  readonly ask: string;
  readonly given: readonly unknown[];
}
export type Answer = { readonly no: number; readonly gave: unknown } | { readonly no: number; readonly failed: object };

/** So long may a line be: an output that is longer is decided elsewhere. */
const longest = 64 * 1024 * 1024;

export function send(socket: Socket, message: Question | Answer): void {
  socket.write(`${JSON.stringify(encode(copyOf(message)?.value))}\n`);
}

/** Calls for each message; a line that is none, or has no end, ends the connection. */
export function receive(socket: Socket, hear: (message: unknown) => void): void {
  let held = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    const lines = (held + chunk).split("\n");
    held = lines.pop() ?? "";
    if (held.length > longest) return void socket.destroy();
    for (const line of lines) {
      let message: unknown;
      try {
        message = decode(JSON.parse(line));
      } catch {
        return void socket.destroy();
      }
      hear(message);
    }
  });
}

/** An error as the other side can make it anew. */
export function told(error: unknown): object {
  const { name, message } = error as Error;
  if (!HoldfastError.is(error)) return { name: String(name), message: String(message) };
  const { code, operation } = error;
  const { reviewId, why, by, findings } = error as ReviewConflictError;
  return { name, message, code, operation, reviewId, why, by, findings };
}

export function anew(failed: object): Error {
  const { name, message, code, operation, reviewId, why, by, findings } = failed as ReviewConflictError;
  if (code === "REVIEW_CONFLICT") return new ReviewConflictError(operation, reviewId, why, { by, findings });
  if (code === "REVIEW_EXPIRED") return new ReviewExpiredError(operation, reviewId);
  return Object.assign(new Error(String(message)), { name });
}

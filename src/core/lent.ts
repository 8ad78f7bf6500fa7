// The attempts that a layer in the operation's place begins, and what becomes of them once it has answered.
import type { AttemptRecord } from "./attempt.ts";
import { discard } from "./discard.ts";

/** Why an attempt is ended that whoever began it has answered without. */
export const LOST: unknown = new DOMException("What it was begun for has its answer.", "AbortError");

export class Lent {
  private attempts: AttemptRecord[] = [];

  add(attempt: AttemptRecord): void {
    // of what failed nothing is left to be let go: a layer that tries for ever holds no more than it has to
    this.attempts = this.attempts.filter(({ done, threw }) => !(done && threw));
    this.attempts.push(attempt);
  }

  /** What still runs has lost. What was got and not given on is let go, unless the answer may be made of it, or others have it too. */
  close(answer: unknown, isLate: boolean, threw: number): void {
    const got = new Set<unknown>();
    const common = new Set<unknown>();
    for (const attempt of this.attempts) {
      if (!attempt.done) attempt.abandon({ reason: LOST, at: attempt.now(), wholeMs: 0 });
      else if (!attempt.threw) (attempt.gaveWhatOthersHave ? common : got).add(attempt.value);
    }
    if (!got.delete(answer) && !common.has(answer) && !isLate) return;
    if (isLate && threw === 0) got.add(answer);
    for (const value of got) if (!common.has(value)) this.letGo(value);
  }

  private letGo(value: unknown): void {
    discard(value, this.attempts[0]?.call.stack.discard);
  }
}

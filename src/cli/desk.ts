// Where reviews lie that somebody decides from outside: in a file, or in a process that has opened its queue.
import type { ReviewQueue } from "../output/review.ts";

export interface Desk extends Pick<ReviewQueue, "pending" | "claim" | "decide" | "revoke"> {
  /** What becomes of a verdict, for the one who gave it. */
  readonly next: string;
  /** Gives up this person's claim, if there is one still. */
  release(id: string, by: string): Promise<void>;
  close(): void;
}

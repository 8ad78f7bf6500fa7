// What a scenario and the server process that it drives say to each other.

/** Parts of time in which arrivals are counted, epoch ms ÷ this. */
export const partMs = 100;

/** What its parent may change while it runs. */
export interface Conduct {
  /** Whether it answers: `closed` ends every connection unanswered, `busy` says 503. */
  readonly mode: "up" | "closed" | "busy";
  /** So many answers of a hundred take `slowFactor` times as long. */
  readonly slowPercent: number;
  readonly slowFactor: number;
}

export interface Declared {
  readonly slots: number;
  readonly serviceMs: number;
}

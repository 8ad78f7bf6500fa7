// What is done when a call is about to end without a value: a word that a layer leaves in its record.

import type { CallRecord } from "./record.ts";

/** Given in place of an error: the call goes on, and whoever gave it ends it. */
export const WAITS: unique symbol = Symbol.for("holdfast/1/waits") as never;

export interface LastResort {
  /** The error to end with in place of this one, or `WAITS`. Asked again when the call that waited ends, or one that took it over. */
  instead(error: unknown, call: CallRecord): unknown;
  /** The call is ended from outside: why stands in its record. */
  abandon(): void;
}

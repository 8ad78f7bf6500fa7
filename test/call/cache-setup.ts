// What the tests of the cache share: an operation that answers when a test says so.
import type { CallContext } from "../../src/index.ts";
import { type Answer, script } from "../../src/testing/index.ts";

export const status = (code: number) => Object.assign(new Error(`HTTP ${code}`), { status: code });
export const down = status(503);

export interface Run {
  readonly input: unknown;
  readonly context: CallContext;
  readonly aborted: boolean;
  answer(value: unknown): Promise<void>;
  fail(error: unknown): Promise<void>;
}

/** Answers in turn; typed as what it stands for. */
export function answering<O>(...answers: readonly Answer<O>[]) {
  const scripted = script<O>(...answers);
  return Object.assign((input: string, context: CallContext) => scripted(input, context), { calls: scripted.calls });
}

/** Each call waits to be answered by the test. Aborted ones go on: what they were to give may still come. */
export function operation() {
  const runs: Run[] = [];
  const ask = (input: string, context: CallContext) =>
    new Promise<unknown>((resolve, reject) => {
      runs.push({
        input,
        context,
        get aborted() {
          return context.signal.aborted;
        },
        async answer(value) {
          resolve(value);
          await settled();
        },
        async fail(error) {
          reject(error);
          await settled();
        },
      });
    });
  return { ask, runs, last: () => runs.at(-1) as Run };
}

/** Every promise step that needs no time. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}

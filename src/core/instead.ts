// How a layer answers in place of all that is inside it.
import { shared } from "./shared.ts";

/** What `before` of a layer of ours gives when it has the answer: nothing inside it is asked. */
export const INSTEAD: unique symbol = Symbol.for("holdfast/1/instead") as never;
// a stack may have layers of several copies
const given = shared("instead", () => ({ answer: undefined as unknown, failed: false }));

/** `failed`: the answer is an error. */
export function instead(answer: unknown, failed: boolean): typeof INSTEAD {
  given.answer = answer;
  given.failed = failed;
  return INSTEAD;
}

export function answersByFailing(): boolean {
  return given.failed;
}

export function takeAnswer(): unknown {
  const { answer } = given;
  given.answer = undefined;
  return answer;
}

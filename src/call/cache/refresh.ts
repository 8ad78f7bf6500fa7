// A load that nobody waits for: what is stale is given meanwhile.
import type { AttemptRecord } from "../../core/attempt.ts";
import { begin } from "../../core/enter.ts";
import type { CallRecord } from "../../core/record.ts";
import type { Stack } from "../../core/stack.ts";

export class Refresher {
  /** By the whole stack: the cache with what is inside it, and nothing more. */
  private readonly alone = new WeakMap<Stack, Stack>();

  /**
   * A call of its own, told as one: its failure is in its events and its story, and reaches nobody else. It ends by the
   * declared deadline, else when what it is to renew is past all use. `over` is told of its end, whichever it is.
   */
  begin({ call, input }: AttemptRecord, leftMs: number, over: () => void): void {
    const { labels, stack } = call;
    const calls: CallRecord[] = [];
    const options = {
      accept: "fresh",
      criticality: "background",
      labels,
      ...(stack.deadline === undefined && { deadline: leftMs }),
    } as const;
    begin(this.aloneIn(stack), input, options, (own) => calls.push(own)).then(over, over);
    for (const { ended, rare } of calls) if (!ended) rare?.deadline?.letProcessEnd();
  }

  private aloneIn(stack: Stack): Stack {
    let alone = this.alone.get(stack);
    if (alone === undefined) {
      const none = {
        limits: [undefined],
        starts: false,
        lastRecovery: -1,
        recovers: false,
        ends: false,
        hearing: undefined,
      };
      alone = { ...stack, ...none, layers: stack.layers.slice(0, 1) };
      this.alone.set(stack, alone);
    }
    return alone;
  }
}

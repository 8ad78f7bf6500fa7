// What an answer may cost at most: time, size and money, as they were when it came.
import { z } from "zod";
import type { AttemptRecord } from "../core/attempt.ts";
import { durationSchema, spell } from "../core/duration.ts";
import type { Attempt } from "../core/layer.ts";
import type { Duration } from "../core/operation.ts";
import { spentIn } from "../core/spend.ts";
import type { Finding } from "../core/verdict.ts";
import type { Tools } from "../core/wrapper.ts";

export interface Benchmark {
  /** From the operation's start to its answer. */
  latency?: Duration | undefined;
  /** Of a text or of bytes as they are, of anything else as JSON, in UTF-8. */
  bytes?: number | undefined;
  /** As `context.cost` told it or `prices` made it, of this attempt and what it began. An answer of which none is known is not judged by it; where tokens of a model without a price are in it, `output.unpriced` tells that. */
  money?: number | undefined;
}

export const benchmarkSchema = z.strictObject({
  latency: durationSchema.optional(),
  bytes: z.number().min(0).optional(),
  money: z.number().min(0).optional(),
});

/** One finding for each that was not met. */
export function measure(
  { latency, bytes, money }: z.output<typeof benchmarkSchema>,
  attempt: Attempt,
  output: unknown,
  tools: Tools,
): Finding[] {
  const findings: Finding[] = [];
  if (latency !== undefined) {
    const took = tools.clock.monotonic() - attempt.startedAt;
    if (took > latency) findings.push({ got: `${Math.round(took)} ms`, wanted: `an answer within ${spell(latency)}` });
  }
  if (bytes !== undefined) {
    const size = sizeOf(output);
    if (size === undefined) findings.push({ wanted: "an output whose size can be told" });
    else if (size > bytes) findings.push({ got: `${size} bytes`, wanted: `an output of at most ${bytes} bytes` });
  }
  if (money !== undefined) {
    const { money: spent = 0, unpriced } = spentIn(attempt as AttemptRecord);
    if (spent > money) findings.push({ got: spent, wanted: `a cost of at most ${money}` });
    else if (unpriced !== undefined)
      tools.emit(attempt.context, "output.unpriced", { attempt: attempt.context.attempt, models: unpriced });
  }
  return findings;
}

function sizeOf(output: unknown): number | undefined {
  if (output === undefined) return 0;
  if (ArrayBuffer.isView(output) || output instanceof ArrayBuffer) return output.byteLength;
  try {
    const text = typeof output === "string" ? output : JSON.stringify(output);
    return text === undefined ? undefined : utf8(text);
  } catch {
    return undefined; // a circle, or a bigint
  }
}

/** Without making the bytes: a lone surrogate is three, as an encoder writes it. */
function utf8(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    bytes++;
    if (code < 0x800) continue;
    const next = text.charCodeAt(i + 1);
    if (code >= 0xd800 && code < 0xdc00 && next >= 0xdc00 && next < 0xe000) i++; // a pair is four
    bytes++;
  }
  return bytes;
}

// What one tier hands to the next, and what stays its own.
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type CallContext, fallback, guard, type Operation, pipe, protect, timeout } from "../../src/index.ts";
import { type Script, script } from "../../src/testing/index.ts";
import { setup, watch } from "../composition/setup.ts";

function http(status: number, message: string): Error {
  return Object.assign(new Error(message), { status });
}

const down = http(500, "down");

describe("the next tier", () => {
  it("can read the error it stands in for", async () => {
    setup();
    const tier: Operation<string, string> = async (_, { previous }) => {
      const { error, tierName } = previous.at(-1) ?? {};
      return `instead of ${tierName}: ${(error as Error).message}`;
    };
    expect(await protect("gpt", script<string>({ error: down }), { fallback: [tier] })("x")).toBe(
      "instead of gpt: down",
    );
  });

  it("maps history per target in a seam of its own: the function that is the tier", async () => {
    setup();
    type Turn = { role: string; content: string; toolCallId?: string };
    const history: readonly Turn[] = [
      { role: "user", content: "how high is the tide?" },
      { role: "tool", content: "3 m", toolCallId: "call_ab|sig" },
    ];
    const received: Turn[][] = [];
    const askOther = async (turns: Turn[]) => {
      if (turns.some(({ toolCallId }) => toolCallId?.includes("|"))) throw http(400, "foreign tool-call id");
      received.push(turns);
      return "3 m";
    };
    const plain = ({ toolCallId, ...turn }: Turn): Turn =>
      toolCallId ? { ...turn, toolCallId: toolCallId.split("|")[0] as string } : turn;
    const call = protect("claude", async (_: readonly Turn[]): Promise<string> => Promise.reject(down), {
      fallback: [{ name: "gpt", operation: async (turns) => askOther(turns.map(plain)) }],
    });
    expect(await call(history)).toBe("3 m");
    expect(received[0]?.map(({ toolCallId }) => toolCallId)).toEqual([undefined, "call_ab"]);
    expect(history[1]?.toolCallId).toBe("call_ab|sig");
  });

  it("gets nothing of what a tier before it made of the input", async () => {
    setup();
    const [first, second] = [script<string>({ error: down }), script<string>({ value: "ok" })];
    const shaped = z
      .object({ topic: z.string().default("?") })
      .transform(({ topic }) => ({ topic, model: "gpt", key: "secret of gpt" }));
    const call = pipe(
      script<string>({ error: down }) as Operation<{ topic?: string }, string>,
      fallback<{ topic?: string }, string>([pipe(first, guard(shaped)), second]),
    );
    const input = { topic: "tides" };
    expect(await call(input)).toBe("ok");
    expect(first.calls[0]?.input).toEqual({ topic: "tides", model: "gpt", key: "secret of gpt" });
    expect(second.calls[0]?.input).toBe(input);
  });

  it("gets its own signal, its own number, and not what another said of its own call", async () => {
    const { clock } = setup();
    const inner = script<string>("never");
    const last = script<string>({ value: "ok" });
    const call = protect("draft", script<string>({ error: down }), {
      fallback: [
        {
          name: "gpt",
          operation: (i: string, c: CallContext) =>
            protect("gpt", inner, { criticality: "background" })(i, { ...c, labels: { model: "gpt" } }),
          timeout: "1s",
        },
        last,
      ],
      timeout: "5s",
    });
    const answered = watch(call("x", { labels: { request: "7" } }));
    await clock.advance("1s");
    expect(answered.at).toEqual({ value: "ok" });
    const [{ context }] = last.calls as [Script["calls"][0]];
    expect(context).toMatchObject({ attempt: 1, tier: 2, labels: { request: "7" }, criticality: undefined });
    expect([context.signal.aborted, inner.calls[0]?.context.signal.aborted]).toEqual([false, true]);
  });

  it("runs in the caller's own AsyncLocalStorage, after a time-out too", async () => {
    const { clock } = setup();
    const store = new AsyncLocalStorage<string>();
    const tier = async (_: string) => store.getStore() ?? "nobody's";
    const hanging = (_: string): Promise<string> => new Promise(() => {});
    const call = pipe(hanging, timeout("1s"), fallback([tier]));
    const all = ["ada", "bob", "eve"].map((id) => store.run(id, () => call(id)));
    await clock.advance("1s");
    expect(await Promise.all(all)).toEqual(["ada", "bob", "eve"]);
  });
});

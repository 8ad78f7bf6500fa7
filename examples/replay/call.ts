// The protected call that is replayed: put your own declaration in its place, and see what becomes of the same hour.
import { type CallContext, type PolicyOptions, prices, protect } from "holdfast";
import type { Request } from "./trace.ts";

export interface Service {
  readonly url: string;
}

prices.set("first", { input: 2.5, output: 10 });
prices.set("second", { input: 5, output: 20 });

/** Durations are those of the trace's time; at `speed` 60 a minute of it takes a second. */
export function callOf(first: Service, second: Service, slots: number, speed: number) {
  const ms = (duration: number) => duration / speed;
  const places = { concurrency: slots, queue: slots * 4, queueTimeout: ms(5_000) };
  const timeout = ms(20_000);
  const policy = {
    deadline: ms(30_000),
    timeout,
    retry: { attempts: 3, base: ms(200), cap: ms(5_000), patience: 0 },
    budget: { share: 0.1, perSecond: speed },
    breaker: { window: Math.max(100, ms(10_000)), breakTime: ms(5_000), maxBreakTime: ms(30_000) },
    bulkhead: places,
  } as const satisfies PolicyOptions;
  const askSecond = protect("second", ask(second), { timeout, bulkhead: places });
  return protect("complete", ask(first), { ...policy, fallback: [askSecond] });
}

function ask({ url }: Service) {
  return async ({ contextTokens, generatedTokens }: Request, { cost, signal }: CallContext) => {
    const response = await fetch(`${url}/?context=${contextTokens}&generated=${generatedTokens}`, { signal });
    const { model, usage } = (await response.json()) as Answer;
    cost({ model, inputTokens: usage.input, outputTokens: usage.output });
    if (!response.ok) throw Object.assign(new Error(`status ${response.status}`), { status: response.status });
    return model;
  };
}

interface Answer {
  readonly model: string;
  readonly usage: { readonly input: number; readonly output: number };
}

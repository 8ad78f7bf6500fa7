// One question to one model, through its client: as an operation to be protected, and as a bare call.
import { type Operation, OutputRejectedError } from "holdfast";
import OpenAI from "openai";
import type { Document } from "./documents.ts";
import type { Provider } from "./provider/start.ts";
import type { Worker } from "./workers.ts";

export interface Model {
  readonly name: string;
  readonly model: string;
  readonly client: OpenAI;
}

/** `maxRetries: 0` in both: who retries is declared in one place, and it is not the client. */
export function localModel({ name, url }: Provider): Model {
  return { name, model: name, client: new OpenAI({ baseURL: url, apiKey: "none", maxRetries: 0 }) };
}

/** The service that the environment names, if it does: OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL. */
export function serviceModel(): Model | undefined {
  const { OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: baseURL, OPENAI_MODEL: model = "gpt-4o-mini" } = process.env;
  if (!apiKey) return undefined;
  return { name: "openai", model, client: new OpenAI({ apiKey, baseURL: baseURL || undefined, maxRetries: 0 }) };
}

/** Asks, and tells what it cost: the answer as it comes, which the gate is to make something of. After a refused answer the model is told what was wrong with it. */
export function ask<I extends { readonly document: Document }, O>(
  model: Model,
  worker: Worker<I, O>,
): Operation<I, unknown> {
  return async (input, { signal, previous, cost, call, attempt }) => {
    const refused = previous.map(({ error }) => error).findLast((error) => error instanceof OutputRejectedError);
    const id = `${call}-${attempt}`;
    const completion = await complete(model, worker, input, { signal, id, feedback: refused?.message });
    const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = completion.usage ?? {};
    cost({ inputTokens, outputTokens, model: completion.model });
    return completion;
  };
}

/** What is written where nobody thinks of failure: the client as it comes, with the two retries that it has by default. */
export function askBare<I extends { readonly document: Document }, O>(
  { client, ...model }: Model,
  worker: Worker<I, O>,
): (input: I) => Promise<O> {
  const asItComes = { ...model, client: client.withOptions({ maxRetries: 2 }) };
  return async (input) => {
    const completion = await complete(asItComes, worker, input, {});
    return JSON.parse(completion.choices[0]?.message.content ?? "");
  };
}

interface Ways {
  readonly signal?: AbortSignal | undefined;
  /** By which the provider's log tells what was answered to which attempt. */
  readonly id?: string | undefined;
  /** What was wrong with the last answer. */
  readonly feedback?: string | undefined;
}

function complete<I extends { readonly document: Document }, O>(
  { client, model }: Model,
  worker: Worker<I, O>,
  input: I,
  { signal, id, feedback }: Ways,
) {
  return client.chat.completions.create(
    {
      model,
      response_format: { type: "json_object" },
      messages: [
        { role: "system", content: worker.instructions },
        { role: "user", content: JSON.stringify(worker.material(input)) },
        ...(feedback ? [{ role: "user" as const, content: `The last answer was refused: ${feedback}` }] : []),
      ],
    },
    { signal, ...(id && { headers: { "x-request-id": id } }) },
  );
}

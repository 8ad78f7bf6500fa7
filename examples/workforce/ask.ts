// One question to one model, through its client: as a bare call, and as one whose answer is checked before it counts.
import { type Finding, type Operation, OutputRejectedError } from "holdfast";
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

/**
 * Asks, and refuses an answer that fails the worker's checks, so that a retry or the next tier takes over.
 * The checks are plain functions here; `output` and `gate` in the declaration are to take the place of all that follows `complete`.
 */
export function ask<I extends { readonly document: Document }, O>(model: Model, worker: Worker<I, O>): Operation<I, O> {
  return async (input, { signal, previous, cost }) => {
    const feedback = previous.map(({ error }) => error).findLast((error) => error instanceof OutputRejectedError);
    const completion = await complete(model, worker, input, { signal, feedback: feedback?.message });
    const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = completion.usage ?? {};
    cost({ inputTokens, outputTokens, model: model.model });

    const choice = completion.choices?.[0];
    const refuse = (...findings: Finding[]) => new OutputRejectedError(worker.name, findings, choice?.message.content);
    if (!choice) throw refuse({ got: completion, wanted: "a chat completion" });
    if (choice.message.refusal) throw refuse({ got: choice.message.refusal, wanted: "an answer, no refusal" });
    if (choice.finish_reason !== "stop")
      throw refuse({ wanted: `an answer that is not cut off (${choice.finish_reason})` });
    const answer = worker.answer.safeParse(parsed(choice.message.content ?? ""));
    if (!answer.success)
      throw refuse({ got: choice.message.content, wanted: `JSON as asked: ${answer.error.message}` });
    const findings = worker.check(answer.data, input);
    if (findings.length > 0) throw refuse(...findings);
    return answer.data;
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
  /** What was wrong with the last answer. */
  readonly feedback?: string | undefined;
}

function complete<I extends { readonly document: Document }, O>(
  { client, model }: Model,
  worker: Worker<I, O>,
  input: I,
  { signal, feedback }: Ways,
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
    { signal },
  );
}

function parsed(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

// A model client: its own retries off, its answer checked, and asked again with what was wrong; what all of it used is added up.
import { text } from "node:stream/consumers";
import { type CallContext, events, OutputRejectedError, protect, settled } from "holdfast";
import OpenAI from "openai";
import { z } from "zod";
import { listen } from "./services/listen.ts";

const Report = z.object({ title: z.string().max(20), sources: z.array(z.url()).min(1) });

// a provider that is busy, then careless, and does what it is told
let requests = 0;
const provider = await listen(async (request, response) => {
  const prompt = await text(request);
  response.setHeader("content-type", "application/json");
  if (++requests === 1)
    return response.writeHead(429, { "retry-after-ms": "20" }).end('{"error": {"message": "slow down"}}');
  const sources = prompt.includes("sources") ? '["https://example.org/tides"]' : "[]";
  const content = `Sure!\n{"title": "Tides", "sources": ${sources}}`;
  const usage = { prompt_tokens: prompt.length, completion_tokens: 30 };
  response.end(JSON.stringify({ model: "m-1", choices: [{ finish_reason: "stop", message: { content } }], usage }));
});

const client = new OpenAI({ baseURL: provider.url, apiKey: "none", maxRetries: 0 }); // holdfast is the one that retries

async function write(topic: string, { signal, previous, cost }: CallContext) {
  const wrong = previous.flatMap(({ error }) => (error instanceof OutputRejectedError ? error.findings : []));
  const again = wrong.map(({ path, wanted }) => `Your last answer was refused. ${path}: ${wanted}`);
  for (const line of again) console.log("in the prompt:", line);
  const answer = await client.chat.completions.create(
    {
      model: "m-1",
      messages: [`A report on ${topic}, as JSON.`, ...again].map((content) => ({ role: "user", content })),
    },
    { signal },
  );
  cost({
    inputTokens: answer.usage?.prompt_tokens,
    outputTokens: answer.usage?.completion_tokens,
    model: answer.model,
  });
  return answer; // as it is: the gate knows its form, and whether it was cut off
}

const report = protect("report", write, {
  output: Report,
  gate: { repair: ["json"] },
  deadline: "30s",
  timeout: "10s",
  retry: { attempts: 4, base: "10ms" },
});

events.on("attempt.failed", ({ attempt, kind }) => console.log(`attempt ${attempt}: ${kind}`));

const { story, ...ended } = await settled(report)("Tides");
console.log(ended.ok && ended.value);
console.log(`${story.attempts} attempts, ${requests} requests, ${story.cost.outputTokens} tokens written`);

provider.close();

// prints:
// attempt 1: rateLimited
// attempt 2: quality
// in the prompt: Your last answer was refused. sources: Too small: expected array to have >=1 items
// { title: 'Tides', sources: [ 'https://example.org/tides' ] }
// 3 attempts, 3 requests, 60 tokens written

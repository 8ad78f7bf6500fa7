// A retry waits as the other side asks, tells what it does, and leaves alone what no other try can help.
import { events, named, pipe, retry } from "holdfast";

const answers = [
  Object.assign(new Error("bad gateway"), { status: 502 }),
  Object.assign(new Error("slow down"), { status: 429, headers: { "retry-after-ms": "30" } }),
  "18 °C",
  Object.assign(new Error("no such town"), { status: 404 }),
];
async function weather(_town: string): Promise<string> {
  const answer = answers.shift();
  if (typeof answer === "string") return answer;
  throw answer;
}

events.on("retry.scheduled", ({ name, attempt, kind, delayMs }) =>
  console.log(`${name}: ${kind}, attempt ${attempt} in ${delayMs} ms`),
);

const getWeather = pipe(named("weather", weather), retry({ attempts: 5, base: "20ms", jitter: "none" }));

console.log(await getWeather("Graz"));
await getWeather("Atlantis").catch((error) => console.log(error.message));

// prints:
// weather: transient, attempt 2 in 20 ms
// weather: rateLimited, attempt 3 in 30 ms
// 18 °C
// no such town

// A time-out ends one attempt, the deadline the whole call; the caller's own signal ends it with his own reason.
import { events, HoldfastError, protect } from "holdfast";

// a service that answers the first call never, the second slowly, and all others never again
let calls = 0;
const search = protect(
  "search",
  (query: string, { signal }) =>
    new Promise<string>((resolve, reject) => {
      const timer = calls++ === 1 ? setTimeout(resolve, 20, `results for ${query}`) : undefined;
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
  { timeout: "500ms", deadline: "1800ms", retry: { attempts: 10, base: "1ms" } },
);

const stop = events.on("attempt.failed", ({ attempt, kind }) => console.log(`attempt ${attempt}: ${kind}`));
console.log(await search("tides"));
stop();

try {
  await search("moons");
} catch (error) {
  if (HoldfastError.is(error)) console.log(error.code, error.message);
}

const left = new AbortController();
const abandoned = search("stars", { signal: left.signal }).catch((reason) => console.log(reason));
left.abort("the reader has left");
await abandoned;

// prints:
// attempt 1: timeout
// results for tides
// DEADLINE_EXCEEDED "search" did not finish before its deadline and was ended.
// the reader has left

// Every event as a line of a log: one error for a call that fails, one warning for one that recovers, and no secrets.
import { events, protect } from "holdfast";
import { err, log } from "holdfast/pino";
import pino from "pino";

const logger = pino({ base: null, timestamp: false, level: "warn", serializers: { err } }, process.stdout);
const stop = log(events, logger, { secret: ["labels.tenant"] });

async function askModel(): Promise<string> {
  throw new Error("fetch failed", { cause: new Error("connect ECONNREFUSED 127.0.0.1:9") });
}

const alone = protect("alone", askModel);
const safe = protect("safe", askModel, { fallback: [async () => "as good as can be"] });

await alone(undefined, { labels: { tenant: "acme" } }).catch(() => {});
console.log(await safe());
stop();

// prints:
// {"level":50,"type":"call.settled","operation":"alone","state":"failed",…"labels":{"tenant":"[redacted]"},"err":{"type":"Error","message":"fetch failed",…"causes":[…]},"story":{…},"msg":"alone failed after 1 attempt"}
// {"level":40,"type":"call.settled","operation":"safe","state":"degraded",…"err":{"type":"Error","message":"fetch failed",…},"msg":"safe degraded after 2 attempts"}
// as good as can be

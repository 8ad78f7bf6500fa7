// A test that waits an hour in no time: a clock to move, answers in turn, and everything that happened on record.
import { protect } from "holdfast";
import { record, reset, script, seams, seededRandom, testClock } from "holdfast/testing";

// the code under test, as it stands at a module's top
const down = { error: new Error("down") };
const model = script(down, down, { value: "a draft", after: "2s" });
const draft = protect("draft", model, { timeout: "10s", retry: { attempts: 5, base: "1s" } });

{
  const clock = testClock(Date.UTC(2026, 0, 1));
  using _ = seams({ clock, random: seededRandom(1) });
  const seen = record();

  const answer = draft("tides");
  await clock.advance("1h");

  console.log(await answer, "after", model.calls.length, "calls");
  for (const { attempt, delayMs } of seen.of("retry.scheduled"))
    console.log(`call ${attempt} after ${Math.round(delayMs)} ms`);
  console.log("still waiting:", clock.sleepers);
  seen.stop();
}
reset(); // the next test begins with nothing remembered

// prints:
// a draft after 3 calls
// call 2 after 627 ms
// call 3 after 5 ms
// still waiting: 0

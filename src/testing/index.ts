// For tests: time, chance and answers as the test says, and everything that happens on record.
export { type TestClock, testClock } from "./clock.ts";
export { seededRandom } from "./random.ts";
export { type Recording, record } from "./recorder.ts";
export { type Answer, type Script, script } from "./script.ts";
export { reset, seams } from "./seams.ts";

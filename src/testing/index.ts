// For tests: time, chance and answers as the test says, and everything that happens on record.
export { type TestClock, testClock } from "./clock.ts";
export { seededRandom } from "./random.ts";
export { type Recording, record } from "./recorder.ts";
export { type Answer, type Script, script } from "./script.ts";
export { reset, seams } from "./seams.ts";
export { type SimulateOptions, type Simulation, SimulationError, simulate } from "./simulate.ts";
export type { FailureName } from "./simulation/failures.ts";
export type { Violation } from "./simulation/ledger.ts";
export type { Behaviour, Caller } from "./simulation/script.ts";
export { type SimulatedOptions, simulated } from "./simulation/simulated.ts";

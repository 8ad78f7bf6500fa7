// Which meter a quota has, by its shape.
import { Bucket } from "./bucket.ts";
import type { Measure, Meter, Shape } from "./meter.ts";
import { SlidingWindow } from "./slidingWindow.ts";
import { Smooth } from "./smooth.ts";

/** `whole`: it is counted, one by one. */
export function meterOf(shape: Shape, measure: Measure, whole: boolean, now: number): Meter {
  if (shape === "smooth") return new Smooth(measure, whole);
  // a bucket of the whole limit would let through twice that in one period: without a burst the period is what counts
  return shape === "tokenBucket" && measure.burst !== undefined
    ? new Bucket(measure, measure.burst, now)
    : new SlidingWindow(measure);
}

/** Whether it goes on as it is when the options change. */
export function fits(meter: Meter, shape: Shape, { burst }: Measure): boolean {
  if (shape === "smooth") return meter instanceof Smooth;
  return shape === "tokenBucket" && burst !== undefined ? meter instanceof Bucket : meter instanceof SlidingWindow;
}

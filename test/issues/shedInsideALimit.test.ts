// Shedding looked at limits outside it, too: in those the call that it weighs holds a place already.
import { adaptiveLimit, bulkhead, pipe, shed } from "holdfast";
import { expect, it } from "vitest";

it.each([
  ["an adaptive limit", adaptiveLimit({ max: 1 })],
  ["a bulkhead", bulkhead(1)],
])("load shedding inside %s refuses nobody for the place that he has there himself", async (_, limit) => {
  const call = pipe(async () => "served", shed({}), limit);
  expect(await call(undefined)).toBe("served");
});

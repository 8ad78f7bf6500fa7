// What goes in: put right by declared rules, checked by a look-up, or refused with all that is wrong.
import { type Check, events, InputRejectedError, protect } from "holdfast";
import { z } from "zod";

const Order = z.object({
  customer: z.string(),
  email: z.email(),
  lines: z.array(z.object({ sku: z.string(), qty: z.int().min(1).max(99) })).min(1),
});
type Order = z.output<typeof Order>;

const customers = new Map([["c-1", { open: true }]]);
const lookUp = async (id: string) => customers.get(id);
const known: Check<Order> = async ({ customer }) =>
  (await lookUp(customer)) ? undefined : { path: "customer", got: customer, wanted: "a customer that we know" };

const place = protect("place order", async ({ lines, email }) => `${lines.length} line(s), told ${email}`, {
  input: Order,
  guard: { checks: [known], correct: { email: "trim", "lines.*.qty": "clamp" } },
});

events.on("input.corrected", ({ path, rule }) => console.log(`corrected ${path}: ${rule}`));

console.log(await place({ customer: "c-1", email: " ada@example.org ", lines: [{ sku: "A", qty: 500 }] }));

for (const wrong of [
  { customer: "c-2", email: "bob@example.org", lines: [{ sku: "A", qty: 1 }] },
  { customer: "c-1", email: "bob", lines: [] },
])
  await place(wrong).catch((error) => {
    if (!(error instanceof InputRejectedError)) throw error;
    for (const { path, wanted, fix } of error.issues) console.log(`${path}: ${wanted}${fix ? ` (${fix})` : ""}`);
  });

// prints:
// corrected email: trim
// corrected lines.0.qty: clamp
// 1 line(s), told ada@example.org
// customer: a customer that we know
// email: Invalid email address
// lines: Too small: expected array to have >=1 items (at least 1 item)

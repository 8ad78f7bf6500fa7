// The main job: a team of AI workers turns each document of a folder into a checked brief, while at any time two of
// its three providers are out of order.
import { parseArgs } from "node:util";
import { readFolders } from "./documents.ts";
import { deliverDecided, howToLook } from "./flagged.ts";
import { providerNames, run } from "./run.ts";
import { figuresOf, table } from "./table.ts";

/** Beside the documents of this project: two of which no brief can be made, and one that no model will read. */
const inbox = "examples/workforce/inbox";

const usage = `npm start -- [FOLDER] [--seed N] [--unprotected] [--json]
  FOLDER         with .md and .txt files, its folders included (docs, and a few bad documents in ${inbox})
  --seed N       the same faults in the same order (else drawn, and printed)
  --unprotected  the same job and faults once more with bare calls, to see the difference
  --json         the figures as one line of JSON in place of the table
npm start -- --decided FILE
  delivers the flagged briefs that a person has approved or amended; FILE is the one that the run has named
With OPENAI_API_KEY (OPENAI_BASE_URL, OPENAI_MODEL) set, that service is asked first.
Exits with 0 when documents were delivered, none was lost and none was delivered unchecked, in each run; else with 1.`;

// the providers end when this process does
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

try {
  const { folders, seed, ...options } = readArguments();
  if (options.help) console.log(usage);
  else if (options.decided !== undefined)
    for (const path of await deliverDecided(options.decided)) console.log(`delivered: ${path}`);
  else process.exitCode = (await main(folders, seed, options)) ? 0 : 1;
} catch (error) {
  console.error((error as Error).message);
  process.exit(1); // providers that have been started would keep it alive
}

async function main(
  folders: readonly string[],
  seed: number,
  options: { unprotected: boolean; json: boolean },
): Promise<boolean> {
  const { root, documents, refused } = await readFolders(folders);
  const folder = folders.join(" and ");
  const say = options.json ? () => {} : console.log;
  say(`${documents.length} documents of ${folder} (seed ${seed})`);
  say(
    `${providerNames.join(", ")}: model providers, each a process of this example's own; two at a time are out of order`,
  );
  for (const { path, reason } of refused) say(`refused: ${path}: ${reason}`);
  if (documents.length === 0) throw new Error(`There is no brief to be made of anything in ${folder}.`);

  const out = `briefs/${new Date().toISOString().replace(/[:.]/g, "-")}-seed-${seed}`;
  const runs = [await run("protected", { root, documents, seed, out })];
  if (options.unprotected) runs.push(await run("unprotected", { root, documents, seed, out: `${out}-unprotected` }));

  const figures = runs.map((each) => figuresOf(each, refused.length));
  console.log(options.json ? JSON.stringify({ seed, folder, out, refused, runs: figures }) : table(figures));
  for (const { name, audit } of runs) {
    if (audit.lost.length > 0) say(`lost ${name}: ${audit.lost.join(", ")}`);
    for (const { path, why } of audit.unchecked) say(`delivered unchecked ${name}: ${path}, ${why}`);
  }
  say(`The briefs are in ${out} (log/: what each provider answered)`);
  const flagged = runs[0]?.audit.flagged ?? new Map<string, string>();
  for (const [path, why] of flagged) say(`flagged: ${path}, ${why}`);
  if (flagged.size > 0) say(`They wait for a person. To look at them: ${howToLook(out)}`);
  return figures.every(({ delivered, lost, unchecked }) => delivered > 0 && lost + unchecked === 0);
}

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: "string" },
      unprotected: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      decided: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (positionals.length > 1) throw new Error(`One folder, please.\n${usage}`);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
  if (!Number.isInteger(seed)) throw new Error(`--seed wants a whole number.\n${usage}`);
  return { ...values, folders: positionals.length > 0 ? positionals : ["docs", inbox], seed };
}

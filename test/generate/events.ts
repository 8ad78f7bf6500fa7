// The page of events, read from the map that types them. `npm run docs:events` writes docs/events.md.
import { readFileSync, writeFileSync } from "node:fs";
import ts from "typescript";
import { severities } from "../../src/core/events.ts";

export const eventsFile = new URL("../../docs/events.md", import.meta.url);
const source = new URL("../../src/core/events.ts", import.meta.url);

export interface Told {
  readonly type: string;
  readonly when: string;
  readonly facts: readonly string[];
}

export function eventsOf(text = readFileSync(source, "utf8")): Told[] {
  const file = ts.createSourceFile("events.ts", text, ts.ScriptTarget.Latest, true);
  const map = file.statements.find((s) => ts.isInterfaceDeclaration(s) && s.name.text === "EventMap");
  if (!map || !ts.isInterfaceDeclaration(map)) throw new Error("there is no EventMap");
  const printer = ts.createPrinter({ removeComments: true });
  return map.members.flatMap((member) => {
    if (!ts.isPropertySignature(member) || !member.type || !ts.isTypeLiteralNode(member.type)) return [];
    const comments = ts.getJSDocCommentsAndTags(member).map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? "");
    const facts = member.type.members.map((fact) => printer.printNode(ts.EmitHint.Unspecified, fact, file));
    return [
      { type: (member.name as ts.StringLiteral).text, when: oneLine(comments.join(" ")), facts: facts.map(oneLine) },
    ];
  });
}

export function eventsPage(events: readonly Told[]): string {
  const nouns = Map.groupBy(events, ({ type }) => type.split(".")[0] as string);
  const tables = [...nouns].map(([noun, rows]) =>
    [`## ${noun}`, "", "| event | severity | when | facts |", "|---|---|---|---|", ...rows.map(row)].join("\n"),
  );
  return `${[head, ...tables, tail].join("\n\n")}\n`;
}

function row({ type, when, facts }: Told): string {
  const told = facts.map((fact) => `\`${fact.replace(/;$/, "").replaceAll("|", "\\|")}\``);
  return `| \`${type}\` | ${severities[type] ?? "info"} | ${when.replaceAll("|", "\\|")} | ${told.join("<br>") || "none"} |`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

const head = `# Events

Whatever happens is an event on one bus: what watches, alerts, logs or draws listens there, and nothing else is needed to see a call from outside. This page is
generated from \`src/core/events.ts\` by \`npm run docs:events\`.

\`\`\`ts
import { events, protect } from "holdfast";

const stop = events.on(["call.settled", "retry.scheduled"], (event) => {
  if (event.type === "retry.scheduled") console.log(event.name, "again, it was", event.kind);
  else console.log(event.name, event.state, "after", event.attempts, "attempts");
});

let tries = 0;
const shaky = async () => {
  if (++tries === 1) throw Object.assign(new Error("try later"), { status: 503 });
  return "ok";
};
await protect("shaky", shaky, { retry: { base: "1ms" } })();
// → shaky again, it was overloaded
// → shaky succeeded after 2 attempts
stop();
\`\`\`

Every event is a frozen object with these facts, and with its own beside them:

| fact | what it is |
|---|---|
| \`type\` | \`noun.pastTense\` |
| \`name\` | of the call |
| \`component\` | the policy's name, or the call's own |
| \`call\` | the id of the call's story; \`undefined\` for what no call did |
| \`at\` | when, in epoch milliseconds |
| \`severity\` | \`info\`, \`warning\` or \`critical\`: a constant of the type, which log levels and alerts read |
| \`labels\` | those of the call |

Durations end in \`Ms\`. Listeners are called at once, in the call's own async context; one that throws, or whose promise rejects, becomes \`listener.failed\`, and the
others still hear.`;

const tail = `## Your own

Add yours to the map, and the bus types them like the others:

\`\`\`ts
import { events } from "holdfast";

declare module "holdfast" {
  interface EventMap {
    "invoice.sent": { cents: number };
  }
}

events.on("invoice.sent", (event) => console.log(event.cents));
\`\`\``;

if (process.argv.includes("--write")) writeFileSync(eventsFile, eventsPage(eventsOf()));

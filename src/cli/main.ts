#!/usr/bin/env node
// The command `holdfast`.
import { review, UsageError, usage } from "./review.ts";
import { safe } from "./screen.ts";

const [command, ...args] = process.argv.slice(2);
const { stdin: input, stdout: output, env } = process;

try {
  if (command === undefined || command === "--help" || command === "-h") console.log(usage);
  else if (command !== "review") throw new UsageError(`There is no command "${command}".`);
  else await review(args, { input, output, editor: env.VISUAL || env.EDITOR || undefined });
} catch (error) {
  const { message } = error as Error;
  process.exitCode = error instanceof UsageError ? 2 : 1;
  console.error(error instanceof UsageError ? `${safe(message)}\n\n${usage}` : safe(message));
}

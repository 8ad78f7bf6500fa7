// What a command of this project is called with; what it does not know ends it with one line and exit code 2.
import { type ParseArgsConfig, parseArgs } from "node:util";

/** `usage`: the command as it is written. */
export function commandLine<const C extends ParseArgsConfig>(
  config: C,
  usage: string,
): ReturnType<typeof parseArgs<C>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const [what] = (error as Error).message.split(". "); // what else Node says is of commands in general
    return misused(`${what}.`, usage);
  }
}

export function misused(what: string, usage: string): never {
  console.error(`${what} Usage: ${usage}`);
  process.exit(2);
}

// What the compiler says to the mistakes that are made most: where it points, and with which words.
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Compiler, compilers, project, repository } from "../package/project.ts";

interface Mistake {
  readonly title: string;
  /** What is between the guillemets is where the compiler must point. */
  readonly code: string;
  readonly says: readonly string[];
}

const mistakes: readonly Mistake[] = [
  {
    title: "a typo in an option: the right one is proposed",
    code: `protect("user", fetchUser, { «retyr»: { attempts: 3 } });`,
    says: ["'retyr' does not exist in type 'ProtectOptions<", "Did you mean to write 'retry'?"],
  },
  {
    title: "a duration that is none",
    code: `protect("user", fetchUser, { retry: { attempts: 3 }, «timeout»: "2 secs" });`,
    says: [`Type '"2 secs"' is not assignable to type`, "Duration"],
  },
  {
    title: "a function of two arguments",
    code: `protect("query", «query»);`,
    says: [
      "is not assignable to parameter of type 'Operation<string, number>'",
      "Types of parameters 'params' and 'context' are incompatible",
    ],
  },
  {
    title: "a tier that takes another input",
    code: `protect("user", fetchUser, { fallback: [«async» (id: number) => ({ id: "1", name: "" })] });`,
    says: ["Types of parameters 'id' and 'input' are incompatible", "Type 'string' is not assignable to type 'number'"],
  },
  {
    title: "a tier that delivers something else",
    code: `protect("user", fetchUser, { fallback: [«async» () => 42] });`,
    says: ["Type '() => Promise<number>' is not assignable", "Type 'number' is not assignable to type 'User'"],
  },
  {
    title: "a breaker given as retry",
    code: `protect("user", fetchUser, { «retry»: breaker() });`,
    says: ["Type 'Breaker' is not assignable", `Type '"breaker"' is not assignable to type '"retry"'`],
  },
  {
    title: "a policy with a schema",
    code: `protect.with("users", { «input»: z.string() });`,
    says: ["'input' does not exist in type 'PolicyOptions<"],
  },
  {
    title: "a wrong input at the call",
    code: `protect("draft", async (brief) => brief.topic, { input: z.object({ topic: z.string() }) })({ «topic»: 1 });`,
    says: ["Type 'number' is not assignable to type 'string'"],
  },
  {
    title: "retries where attempts are counted",
    code: `retry({ «retries»: 3 });`,
    says: ["'retries' does not exist in type 'RetryOptions<"],
  },
  {
    title: "an event that does not exist",
    code: `events.on(«"breaker.exploded"», () => {});`,
    says: [`Argument of type '"breaker.exploded"' is not assignable to parameter of type`, "keyof EventMap"],
  },
];

const around = `import { breaker, events, protect, retry } from "holdfast";
import { z } from "zod";
interface User { id: string; name: string }
declare function fetchUser(id: string): Promise<User>;
declare function query(sql: string, params: string[]): Promise<number>;
void [breaker, events, protect, retry, z, fetchUser, query];
`;

function setup() {
  const site = project();
  for (const name of ["zod", "@types/node", "undici-types"]) site.install(name);
  site.write(
    Object.fromEntries(mistakes.map(({ code }, i) => [`mistake${i}.ts`, around + code.replaceAll(/[«»]/g, "")])),
  );
  const options = {
    extends: join(repository, "tsconfig.json"),
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
  };
  const files = mistakes.map((_, i) => `mistake${i}.ts`);
  return { site, compile: (compiler: Compiler) => site.compile(compiler, options, files) };
}

/** The errors of one file of the compiler's output: where, and all that is said. */
function errorsIn(output: string, file: string) {
  const found = output.matchAll(/^(\S+)\((\d+),(\d+)\): error TS\d+: (.*(?:\n {2}.*)*)/gm);
  return [...found]
    .filter(([, at]) => at === file)
    .map(([, , line, column, says]) => ({ line: Number(line), column: Number(column), says: says ?? "" }));
}

describe.each(Object.keys(compilers) as Compiler[])(
  "TypeScript %s points at the mistake, and at nothing else:",
  async (compiler) => {
    const { site, compile } = setup();
    afterAll(site.remove);
    const output = await compile(compiler);

    it.each(mistakes.map((mistake, i) => ({ ...mistake, file: `mistake${i}.ts` })))(
      "$title",
      ({ code, says, file }) => {
        const errors = errorsIn(output, file);
        expect(
          errors.map(({ line, column }) => ({ line, column })),
          output,
        ).toEqual([{ line: around.split("\n").length, column: code.indexOf("«") + 1 }]);
        for (const fragment of says) expect(errors[0]?.says).toContain(fragment);
      },
    );
  },
);

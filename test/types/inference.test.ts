import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Compiler, compilers, project, repository } from "../package/project.ts";

describe("the types of input and result come from the function alone, with no type argument, and a generic function stays generic", {
  timeout: 120_000,
}, () => {
  const site = project();
  afterAll(site.remove);
  const inference = join(repository, "test/types/inference.ts");
  const typeRoots = [join(repository, "node_modules/@types")]; // the test's project stands elsewhere
  const options = { extends: join(repository, "tsconfig.json"), compilerOptions: { typeRoots } };

  it.each(Object.keys(compilers) as Compiler[])("to TypeScript %s", async (compiler) => {
    expect(await site.compile(compiler, options, [inference])).toBe("");
  });
});

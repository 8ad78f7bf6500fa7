// The call sites that were agreed on before there was a library: they compile as they stand, against the sources and against the package.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Compiler, compilers, packed, project, repository } from "../package/project.ts";

const agreed = "d739de6ff3862b8c5b4f7900e1a05e525c14236463c05409dfbdda0d54477156";

/** The options that were agreed on with them. */
const options = {
  compilerOptions: {
    ...{ strict: true, exactOptionalPropertyTypes: true, module: "nodenext", target: "es2024" },
    ...{ lib: ["es2024", "dom"], types: ["node"], noEmit: true, skipLibCheck: true },
  },
};

async function setup() {
  const site = project();
  await packed(site);
  for (const name of ["openai", "@types/node", "undici-types"]) site.install(name);
  const use = readFileSync(new URL("use.ts", import.meta.url), "utf8");
  const load = readFileSync(new URL("useLoad.ts", import.meta.url), "utf8");
  site.write({ "use.ts": use, "useLoad.ts": load });
  return { site, use };
}

describe("the call sites", { timeout: 120_000 }, async () => {
  const { site, use } = await setup();
  afterAll(site.remove);

  it("are those that were agreed on, letter for letter, but for where they import from", () => {
    const original = use
      .replace('import { defineWrapper } from "holdfast"; import { testClock,', "import { defineWrapper, testClock,")
      .replaceAll(/"holdfast(\/testing)?"/g, '"./core.js"');
    expect(createHash("sha256").update(original).digest("hex")).toBe(agreed);
  });

  it.each(Object.keys(compilers) as Compiler[])("compile against the package with TypeScript %s", async (compiler) => {
    expect(await site.compile(compiler, options, ["use.ts", "useLoad.ts"])).toBe("");
  });

  it.each(Object.keys(compilers) as Compiler[])("compile against the sources with TypeScript %s", async (compiler) => {
    const config = join(repository, "test/types/tsconfig.json");
    expect(await site.compile(compiler, { extends: config }, [join(repository, "test/types/use.ts")])).toBe("");
  });

  it("would not compile if a call site were refused less than it says", async () => {
    site.write({ "lenient.ts": use.replace('"2 secs"', '"2s"') });
    expect(await site.compile("7.0", options, ["lenient.ts"])).toContain("Unused '@ts-expect-error' directive");
  });
});

// The packed tarball in the hands of those who install it: compiled, imported, required.
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Compiler, compilers, packed, project } from "./project.ts";

/** Uses a little of everything; `fetchUser` keeps its types with no type argument. */
const consumer = `import { type CallContext, breaker, events, HoldfastError, pipe, protect, retry, standard, timeout } from "holdfast";
import { log } from "holdfast/pino";
import { serveReviews, syncReviews } from "holdfast/review";
import { record, script, testClock } from "holdfast/testing";
declare module "holdfast" { interface EventMap { "invoice.sent": { cents: number } } }
interface User { id: string }
const fetchUser = async (id: string, context: CallContext): Promise<User> => ({ id: id + context.attempt });
export const user = protect("user", fetchUser, { ...standard, retry: { attempts: 2 } });
export const name = user("x").then((found) => found.id.length);
export const byHand = pipe(fetchUser, timeout("2s"), breaker(), retry());
export const id: Promise<User> = byHand("x");
events.on("invoice.sent", (event) => event.cents.toFixed());
export const quiet = log(events, console);
export const opened = [serveReviews("a.sock").then(({ close }) => close()), syncReviews("a.json")];
export const seen = [record(), script<number>({ value: 1 }), testClock(), HoldfastError.is(undefined)];
// @ts-expect-error the input is a string
user(1);
`;

const strictest = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
};
const lib = ["es2024", "dom", "esnext.disposable"];
const worlds = {
  node20: { options: { module: "node20", lib, types: ["node"] }, files: ["esm.ts", "cjs.cts"] },
  nodenext: { options: { module: "nodenext", lib, types: ["node"] }, files: ["esm.ts", "cjs.cts"] },
  bundler: { options: { module: "preserve", moduleResolution: "bundler", lib, types: ["node"] }, files: ["esm.ts"] },
  "nodenext without the types of Node": { options: { module: "nodenext", lib, types: [] }, files: ["esm.ts"] },
};

async function setup() {
  const site = project();
  const home = await packed(site);
  for (const name of ["@types/node", "undici-types"]) site.install(name);
  site.write({ "esm.ts": consumer, "cjs.cts": consumer });
  return { site, home };
}

describe("the packed tarball", { timeout: 120_000 }, async () => {
  const { site, home } = await setup();
  afterAll(site.remove);

  describe.each(Object.entries(worlds))("compiles in a consumer of %s", (_, { options, files }) => {
    it.each(Object.keys(compilers) as Compiler[])(
      "with TypeScript %s, libraries checked, no optional peer installed",
      async (compiler) => {
        const compilerOptions = { target: "es2022", ...strictest, ...options };
        expect(await site.compile(compiler, { compilerOptions }, files)).toBe("");
      },
    );
  });

  it("would not compile if the input's type were lost", async () => {
    site.write({ "lenient.ts": consumer.replace("user(1)", 'user("1")') });
    expect(
      await site.compile("7.0", { compilerOptions: { ...strictest, ...worlds.nodenext.options } }, ["lenient.ts"]),
    ).toContain("Unused '@ts-expect-error'");
  });

  it("is imported, without a warning", async () => {
    site.write({ "import.mjs": 'import { protect } from "holdfast"; console.log(typeof protect);' });
    expect(await site.node("import.mjs")).toEqual({ code: 0, stdout: "function\n", stderr: "" });
  });

  it("is required, without a warning", async () => {
    expect(await site.node("-e", 'console.log(typeof require("holdfast").protect)')).toEqual({
      code: 0,
      stdout: "function\n",
      stderr: "",
    });
  });

  it("is one module, imported and required", async () => {
    site.write({
      "both.mjs": `import { createRequire } from "node:module";
        import { protect } from "holdfast";
        console.log(typeof protect, createRequire(import.meta.url)("holdfast").protect === protect);`,
    });
    expect((await site.node("both.mjs")).stdout).toBe("function true\n");
  });

  it("is one system in two copies: `HoldfastError.is` knows the other's errors, and one bus hears both", async () => {
    cpSync(home, join(site.dir, "node_modules/other/node_modules/holdfast"), { recursive: true });
    site.write({
      "node_modules/other/package.json": '{ "name": "other", "type": "module", "exports": "./index.js" }',
      "node_modules/other/index.js": 'export * from "holdfast";',
      "copies.mjs": `import * as mine from "holdfast";
        import * as other from "other";
        const heard = [];
        mine.events.on("call.settled", (event) => heard.push(event.name, event.state));
        const call = other.protect("slow", () => new Promise(() => {}), { timeout: 1 });
        const error = await call().catch((error) => error);
        console.log(mine.protect === other.protect, error instanceof mine.HoldfastError, mine.HoldfastError.is(error), mine.HoldfastError.is(error, "TIMEOUT"), mine.HoldfastError.is(error, "BREAKER_OPEN"));
        console.log(heard.join(" "), mine.storyOf(error)?.state, mine.stories.recent().length);`,
    });
    const { stdout, stderr } = await site.node("copies.mjs");
    expect(stderr).toBe("");
    expect(stdout).toBe("false false true true false\nslow timedOut timedOut 1\n");
  });

  it("loads zod, p-retry, opossum and lru-cache, and no more", async () => {
    // Without its optional peers: they are not installed here, so that loading one would also fail.
    site.write({
      "trace.mjs": `import { registerHooks } from "node:module";
        const packages = new Set();
        registerHooks({ load(url, context, next) { packages.add(url.match(/node_modules\\/((?:@[^/]+\\/)?[^/]+)(?!.*node_modules)/)?.[1]); return next(url, context); } });
        await import("holdfast");
        console.log(JSON.stringify([...packages].filter(Boolean).sort()));`,
    });
    const { stdout, stderr } = await site.node("trace.mjs");
    expect(stderr).toBe("");
    const brought = ["is-network-error"]; // by p-retry
    expect(JSON.parse(stdout)).toEqual([...brought, "holdfast", "lru-cache", "opossum", "p-retry", "zod"].sort());
  });

  it("has no optional peer, and no types of its tests' tools, in what it declares", () => {
    const { exports } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
    const seen = new Set<string>();
    const walk = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const [, specifier = ""] of readFileSync(file, "utf8").matchAll(/(?:from|import)\s*\(?"([^"]+)"/g))
        if (specifier.startsWith(".")) walk(join(file, "..", specifier.replace(/\.[jt]s$/, ".d.ts")));
        else seen.add(specifier);
    };
    walk(join(home, exports["."].types));
    const packages = [...seen].filter((name) => !name.startsWith("/"));
    expect(packages.filter((name) => !["@standard-schema/spec", "zod"].includes(name))).toEqual([]);
  });

  it("has the command `holdfast`", async () => {
    const { bin } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
    const command = join(home, bin.holdfast);
    expect(readFileSync(command, "utf8").startsWith("#!/usr/bin/env node\n")).toBe(true);
    expect(await site.node(command, "--help")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("holdfast review"),
      stderr: "",
    });
    expect(await site.node(command, "review", "none.json")).toMatchObject({ code: 1, stdout: "" });
  });

  it("has every file that `exports` names, and nothing but the library and its papers", () => {
    const manifest = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
    const named = Object.values<string | Record<string, string>>(manifest.exports).flatMap((entry) =>
      typeof entry === "string" ? entry : Object.values(entry),
    );
    expect([...named, manifest.main, manifest.types].filter((file) => !existsSync(join(home, file)))).toEqual([]);
    expect(existsSync(join(home, "src"))).toBe(false);
    expect(existsSync(join(home, "test"))).toBe(false);
    expect(manifest.sideEffects).toBe(false);
  });
});

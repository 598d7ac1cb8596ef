// Writes what is derived from src/schemas/*.schema.json:
//   types.ts       committed; `--check` fails where it differs from what would be written
//   validators.js, record-validator.js  built on demand, ignored by git: ajv validators compiled ahead of time
import { readFileSync, readdirSync, writeFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Ajv from "ajv";
import standaloneCode from "ajv/dist/standalone/index.js";
import addFormats from "ajv-formats";
import { build } from "esbuild";
import { compile } from "json-schema-to-typescript";
import * as prettier from "prettier";

const folder = fileURLToPath(new URL("../src/schemas/", import.meta.url));
const documents = ["fragment", "manifest", "plan", "product", "record", "template", "workspace"];
const schemas = readdirSync(folder)
  .filter((name) => name.endsWith(".schema.json"))
  .sort()
  .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));

/**
 * `$ref`s between files become refs inside one schema, so that a type shared by two documents is declared once.
 * A `$ref`'s siblings are dropped: draft-07 ignores them, and they would make a second type of the same shape.
 */
function inline(node) {
  if (Array.isArray(node)) return node.map(inline);
  if (node === null || typeof node !== "object") return node;
  if (typeof node.$ref === "string") {
    const [file, pointer] = node.$ref.split("#");
    return { $ref: pointer ? `#${pointer}` : `#/definitions/${file.replace(".schema.json", "")}` };
  }
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => !["$schema", "$id", "definitions"].includes(key))
      .map(([key, value]) => [key, inline(value)]),
  );
}

/** TypeScript for every document, one declaration a type. */
async function types() {
  const definitions = {};
  for (const schema of schemas) {
    const own = { [schema.$id.replace(".schema.json", "")]: schema, ...schema.definitions };
    for (const [name, value] of Object.entries(own)) {
      if (name in definitions) throw new Error(`two definitions named ${name}`);
      definitions[name] = inline(value);
    }
  }
  const properties = Object.fromEntries(documents.map((name) => [name, { $ref: `#/definitions/${name}` }]));
  const all = { title: "Documents", type: "object", properties, required: documents, definitions };
  const text = await compile(all, "Documents", {
    bannerComment: "// Generated from *.schema.json by `npm run generate`: change those, not this.",
    format: false,
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
  });
  const config = await prettier.resolveConfig(join(folder, "types.ts"));
  return prettier.format(text, { ...config, parser: "typescript" });
}

/** A self-contained ES module that exports a validate function for each of the documents. */
async function validators(names) {
  const ajv = new Ajv({
    schemas,
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    strictTypes: false,
    inlineRefs: false,
    code: { source: true, esm: true, optimize: 2 },
  });
  addFormats(ajv, ["date-time", "regex"]);
  const code = standaloneCode(ajv, Object.fromEntries(names.map((name) => [name, `${name}.schema.json`])));
  const bundled = await build({
    stdin: { contents: code, resolveDir: folder, loader: "js" },
    bundle: true,
    format: "esm",
    platform: "node",
    minifySyntax: true,
    write: false,
  });
  return bundled.outputFiles[0].text;
}

const check = process.argv.includes("--check");
const typesFile = join(folder, "types.ts");
const wanted = await types();
if (check) {
  if (!existsSync(typesFile) || readFileSync(typesFile, "utf8") !== wanted) {
    console.error("src/schemas/types.ts differs from the schemas; fix: npm run generate");
    process.exit(1);
  }
} else {
  writeFileSync(typesFile, wanted);
  writeFileSync(
    join(folder, "validators.js"),
    await validators(documents.filter((name) => name !== "record")),
  );
  writeFileSync(join(folder, "record-validator.js"), await validators(["record"]));
}

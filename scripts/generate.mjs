// Writes what is derived from schemas. From src/schemas/*.schema.json:
//   types.ts       committed; `--check` fails where it differs from what would be written
//   validators.js, record-validator.js  built on demand, ignored by git: ajv validators compiled ahead of time
// and from the schemas that @cyclonedx/cyclonedx-library ships:
//   src/sbom/cyclonedx-validator.js     likewise; made anew only where what it is made from has changed
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Ajv, { _ } from "ajv";
import standaloneCode from "ajv/dist/standalone/index.js";
import addFormats from "ajv-formats";
import addDraft2019Formats from "ajv-formats-draft2019";
import { build } from "esbuild";
import { compile } from "json-schema-to-typescript";
import * as prettier from "prettier";

const folder = fileURLToPath(new URL("../src/schemas/", import.meta.url));
const documents = [
  "event",
  "fragment",
  "local",
  "lock",
  "manifest",
  "plan",
  "policy",
  "pool",
  "product",
  "record",
  "record-1",
  "template",
  "workspace",
];
/** Forms of records: their validators are loaded where a record is to be checked. */
const records = ["record", "record-1"];
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
  const code = standaloneCode(
    ajv,
    Object.fromEntries(names.map((name) => [name.replace("-", "_"), `${name}.schema.json`])),
  );
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

const cyclonedxFolder = fileURLToPath(
  new URL("../node_modules/@cyclonedx/cyclonedx-library/res/schema/", import.meta.url),
);
const readCyclonedx = (name) => readFileSync(join(cyclonedxFolder, `${name}.SNAPSHOT.schema.json`), "utf8");

/**
 * The formats that the CycloneDX schema uses, as the library's validator has them. An SBOM names few mail addresses
 * many times, nearly all of them plain: only the others go through the parser of RFC 5321, and each of them once.
 */
const CYCLONEDX_FORMATS = `
const parses = require("ajv-formats-draft2019/formats/idn-email");
const label = "[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*";
const plain = new RegExp(
  "^[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*@(?:" + label + "[.])+[A-Za-z][A-Za-z0-9]+$",
);
const known = new Map();
const isEmail = (text) => {
  if (text.length <= 64 && plain.test(text)) return true;
  let found = known.get(text);
  if (found === undefined) {
    found = parses(text);
    if (text.length <= 256 && known.size < 1000) known.set(text, found);
  }
  return found;
};
module.exports = { ...require("ajv-formats/dist/formats").fullFormats, "idn-email": isEmail };
`;

/** Keywords of a schema that check nothing, and are most of its text. */
const ANNOTATIONS = new Set(["title", "description", "examples", "meta:enum", "$comment", "deprecated"]);
const OF_SCHEMAS = new Set(["properties", "patternProperties", "definitions"]);

function withoutAnnotations(schema) {
  if (Array.isArray(schema)) return schema.map(withoutAnnotations);
  if (schema === null || typeof schema !== "object") return schema;
  const strip = ([key, value]) => {
    if (["enum", "const", "default", "required"].includes(key)) return [key, value];
    if (!OF_SCHEMAS.has(key)) return [key, withoutAnnotations(value)];
    const named = Object.entries(value).map(([name, one]) => [name, withoutAnnotations(one)]);
    return [key, Object.fromEntries(named)];
  };
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => !ANNOTATIONS.has(key))
      .map(strip),
  );
}

/** The library's own strict validator of CycloneDX 1.6 (_optPlug.node/__jsonValidators/ajv.js), compiled ahead of time. */
async function cyclonedxValidator() {
  const read = (name) => withoutAnnotations(JSON.parse(readCyclonedx(name)));
  const beside = ["spdx", "cryptography-defs", "jsf-0.82"].map((name) => [
    `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`,
    read(name),
  ]);
  const ajv = new Ajv({
    useDefaults: false,
    strict: false,
    strictSchema: false,
    addUsedSchema: false,
    schemas: Object.fromEntries(beside),
    inlineRefs: false,
    code: { source: true, esm: true, optimize: 2, formats: _`require("cyclonedx-formats")` },
  });
  addFormats(ajv);
  addDraft2019Formats(ajv, { formats: ["idn-email"] });
  ajv.addFormat("iri-reference", true);
  const bundled = await build({
    stdin: { contents: standaloneCode(ajv, ajv.compile(read("bom-1.6"))), resolveDir: folder, loader: "js" },
    bundle: true,
    format: "esm",
    platform: "node",
    minify: true,
    write: false,
    legalComments: "none",
    plugins: [
      {
        name: "cyclonedx-formats",
        setup: (setup) => {
          setup.onResolve({ filter: /^cyclonedx-formats$/ }, ({ path }) => ({ path, namespace: "formats" }));
          setup.onLoad({ filter: /.*/, namespace: "formats" }, () => ({
            contents: CYCLONEDX_FORMATS,
            resolveDir: folder,
          }));
        },
      },
    ],
  });
  return bundled.outputFiles[0].text;
}

/** Writes the CycloneDX validator, a second's work, where its first line names other sources than there now are. */
async function writeCyclonedxValidator() {
  const hash = createHash("sha256");
  for (const name of ["bom-1.6", "spdx", "cryptography-defs", "jsf-0.82"]) hash.update(readCyclonedx(name));
  const lock = new URL("../package-lock.json", import.meta.url);
  for (const file of [fileURLToPath(import.meta.url), lock]) hash.update(readFileSync(file));
  const line = `// Made by scripts/generate.mjs from sources with this SHA-256: ${hash.digest("hex")}\n`;
  const file = fileURLToPath(new URL("../src/sbom/cyclonedx-validator.js", import.meta.url));
  if (existsSync(file) && readFileSync(file, "utf8").startsWith(line)) return;
  writeFileSync(file, line + (await cyclonedxValidator()));
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
    // Nobody writes an event by hand: its schema is for readers.
    await validators(documents.filter((name) => ![...records, "event"].includes(name))),
  );
  writeFileSync(join(folder, "event-validator.js"), await validators(["event"]));
  writeFileSync(join(folder, "record-validator.js"), await validators(records));
  await writeCyclonedxValidator();
}

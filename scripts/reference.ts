// Writes docs/reference/: one page for each kind of document that people write, from its schema.
//   npm run reference    test/unit/reference-doc.test.ts fails if a page differs from what this would write
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { descriptionOf, fieldsOf, schemasAt, wantedBy } from "../src/catalog/schema-words.ts";
import { writeWhole } from "../src/files/write-whole.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The pages: where such a document lies, an example of one in this repository, and where more is said about it. */
const PAGES: Record<string, { place: string; example: string; more?: string }> = {
  workspace: { place: "factory.yaml", example: "examples/services/factory.yaml", more: "manifests.md" },
  local: { place: "factory.local.yaml, which git ignores", example: "", more: "secrets.md" },
  manifest: {
    place: "manifests/<manifest_id>.yaml",
    example: "manifests/llm_factory.yaml",
    more: "manifests.md",
  },
  fragment: {
    place: "fragments/<name>/<version>/fragment.yaml",
    example: "fragments/model_serve_mock/0.1.0/fragment.yaml",
    more: "template-language.md",
  },
  template: {
    place: "templates/<id>/<version>/template.yaml",
    example: "templates/llm_factory/0.1.0/template.yaml",
    more: "template-language.md",
  },
  plan: {
    place: "control_plane/plans/<plan_id>.yaml",
    example: "control_plane/plans/incompatible_core_light.yaml",
    more: "plans.md",
  },
  policy: {
    place: "control_plane/policies/<policy_id>.yaml",
    example: "control_plane/policies/release.yaml",
    more: "publish.md",
  },
  pool: { place: "control_plane/pools/<pool_id>.yaml", example: "control_plane/pools/gpu.yaml" },
  product: {
    place: "control_plane/products/<product_id>.yaml",
    example: "control_plane/products/llm_factory.yaml",
    more: "tags.md",
  },
  smoke: { place: "`smoke:` of manifests and fragments", example: "", more: "smoke.md" },
};

type Step = string | number;

/** Stands for any name in a mapping whose names are free, and for any entry of a list. */
const ANY = "<name>";

function label(path: readonly Step[]): string {
  return path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[]` : `${text}${text === "" ? "" : "."}${step}`),
    "",
  );
}

/** The nearest description: what a shared definition says is less exact. */
const described = (schemas: ReturnType<typeof schemasAt>) =>
  descriptionOf(schemas.filter(({ description }) => description !== undefined).slice(0, 1));

/** What a value has to be, each alternative once. */
const wanted = (schemas: ReturnType<typeof schemasAt>) =>
  [...new Set(wantedBy(schemas).split(", or "))].join(", or ");

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function isRequired(kind: string, path: readonly Step[], field: string): boolean {
  return schemasAt(kind, [...path]).some((schema) => {
    const { required } = schema as { required?: string[] };
    return required?.includes(field) ?? false;
  });
}

/** The rows of all fields below a path, each field before those in it. */
function rowsBelow(kind: string, path: readonly Step[]): string[] {
  return [...new Set(fieldsOf(schemasAt(kind, [...path])))].flatMap((field) => {
    const at = [...path, field];
    const schemas = schemasAt(kind, at);
    const must = isRequired(kind, path, field) ? "**required** " : "";
    const row = `| \`${label(at)}\` | ${cell(wanted(schemas))} | ${cell(`${must}${described(schemas)}`)} |`;
    if (field === "smoke" && kind !== "smoke")
      return [`| \`${label(at)}\` | a list | [Smoke tests](smoke.md) |`];
    return [row, ...rowsIn(kind, at)];
  });
}

/** The rows of what is in a value: the fields of a mapping, of a list's entries, or of a mapping's values. */
function rowsIn(kind: string, path: readonly Step[]): string[] {
  if (path.length > 8) return [];
  const open = (schemas: ReturnType<typeof schemasAt>) =>
    schemas.flatMap((schema) => [schema, ...(schema.anyOf ?? [])]);
  const here = open(schemasAt(kind, [...path]));
  const isList = here.some(({ items }) => items !== undefined);
  const isFree = here.some(({ additionalProperties }) => typeof additionalProperties === "object");
  return [
    ...(here.some(({ properties }) => properties) || fieldsOf(here).length > 0 ? rowsBelow(kind, path) : []),
    ...(isList ? rowsIn(kind, [...path, 0]) : []),
    ...(isFree ? rowsIn(kind, [...path, ANY]) : []),
  ];
}

/** The text of one page. */
function page(kind: string): string {
  const { place, example, more } = PAGES[kind] ?? { place: "", example: "" };
  const schemas = schemasAt(kind, []);
  const rows = kind === "smoke" ? rowsIn(kind, []) : rowsBelow(kind, []);
  const shown =
    example === "" ? "" : readFileSync(join(root, example), "utf8").replace(/^# yaml-language.*\n/, "");
  return [
    `# ${kind === "smoke" ? "Smoke tests" : kind.charAt(0).toUpperCase() + kind.slice(1)}`,
    "",
    `<!-- written by npm run reference from src/schemas/${kind}.schema.json -->`,
    "",
    `${described(schemas)}${more === undefined ? "" : ` [More](../${more}).`}`,
    "",
    `Place: ${place.includes("`") ? place : `\`${place}\``}`,
    "",
    ...(shown === "" ? [] : ["```yaml", `# ${example}`, shown.trimEnd(), "```", ""]),
    "| field | what it is | meaning |",
    "|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

/** Every page by its path from the repository's root. */
export function referencePages(): Record<string, string> {
  const index = [
    "# Reference",
    "",
    "<!-- written by npm run reference -->",
    "",
    "Every field of every document that people write.",
    "",
    "| document | place |",
    "|---|---|",
    ...Object.entries(PAGES).map(
      ([kind, { place }]) => `| [${kind}](${kind}.md) | ${place.includes("`") ? place : `\`${place}\``} |`,
    ),
    "",
  ].join("\n");
  return {
    "docs/reference/README.md": index,
    ...Object.fromEntries(Object.keys(PAGES).map((kind) => [`docs/reference/${kind}.md`, page(kind)])),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const [file, text] of Object.entries(referencePages())) writeWhole(join(root, file), text, false);
}

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A base that names its digest, so that planning with records asks no engine. */
const BASE = `debian@sha256:${"d".repeat(64)}`;

function write(root: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

const names = (count: number) =>
  Array.from({ length: count }, (_, at) => `part${String(at).padStart(2, "0")}`);
const versions = (count: number) => Array.from({ length: count }, (_, at) => `0.${at}.0`);

/**
 * A workspace of `fragments` fragments in `each` versions, every one with a file that it copies, and plans: `wide-K` is the
 * product of the first K fragments, `pairs` is pairwise over all of them.
 */
export function writeWide(root: string, fragments: number, each: number): void {
  const all = names(fragments);
  write(root, {
    "factory.yaml":
      "schema_version: 1\nrepository: factory-bench\ncache: {repository: 127.0.0.1:5000/factory-bench/cache}\n",
    "templates/wide/0.1.0/template.yaml": `schema_version: 1\ntemplate_id: wide\nversion: 0.1.0\nslots: [${all.map((name) => `{name: ${name}}`).join(", ")}]\n`,
    "templates/wide/0.1.0/Dockerfile.hbs": `FROM {{base}} AS base\n\n${all.map((name) => `{{slot "${name}"}}`).join("\n\n")}\n\nFROM {{last}} AS image\n{{labels}}\n`,
    "manifests/wide.yaml": `schema_version: 1\nmanifest_id: wide\ntemplate: wide@0.1.0\nbase: ${BASE}\nplatforms: [linux/amd64]\nfragments: {${all.map((name) => `${name}: 0.0.0`).join(", ")}}\n`,
  });
  for (const [at, name] of all.entries()) {
    for (const version of versions(each)) {
      write(root, {
        [`fragments/${name}/${version}/fragment.yaml`]: `schema_version: 1\nname: ${name}\nversion: ${version}\norder: ${10 * (at + 1)}\nargs: {mode: {type: string, default: plain}}\nsmoke: [{id: there, command: {argv: [test, -f, /${name}]}}]\n`,
        [`fragments/${name}/${version}/Dockerfile.hbs`]: `COPY {{file "data.txt"}} /${name}\nRUN echo {{quote args.mode}} ${name} ${version} >> /versions && sort -o /versions /versions\n`,
        [`fragments/${name}/${version}/data.txt`]: `${name} ${version}\n`,
      });
    }
  }
  const axis = `[${versions(each).join(", ")}]`;
  const plan = (id: string, count: number, more = "") => ({
    [`control_plane/plans/${id}.yaml`]: `schema_version: 1\nplan_id: ${id}\nmanifest_id: wide\naxes: {${all
      .slice(0, count)
      .map((name) => `${name}: ${axis}`)
      .join(", ")}}\n${more}`,
  });
  write(root, plan("pairs", fragments, "strategy: pairwise\n"));
  for (let count = 2; count <= Math.min(5, fragments); count += 1) write(root, plan(`wide-${count}`, count));
}

/** A workspace with a plan `args`: pairwise over so many arguments of one fragment, of so many values each. */
export function writeArgs(root: string, axes: number, values: number): void {
  const all = names(axes);
  const list = `[${Array.from({ length: values }, (_, at) => at).join(", ")}]`;
  write(root, {
    "factory.yaml": "schema_version: 1\nrepository: factory-bench\n",
    "templates/one/0.1.0/template.yaml":
      "schema_version: 1\ntemplate_id: one\nversion: 0.1.0\nslots: [{name: app}]\n",
    "templates/one/0.1.0/Dockerfile.hbs":
      'FROM {{base}} AS base\n\n{{slot "app"}}\n\nFROM {{last}} AS image\n{{labels}}\n',
    "manifests/one.yaml": `schema_version: 1\nmanifest_id: one\ntemplate: one@0.1.0\nbase: ${BASE}\nplatforms: [linux/amd64]\nfragments: {app: 0.1.0}\n`,
    "fragments/app/0.1.0/fragment.yaml": `schema_version: 1\nname: app\nversion: 0.1.0\norder: 10\nargs: {${all.map((name) => `${name}: {type: integer, default: 0}`).join(", ")}}\n`,
    "fragments/app/0.1.0/Dockerfile.hbs": `RUN echo ${all.map((name) => `{{args.${name}}}`).join(" ")} > /app\n`,
    "control_plane/plans/args.yaml": `schema_version: 1\nplan_id: args\nmanifest_id: one\naxes: {args: {${all.map((name) => `${name}: ${list}`).join(", ")}}}\nstrategy: pairwise\n`,
  });
}

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** How many manifests are above each other in the graph. */
const LEVELS = 6;

/** The number of the manifest that one starts from in a graph of six levels; null for one of the first level. */
function parentOf(number: number, count: number): number | null {
  const width = Math.ceil(count / LEVELS);
  return number < width ? null : number - width;
}

/**
 * Writes a workspace of manifests with a plan each: all on an image, or in a graph of six levels. Both have the same
 * fragments and arguments.
 */
export function writeFamily(folder: string, count: number, kind: "flat" | "graph"): void {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write("factory.yaml", "schema_version: 1\nrepository: factory-bench\n");
  write(
    "templates/one/0.1.0/template.yaml",
    "schema_version: 1\ntemplate_id: one\nversion: 0.1.0\nslots: [{name: core}, {name: app}]\n",
  );
  write(
    "templates/one/0.1.0/Dockerfile.hbs",
    'FROM {{base}} AS base\n\n{{slot "core"}}\n\n{{slot "app"}}\n\nFROM {{last}} AS image\n{{labels}}\n',
  );
  for (const [at, name] of ["core", "app"].entries()) {
    write(
      `fragments/${name}/0.1.0/fragment.yaml`,
      `schema_version: 1\nname: ${name}\nversion: 0.1.0\norder: ${at}\nargs: {${name}_word: {type: string, default: x}}\n`,
    );
    write(`fragments/${name}/0.1.0/Dockerfile.hbs`, `RUN echo {{quote args.${name}_word}} >> /${name}\n`);
  }
  for (let number = 0; number < count; number += 1) {
    const parent = kind === "flat" ? null : parentOf(number, count);
    const base = parent === null ? "debian:bookworm-slim" : `{manifest: m${parent}}`;
    write(
      `manifests/m${number}.yaml`,
      `schema_version: 1\nmanifest_id: m${number}\ntemplate: one@~0.1\nbase: ${base}\nfragments: {core: ~0.1, app: ~0.1}\nargs: {app_word: w${number}}\n`,
    );
    write(
      `control_plane/plans/p${number}.yaml`,
      `schema_version: 1\nplan_id: p${number}\nmanifest_id: m${number}\n`,
    );
  }
}

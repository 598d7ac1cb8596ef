import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CI_SYSTEMS } from "../../src/ci/detect.ts";
import { STAGES } from "../../src/pipeline/table.ts";
import { FORMAT_NAMES } from "../../src/plan/formats/formats.ts";
import { createProgram } from "../../src/program.ts";
import { CATALOGERS } from "../../src/sbom/catalogers/catalogers.ts";
import { KINDS } from "../../src/smoke/kinds/kinds.ts";
import { repository } from "./workspace.ts";

const read = (path: string) => readFileSync(join(repository, path), "utf8");

/** Names of the files in a folder of src/ whose text matches, without `.ts`. */
function filesWith(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(repository, folder))
    .filter((name) => pattern.test(read(`${folder}/${name}`)))
    .map((name) => name.replace(/\.ts$/, ""))
    .sort();
}

const unused = () => {
  throw new Error("nothing is called");
};
const verbs = createProgram(unused, unused).commands.map((command) => command.name());

/** What can be added, by the words of docs/architecture.md: the names that its map has, and the files that stand there. */
const SEAMS: Record<string, { names: readonly string[]; files: readonly string[] }> = {
  "a verb": {
    names: verbs.filter((name) => !name.startsWith("_")),
    files: filesWith("src/commands", /^export const \w+Verb: Verb =/m).map((name) => name.slice(0, -5)),
  },
  "a stage of an attempt": {
    names: STAGES.map(({ name }) => name),
    files: filesWith("src/pipeline", /^export const \w+: Stage =/m),
  },
  "a kind of smoke test": {
    names: Object.keys(KINDS),
    files: filesWith("src/smoke/kinds", /^export const \w+: Kind</m),
  },
  "a cataloger": {
    names: Object.keys(CATALOGERS).map((type) => ({ deb: "dpkg", pypi: "python" })[type] ?? type),
    files: filesWith("src/sbom/catalogers", /^export const \w+: Cataloger =/m),
  },
  "a format of `factory plan`": {
    names: FORMAT_NAMES.filter((name) => !(name in CI_SYSTEMS)),
    files: filesWith("src/plan/formats", /^export const write: WriteFormat =/m),
  },
  "a CI system": {
    names: Object.keys(CI_SYSTEMS),
    files: filesWith("src/ci", /satisfies CiSystem;$/m),
  },
};

const page = read("docs/architecture.md");
const rows = page
  .slice(page.indexOf("## How to add"))
  .split("\n")
  .filter((line) => /^\| an? /.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()));

describe("docs/architecture.md, how to add", () => {
  it("names every seam", () => {
    expect(rows.map(([, what]) => what)).toEqual(Object.keys(SEAMS));
  });

  it.each(rows)("%s %s takes at most three files", (...row) => {
    const paths = row.flatMap((cell) => cell.match(/src\/[^`]+/g) ?? []);
    expect(paths.length).toBeGreaterThan(1);
    expect(paths.length).toBeLessThanOrEqual(3);
    for (const path of paths)
      expect(existsSync(join(repository, path.replace(/[^/]*<.*/, ""))), path).toBe(true);
    const [, map = "", file = ""] = /^`(\w+)` in `(.+)`$/.exec(row[3] ?? "") ?? [];
    expect(read(file)).toMatch(new RegExp(`const ${map}\\b`));
  });
});

describe.each(Object.entries(SEAMS))("%s", (_, { names, files }) => {
  it("is a file by its name, and no file is forgotten", () => {
    expect(files.length).toBeGreaterThan(0);
    expect([...names].sort()).toEqual([...files].sort());
  });
});

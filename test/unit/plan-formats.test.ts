import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import type { Planned, PlannedCell } from "../../src/plan/cell.ts";
import { FORMAT_NAMES, PLAN_FORMATS } from "../../src/plan/formats/formats.ts";
import { madeGrid } from "./plan-made-cells.ts";
import { factory, makeWorkspace, repository } from "./workspace.ts";

/** A made-up cell with a Dockerfile. */
function rendered(cell: PlannedCell): PlannedCell {
  const render = () => ({ manifest_id: "demo", unlabelled: "FROM scratch\n", dockerignore: "*\n" });
  return Object.assign(Object.create(cell) as PlannedCell, { render });
}

const planned: Planned = {
  plan_id: "grid",
  plan_ids: ["grid"],
  manifest_id: "demo",
  cells: madeGrid({ core: ["0.1.0"], app: ["1.0.0", "2.0.0"] }).map(rendered),
  left_out: [],
  coverage: {},
};

describe("formats of a plan", () => {
  it("are a file each, but for those of CI systems, which stand in src/ci", () => {
    const files = ["src/plan/formats", "src/ci"].flatMap((folder) => readdirSync(join(repository, folder)));
    for (const name of FORMAT_NAMES) expect(files).toContain(`${name}.ts`);
  });

  it.each(FORMAT_NAMES)(
    "%s is written in files that end without a line break, and fills its folder once",
    async (name) => {
      const filled: string[] = [];
      const { write } = await PLAN_FORMATS[name].load();
      const catalog = { ...openCatalog(makeWorkspace()), root: "/w" };
      const made = write({
        planned,
        catalog,
        sharded: null,
        maxJobs: undefined,
        draw: () => ["drawn"],
        fillFolder: (folder, fill) => {
          filled.push(folder);
          fill((file, text) => {
            expect(file).toMatch(/\.Dockerfile(\.dockerignore)?$/);
            expect(text).not.toBe("");
          });
        },
        say: () => undefined,
      });
      expect(filled).toEqual([]);
      const files = [...made.files].map(({ text }) => (typeof text === "string" ? text : [...text].join("")));
      expect(files).toHaveLength(made.count);
      for (const text of files) expect(text).toMatch(/\S$/);
      expect(filled).toEqual(name === "bake" ? [".factory/plan/grid"] : []);
    },
  );

  it("are the choices of --format, each with what it is for", () => {
    const { stdout } = factory(makeWorkspace(), ["plan", "--help"]);
    const help = stdout.replace(/\s+/g, " ");
    for (const name of FORMAT_NAMES) expect(help).toContain(`${name} (${PLAN_FORMATS[name].description})`);
    expect(factory(makeWorkspace(), ["plan", "grid", "--format", "toString"]).status).toBe(2);
  });

  it.each(FORMAT_NAMES)("%s goes to a file as it goes to stdout", (name) => {
    const root = makeWorkspace();
    const { stdout } = factory(root, ["plan", "grid", "--format", name]);
    expect(factory(root, ["plan", "grid", "--format", name, "-o", "/dev/stdout"]).stdout).toContain(stdout);
    const told = factory(root, ["plan", "grid", "--format", name, "-o", "out", "--json"]);
    expect(told.status, told.stderr).toBe(0);
    expect(() => JSON.parse(told.stdout) as unknown).not.toThrow();
  });
});

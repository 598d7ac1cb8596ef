import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { factory, repository, temporaryFolder } from "./workspace.ts";

const SERVICES = ["billing", "mailer", "web"];

/** A copy of the example, with what a developer has lying about. Call it inside a test. */
function example(): string {
  const root = temporaryFolder();
  cpSync(join(repository, "examples/services"), root, { recursive: true, verbatimSymlinks: true });
  mkdirSync(join(root, "services/billing/node_modules/tea"), { recursive: true });
  writeFileSync(join(root, "services/billing/node_modules/tea/index.js"), "tea\n");
  writeFileSync(join(root, "services/billing/today.log"), "busy\n");
  return root;
}

const keysIn = (root: string) => SERVICES.map((id) => stitch(openCatalog(root), id).recipe_key);

describe("examples/services", { timeout: 60_000 }, () => {
  it("validates, and plans thirty services of three lines", () => {
    const root = example();
    expect(factory(root, ["validate"])).toMatchObject({ status: 0, stderr: "" });
    const { status, stdout } = factory(root, ["plan", "--json"]);
    expect(status).toBe(0);
    const { cells } = JSON.parse(stdout) as { cells: { cell_id: string; recipe_key: string }[] };
    expect(cells).toHaveLength(30);
    expect(new Set(cells.map(({ recipe_key }) => recipe_key)).size).toBe(30);
    const lines = (id: string) =>
      readFileSync(join(root, "manifests", `${id}.yaml`), "utf8")
        .trimEnd()
        .split("\n").length;
    const ids = cells.map(({ cell_id }) => cell_id.replace(/\.linux-amd64$/, ""));
    expect(ids.filter((id) => lines(id) !== 3)).toEqual(["billing"]);
  });

  it("has a key for each service that only its own code changes, and nothing that is ignored", () => {
    const root = example();
    const before = keysIn(root);
    appendFileSync(join(root, "services/billing/node_modules/tea/index.js"), "more\n");
    appendFileSync(join(root, "services/billing/today.log"), "more\n");
    expect(keysIn(root)).toEqual(before);
    appendFileSync(join(root, "services/billing/src/[slug].tsx"), "// more\n");
    const after = keysIn(root);
    expect(after[0]).not.toBe(before[0]);
    expect(after.slice(1)).toEqual(before.slice(1));
  });
});

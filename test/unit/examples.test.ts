import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exampleWorkspace } from "./example.ts";
import { factory, repository } from "./workspace.ts";

const folder = join(repository, "examples");
const names = readdirSync(folder, { withFileTypes: true }).flatMap((one) =>
  one.isDirectory() ? one.name : [],
);

describe("examples", { timeout: 60_000 }, () => {
  it("are those that examples/README.md lists", () => {
    const listed = [
      ...readFileSync(join(folder, "README.md"), "utf8").matchAll(/^\| \[([\w-]+)\]\(\1\/\)/gm),
    ];
    expect(listed.map(([, name]) => name).sort()).toEqual([...names].sort());
  });

  it.each(names)("validate, plan and bake: %s", (name) => {
    const root = exampleWorkspace(name);
    const { status, stdout } = factory(root, ["validate"]);
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^valid: /)]);
    const planned = factory(root, ["plan", "--json"]);
    expect(planned.status, planned.stderr).toBe(0);
    expect((JSON.parse(planned.stdout) as { cells: unknown[] }).cells.length).toBeGreaterThan(0);
    expect(factory(root, ["plan", "--format", "bake", "-o", "-"]).status).toBe(0);
  });

  it.each(names)("say in a few lines what they show: %s", (name) => {
    const lines = readFileSync(join(folder, name, "README.md"), "utf8")
      .trimEnd()
      .split("\n");
    expect(lines[0]).toMatch(/^# /);
    expect(lines.length).toBeLessThanOrEqual(25);
  });
});

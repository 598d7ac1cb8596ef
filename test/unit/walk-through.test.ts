import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { plan as validatePlan } from "../../src/schemas/validators.js";
import { copyReference, factory, repository } from "./workspace.ts";

const page = readFileSync(join(repository, "docs/walk-through.md"), "utf8");

function git(cwd: string, ...argv: string[]): void {
  const who = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
  execFileSync("git", [...who, ...argv], { cwd, stdio: "pipe" });
}

/** The reference workspace as the branch `main` of a repository, and what the page does to it. */
function bumped(): string {
  const root = copyReference();
  git(root, "init", "--quiet", "--initial-branch=main");
  git(root, "add", "--all");
  git(root, "commit", "--quiet", "--message=before");
  git(root, "switch", "--quiet", "--create=bump-core");
  cpSync(join(root, "fragments/core/0.3.0"), join(root, "fragments/core/0.3.1"), { recursive: true });
  const file = join(root, "fragments/core/0.3.1/fragment.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace(/^version: 0\.3\.0/m, "version: 0.3.1"));
  return root;
}

describe("docs/walk-through.md", () => {
  it("shows what the commands print", () => {
    const root = bumped();
    const { status, stdout } = factory(root, ["plan", "--since", "main"]);
    expect(status).toBe(0);
    const [, shown] = /\$ factory plan --since main\n([\s\S]*?)```/.exec(page) ?? [];
    expect(shown).toBe(stdout);
    const before = factory(root, ["plan", "--json"]);
    expect((JSON.parse(before.stdout) as { cells: object[] }).cells).toHaveLength(10);
  });

  it("is right that a README touches nothing, and a copied file its cells alone", () => {
    const root = bumped();
    git(root, "add", "--all");
    git(root, "commit", "--quiet", "--message=bump");
    writeFileSync(join(root, "fragments/core/0.3.1/README.md"), "Words.\n");
    expect(factory(root, ["plan", "--since", "HEAD"]).stdout).toBe("0 cells: there is nothing to do\n");
    expect(JSON.parse(factory(root, ["plan", "--since", "HEAD", "--format", "github"]).stdout)).toEqual({
      "fail-fast": false,
      matrix: { include: [] },
    });
    const file = join(root, "fragments/light/0.1.0/Dockerfile.hbs");
    writeFileSync(file, `${readFileSync(file, "utf8")}RUN true\n`);
    const { cells } = JSON.parse(factory(root, ["plan", "--since", "HEAD", "--json"]).stdout) as {
      cells: { cell_id: string; reason: string }[];
    };
    expect(cells.map(({ cell_id }) => cell_id).every((id) => id.includes("light-0.1.0"))).toBe(true);
    expect(new Set(cells.map(({ reason }) => reason))).toEqual(new Set(["FILES"]));
    expect(cells.length).toBeGreaterThan(0);
  });

  it("plans everything, and says so, where the commit is unknown", () => {
    const { status, stdout, stderr } = factory(bumped(), ["plan", "--since", "no-such-branch", "--json"]);
    expect(status).toBe(0);
    expect(stderr).toContain("git knows no no-such-branch, so everything is planned");
    expect((JSON.parse(stdout) as { cells: object[] }).cells).toHaveLength(10);
  });

  it("hands out what a run of the shard takes", () => {
    const root = bumped();
    const { stdout } = factory(root, ["plan", "--since", "main", "--format", "github"]);
    const { matrix } = JSON.parse(stdout) as { matrix: { include: { shard: string }[] } };
    expect(matrix.include.map(({ shard }) => shard.split("@")[0])).toEqual(["1/3", "2/3", "3/3"]);
    const moved = factory(root, ["run", "--all", "--shard", matrix.include[0]?.shard ?? "", "--json"]);
    expect(moved.status).toBe(2);
    expect(moved.stdout).toContain("SHARD_MOVED");
  });
});

describe("docs/plans.md", () => {
  it("shows a plan that the schema takes", () => {
    const text = readFileSync(join(repository, "docs/plans.md"), "utf8");
    const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(text) ?? [];
    const valid = validatePlan(parse(yaml));
    expect(validatePlan.errors ?? []).toEqual([]);
    expect(valid).toBe(true);
  });
});

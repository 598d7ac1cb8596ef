import { accessSync, constants, existsSync } from "node:fs";
import { FactoryError } from "../errors.ts";
import { insideWorkspace } from "../files/own-folders.ts";
import type { ExecResult } from "../tools/exec.ts";
import type { DoctorDeps, Workspace } from "./deps.ts";
import { broken, type Diagnosis, ok, shellWord, warning } from "./diagnosis.ts";

/** The workspace's documents, each by itself; `factory validate` renders them too. */
export function documents(workspace: Workspace): Diagnosis[] {
  if ("error" in workspace) {
    const { code, message, fix } = workspace.error;
    const what = message.split("\n")[0] ?? message;
    return code === "WORKSPACE_NOT_FOUND"
      ? [
          warning("workspace", {
            what: "there is none here: nothing of one was looked at",
            fix: fix ?? "factory init",
          }),
        ]
      : [broken("workspace", { what, fix: fix ?? "factory validate" })];
  }
  const { catalog } = workspace;
  const readers: [() => string[], (id: string) => unknown][] = [
    [catalog.manifestIds, catalog.manifest],
    [catalog.planIds, catalog.plan],
    [catalog.productIds, catalog.product],
    [catalog.policyIds, catalog.policy],
    [catalog.poolIds, catalog.pool],
  ];
  let count = 0;
  const errors: FactoryError[] = [];
  for (const [ids, read] of readers)
    for (const id of ids()) {
      count += 1;
      try {
        read(id);
      } catch (error) {
        if (!(error instanceof FactoryError)) throw error;
        errors.push(error);
      }
    }
  const [first] = errors;
  if (!first) return [ok("workspace", `${catalog.root}: ${count} documents`)];
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more documents)` : "";
  return [
    broken("workspace", { what: `${first.message.split("\n")[0] ?? ""}${more}`, fix: "factory validate" }),
  ];
}

/** The clone: `--since` compares with a merge base, and tags and records name commits. */
export async function git({ git: ask, env }: DoctorDeps, workspace: Workspace): Promise<Diagnosis[]> {
  if ("error" in workspace) return [];
  const { root } = workspace.catalog;
  let inside: ExecResult;
  try {
    const asked = ["rev-parse", "--is-shallow-repository", "--abbrev-ref", "HEAD"];
    inside = await ask(root, asked);
  } catch (error) {
    if (!(error instanceof FactoryError) || error.code !== "TOOL_MISSING") throw error;
    return [warning("git", { what: "git is not installed: records name no commit", fix: "install git" })];
  }
  const words = inside.stderr.trim().split("\n").at(-1) ?? "";
  if (/dubious ownership/.test(inside.stderr))
    return [
      broken("git", {
        what: `git does not trust ${root}, which belongs to another user`,
        fix: `git config --global --add safe.directory ${shellWord(root)}`,
      }),
    ];
  if (/not a git repository/i.test(inside.stderr))
    return [
      warning("git", { what: "the workspace is in no repository: records name no commit", fix: "git init" }),
    ];
  const [shallow = "", branch = ""] = inside.stdout.trim().split("\n");
  if (inside.exitCode !== 0 && shallow === "")
    return [warning("git", { what: words === "" ? "git tells nothing" : words, fix: "git status" })];
  const found: Diagnosis[] = [];
  if (shallow === "true")
    found.push(
      warning("git", {
        what: "a shallow clone: `--since` may find no merge base, and builds everything then",
        fix: env.CI ? "let the checkout fetch all (`fetch-depth: 0`)" : "git fetch --unshallow",
      }),
    );
  if (inside.exitCode !== 0)
    found.push(warning("git", { what: "there is no commit yet: records name none", fix: "git commit" }));
  else if (branch === "HEAD" && !env.CI)
    found.push(ok("git", "a detached HEAD: `factory tags` names no branch"));
  return found.length > 0 ? found : [ok("git", `branch ${branch}`)];
}

/** Whether Factory may write in a folder, or make it. */
function mayWrite(path: string): string | null {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? null : (error as Error).message;
  }
}

const OWN = ["records", ".factory"] as const;

/** The folders that Factory writes, and what killed runs left in them. */
export function folders({ abandoned, sweep }: DoctorDeps, workspace: Workspace): Diagnosis[] {
  if ("error" in workspace) return [];
  const { catalog } = workspace;
  const { root } = catalog;
  const found = OWN.flatMap((name): Diagnosis[] => {
    const path = insideWorkspace(root, name);
    const why = mayWrite(path) ?? (existsSync(path) ? null : mayWrite(root));
    const fix = `sudo chown -R "$(id -u)" ${shellWord(path)}`;
    return why === null ? [] : [broken("folders", { what: `${name} cannot be written: ${why}`, fix })];
  });
  const left = abandoned(root);
  if (left > 0)
    found.push(
      warning("folders", {
        what: `${left} ${left === 1 ? "run was" : "runs were"} killed and left files in .factory/run, and maybe containers`,
        fix: "factory doctor --fix",
        mend: () => sweep(catalog),
      }),
    );
  return found.length > 0 ? found : [ok("folders", `${OWN.join(" and ")} can be written`)];
}

/** Records, as far as their index tells; `factory records verify` computes again what each proves. */
export async function records({ records: ask }: DoctorDeps, workspace: Workspace): Promise<Diagnosis[]> {
  if ("error" in workspace) return [];
  const { total, unreadable, first } = await ask(workspace.catalog.root);
  if (first === null) return [ok("records", `${total} can be read`)];
  const what = `${unreadable} of ${total + unreadable} cannot be read: ${first}`;
  return [warning("records", { what, fix: "factory records verify" })];
}

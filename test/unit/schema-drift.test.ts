import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** `generate.mjs --check` of a tree; gives the exit code and what it said. */
async function check(tree: string): Promise<{ code: number; said: string }> {
  try {
    await promisify(execFile)(process.execPath, ["scripts/generate.mjs", "--check"], { cwd: tree });
    return { code: 0, said: "" };
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return { code, said: stderr };
  }
}

/** A copy of the schemas and of what makes types of them. */
function copyOfTree(): string {
  const tree = mkdtempSync(join(tmpdir(), "factory-drift-"));
  onTestFinished(() => rmSync(tree, { recursive: true, force: true }));
  mkdirSync(join(tree, "src"));
  for (const path of ["scripts", "src/schemas", "package.json", ".prettierrc.json"])
    cpSync(join(root, path), join(tree, path), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
  return tree;
}

describe("src/schemas/types.ts", () => {
  it("is what the schemas give", async () => {
    expect(await check(root)).toEqual({ code: 0, said: "" });
  });

  it("is missed where a schema gives something else", async () => {
    const tree = copyOfTree();
    const file = join(tree, "src/schemas/plan.schema.json");
    const schema = JSON.parse(readFileSync(file, "utf8")) as { properties: Record<string, unknown> };
    schema.properties.drifted = { type: "boolean" };
    writeFileSync(file, JSON.stringify(schema));
    const { code, said } = await check(tree);
    expect(code).toBe(1);
    expect(said).toContain("npm run generate");
  });
});

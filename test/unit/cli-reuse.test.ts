import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { proven } from "./reuse-world.ts";
import { factory, temporaryFolder } from "./workspace.ts";

/** A workspace whose one cell passed an hour ago, and the program in it, without an engine. */
async function provenHere() {
  const { root } = await proven({ at: Date.now() - 3_600_000 });
  const env = { DOCKER_HOST: `unix://${temporaryFolder()}/none.sock` };
  const json = (...argv: string[]) => {
    const { status, stdout, stderr } = factory(root, [...argv, "--json"], env);
    return { status, stderr, json: JSON.parse(stdout) as Record<string, unknown> };
  };
  return { root, json };
}

describe("--reuse", () => {
  it("reads records strictly: one that cannot be read may be the failure that came later", async () => {
    const { root, json } = await provenHere();
    const folder = join(root, "records/demo");
    const name = readdirSync(folder).find((one) => one.endsWith(".json")) ?? "";
    writeFileSync(join(folder, name), "{");
    const refused = json("plan", "--manifest-id", "demo", "--reuse");
    expect(refused.status).toBe(2);
    expect(JSON.stringify(refused.json)).toContain("RECORD_UNREADABLE");
    // How long cells took is a guess: without the record it is one, with a warning.
    const guessed = json("plan", "--manifest-id", "demo", "--format", "github");
    expect(guessed.status).toBe(0);
    expect(guessed.stderr).toContain("warning: ");
  });
});

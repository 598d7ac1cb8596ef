import { cpSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { factory, repository, temporaryFolder } from "./workspace.ts";

it("the example of a private index is valid, and plans without its secret", () => {
  const root = join(temporaryFolder(), "private-index");
  cpSync(join(repository, "examples/private-index"), root, { recursive: true });
  expect(factory(root, ["validate"]).stdout).toContain("valid: 1 manifest, 1 fragment, 1 template");
  const planned = factory(root, ["plan", "--manifest-id", "app", "--format", "bake"]);
  expect(planned.stdout).toContain('secret = ["type=env,id=index_token,env=FACTORY_SECRET_index_token"]');
  expect(factory(root, ["stitch", "--manifest-id", "app", "-o", "-"]).stdout).not.toContain("factory_");
});

import { cpSync } from "node:fs";
import { join } from "node:path";
import { repository, temporaryFolder } from "./workspace.ts";

/** A temporary copy of a workspace of examples/, without what runs left there. Call it inside a test. */
export function exampleWorkspace(name: string): string {
  const root = temporaryFolder();
  const from = join(repository, "examples", name);
  cpSync(from, root, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !/\/(\.factory|records)$/.test(path.slice(from.length)),
  });
  return root;
}

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { factory, filesBelow, repository, temporaryFolder, writeFiles } from "./workspace.ts";

/** A copy of the example. Call it inside a test. */
function example(): string {
  const root = temporaryFolder();
  writeFiles(root, filesBelow(join(repository, "examples/python-images")));
  return root;
}

describe("examples/python-images", () => {
  it("validates", () => {
    expect(factory(example(), ["validate"])).toMatchObject({ status: 0, stderr: "" });
  });

  it("plans three versions by three variants, each version the newest of its minor", () => {
    const { stdout } = factory(example(), ["plan", "python", "--json"]);
    const { cells } = JSON.parse(stdout) as {
      cells: { cell_id: string; fragments: Record<string, string> }[];
    };
    expect(cells.map(({ cell_id }) => cell_id)).toEqual(
      ["3.12.8", "3.13.1.post1", "3.14.0"].flatMap((version) =>
        ["dev", "full", "slim"].map((variant) => `python.compile-${version}.variant-${variant}.linux-amd64`),
      ),
    );
    expect(Object.keys(cells[0]?.fragments ?? {})).toEqual(["compile", "runtime", "locale", "timezone"]);
  });
});

import { expect, it } from "vitest";
import { exampleWorkspace } from "./example.ts";
import { factory } from "./workspace.ts";

interface Plan {
  cells: { manifest_id: string; parent?: string; base: { ref: string } }[];
}

it("the example of notebooks is valid, and plans the whole line of an image, each once", () => {
  const root = exampleWorkspace("notebooks");
  expect(factory(root, ["validate"]).stdout).toContain("valid: 11 manifests, 2 fragments, 1 template");
  const planned = factory(root, ["plan", "--manifest-id", "all_spark_notebook", "--format", "json"]);
  const { cells } = JSON.parse(planned.stdout) as Plan;
  const parents = Object.fromEntries(
    cells.map(({ manifest_id, parent }) => [manifest_id, parent?.split(".")[0]]),
  );
  expect(parents).toEqual({
    all_spark_notebook: "pyspark_notebook",
    pyspark_notebook: "scipy_notebook",
    scipy_notebook: "minimal_notebook",
    minimal_notebook: "base_notebook",
    base_notebook: "foundation",
    foundation: undefined,
  });
  const dockerfile = factory(root, ["stitch", "--manifest-id", "pytorch_notebook", "-o", "-"]).stdout;
  expect(dockerfile).toMatch(/^FROM parent\.invalid\/scipy_notebook AS base\n/);
});

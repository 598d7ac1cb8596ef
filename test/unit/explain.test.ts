import { describe, expect, it } from "vitest";
import { factory, makeWorkspace, SMALL } from "./workspace.ts";

describe("factory explain", () => {
  it("guesses what was meant by a cell that is none", () => {
    const { status, stderr } = factory(makeWorkspace(), ["explain", "demo.core-0.1.0.linux-amd46"]);
    expect(status).toBe(2);
    expect(stderr).toContain("error UNKNOWN_CELL");
    expect(stderr).toContain("did you mean demo.core-0.1.0.linux-amd64?");
  });

  it("says what keeps a plan from being looked into, where the cell may be of it", () => {
    const broken = (SMALL["control_plane/plans/grid.yaml"] ?? "").replace("0.2.0", "7.0.0");
    const root = makeWorkspace({ "control_plane/plans/grid.yaml": broken });
    const { status, stderr } = factory(root, ["explain", "demo.core-7.0.0.linux-amd64"]);
    expect(status).toBe(2);
    expect(stderr).toContain("error RANGE_UNSATISFIED");
    expect(stderr).toContain("control_plane/plans/grid.yaml");
  });

  it("says that there is no lock, where it was to be used", () => {
    const { status, stderr } = factory(makeWorkspace(), [
      "explain",
      "demo.core-0.1.0.linux-amd64",
      "--locked",
    ]);
    expect(status).toBe(2);
    expect(stderr).toContain("error LOCK_MISSING");
  });
});

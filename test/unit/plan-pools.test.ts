import { describe, expect, it } from "vitest";
import { checkWorkspace } from "../../src/catalog/check.ts";
import { openCatalog } from "../../src/catalog/open.ts";
import { poolOf, runnerKey } from "../../src/plan/pools.ts";
import { copyReference, errorFrom, type Files, findingsFrom, makeCatalog } from "./workspace.ts";

/** The file of a pool by its id and what else it says. */
function pool(id: string, rest: string): Files {
  return { [`control_plane/pools/${id}.yaml`]: `schema_version: 1\npool_id: ${id}\n${rest}\n` };
}

const AMD64 = pool("large", "platforms: [linux/amd64]\nruns_on: large-x64");
const GPU = pool("gpu", "platforms: [linux/amd64]\ngpus: true\nruns_on: [self-hosted, gpu]");

describe("poolOf", () => {
  it("finds the pool of a platform, with GPUs or without", () => {
    const find = poolOf(makeCatalog({ ...AMD64, ...GPU }));
    expect(find("linux/amd64", null)).toMatchObject({ pool_id: "large", runs_on: "large-x64" });
    expect(find("linux/amd64", "all")).toMatchObject({ pool_id: "gpu", runs_on: ["self-hosted", "gpu"] });
    expect(find("linux/amd64", 2)).toEqual(find("linux/amd64", "all"));
    expect(find("linux/amd64", null)).toMatchObject({ pool_id: "large", runs_on: "large-x64" });
  });

  it("never gives a pool with GPUs to other cells, nor one without to cells that ask for them", () => {
    expect(poolOf(makeCatalog(GPU))("linux/amd64", null)).toBeNull();
    expect(poolOf(makeCatalog(AMD64))("linux/amd64", 1)).toBeNull();
  });

  it("refuses a platform that two pools take, and no other", () => {
    const both = pool("small", "platforms: [linux/arm64, linux/amd64]\nruns_on: small");
    const find = poolOf(makeCatalog({ ...AMD64, ...both }));
    expect(find("linux/arm64", null)?.pool_id).toBe("small");
    const error = errorFrom(() => find("linux/amd64", null));
    expect(error).toMatchObject({
      code: "POOL_AMBIGUOUS",
      exitCode: 2,
      where: { file: "control_plane/pools/small.yaml", line: 3, col: 26 },
    });
    expect(error.message).toBe(
      "cells of linux/amd64 without GPUs could go to any of the pools `large`, `small`",
    );
    expect(error.fix).toContain("linux/amd64");
  });

  it("gives the findings of all pools that cannot be read", () => {
    const catalog = makeCatalog({
      ...pool("one", "platforms: [linux/amd64]"),
      ...pool("two", "platforms: []\nruns_on: [bad label!]"),
    });
    const files = findingsFrom(() => poolOf(catalog)).map(({ where }) => where?.file);
    expect(new Set(files)).toEqual(new Set(["control_plane/pools/one.yaml", "control_plane/pools/two.yaml"]));
  });
});

describe("runnerKey", () => {
  it("tells runners of one platform apart", () => {
    const find = poolOf(makeCatalog(GPU));
    const key = (gpus: Parameters<typeof find>[1]) => runnerKey(find("linux/amd64", gpus), gpus);
    expect(key("all")).toBe("pool gpu");
    expect(key(null)).toBe("no pool");
    expect(runnerKey(find("linux/arm64", 1), 1)).toBe("no pool, with GPUs");
  });
});

describe("pools of a workspace", () => {
  it("are read by id", () => {
    const catalog = makeCatalog({ ...AMD64, ...GPU });
    expect(catalog.poolIds()).toEqual(["gpu", "large"]);
    expect(catalog.pool("gpu").document.gpus).toBe(true);
    expect(errorFrom(() => catalog.pool("larg"))).toMatchObject({
      code: "UNKNOWN_POOL",
      fix: "did you mean `large`?",
    });
  });

  it("are counted and checked with the rest", () => {
    expect(checkWorkspace(makeCatalog({ ...AMD64, ...GPU }))).toMatchObject({
      findings: [],
      summary: { pools: 2 },
    });
    const { findings } = checkWorkspace(
      makeCatalog({
        ...AMD64,
        ...pool("x", "platforms: [linux/arm64, linux/amd64]\nruns_on: x"),
        ...pool("y", "platforms: [linux/amd64, linux/arm64]\nruns_on: y"),
        ...pool("broken", "platforms: [linux/arm64]\nruns_on: broken\ncolour: red"),
        "control_plane/pools/odd.yml": "",
        "control_plane/pools/named.yaml":
          "schema_version: 1\npool_id: other\nplatforms: [linux/s390x]\nruns_on: z\n",
      }),
    );
    expect(findings.map(({ code, where }) => `${code} ${where?.file}:${where?.line}:${where?.col}`)).toEqual([
      "SCHEMA_UNKNOWN_FIELD control_plane/pools/broken.yaml:5:1",
      "NAME_MISMATCH control_plane/pools/named.yaml:2:10",
      "NAME_MISMATCH control_plane/pools/odd.yml:undefined:undefined",
      "POOL_AMBIGUOUS control_plane/pools/y.yaml:3:13",
      "POOL_AMBIGUOUS control_plane/pools/y.yaml:3:26",
    ]);
    expect(findings[3]?.what).toContain("`large`, `x`, `y`");
  });

  it("are sound in the reference workspace, and take its platforms", () => {
    const catalog = openCatalog(copyReference());
    expect(catalog.poolIds()).toEqual(["amd64", "arm64", "gpu"]);
    const find = poolOf(catalog);
    expect(find("linux/amd64", null)).toMatchObject({ pool_id: "amd64", runs_on: "ubuntu-24.04" });
    expect(find("linux/arm64", null)).toMatchObject({ pool_id: "arm64", runs_on: "ubuntu-24.04-arm" });
    expect(find("linux/amd64", "all")?.pool_id).toBe("gpu");
    const { findings } = checkWorkspace(catalog);
    expect(findings.filter(({ where }) => where?.file.includes("/pools/"))).toEqual([]);
  });
});

import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parentRef } from "../../src/model/parent.ts";
import { treemap } from "../../src/site/treemap.ts";
import { stageTimes } from "../../src/site/stage-times.ts";
import { axesOf, layOut, type ValuedCell } from "../../src/site/site-matrix.ts";
import { evidenceWorkspace, putAged } from "./evidence-made.ts";
import { writeProof } from "./proof-made.ts";
import { siteWorkspace } from "./site-made.ts";
import { factoryAtOnce, treeOf } from "./workspace.ts";

const pagesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".html"));

describe("factory site -o", () => {
  it("writes pages for all that there is, twice the same", async () => {
    const { root, site, records } = await siteWorkspace();
    const { status, stdout, stderr } = await site("-o", "out", "--json");
    expect([status, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({ path: "out", records: 5, problems: [] });
    for (const { record_id } of records)
      expect(existsSync(join(root, `out/record/${record_id}.html`))).toBe(true);
    const before = treeOf(join(root, "out"));
    expect((await site("-o", "out")).status).toBe(0);
    expect(treeOf(join(root, "out"))).toBe(before);
    expect(readdirSync(root).filter((name) => name.startsWith(".out"))).toEqual([]);
  });

  it("lets nothing of a record become markup, and keeps the bytes of evidence", async () => {
    const { root, site, records } = await siteWorkspace();
    await site("-o", "out");
    for (const path of pagesIn(join(root, "out"))) {
      const text = readFileSync(join(root, "out", path), "utf8");
      expect(text, path).not.toMatch(/<script>|<img|onerror="|javascript:|style="|<b>make/);
      expect(text, path).not.toMatch(/[\u0000-\u0008\u001b\u202a-\u202e\u2066-\u2069]/);
    }
    const { evidence } = records[3] ?? { evidence: {} };
    const log = (evidence as Record<string, { path: string; sha256: string }>).build_log;
    const raw = readFileSync(join(root, `out/evidence/${log?.sha256 ?? ""}.txt`));
    expect(raw.equals(readFileSync(join(root, "records/demo", log?.path ?? "")))).toBe(true);
  });

  it.each<[string, (root: string) => void]>([
    [
      "a folder with other files",
      (root) => (mkdirSync(join(root, "out")), writeFileSync(join(root, "out/mine"), "x")),
    ],
    ["a file", (root) => writeFileSync(join(root, "out"), "x")],
    ["a link to nothing", (root) => symlinkSync("nowhere", join(root, "out"))],
    [
      "a forged mark",
      (root) => (mkdirSync(join(root, "out")), writeFileSync(join(root, "out/.factory-site"), "x")),
    ],
  ])("refuses %s", async (_, make) => {
    const { root, site } = await siteWorkspace();
    make(root);
    const before = treeOf(root);
    const { status, stdout } = await site("-o", "out", "--json");
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "FOLDER_TAKEN" } });
    expect(treeOf(root)).toBe(before);
  });

  it("refuses a mark that is a pipe, and does not wait for it", async () => {
    const { root, site } = await siteWorkspace();
    mkdirSync(join(root, "out"));
    execFileSync("mkfifo", [join(root, "out/.factory-site")]);
    expect((await site("-o", "out")).status).toBe(2);
  });

  it("takes an empty folder, and one that a link leads to", async () => {
    const { root, site } = await siteWorkspace();
    mkdirSync(join(root, "real"));
    symlinkSync("real", join(root, "out"));
    expect((await site("-o", "out")).status).toBe(0);
    expect(existsSync(join(root, "real/index.html"))).toBe(true);
  });

  it("tells of records that are damaged, and serves the rest", async () => {
    const { root, site, records } = await siteWorkspace();
    const file = (at: number) => join(root, `records/demo/${records[at]?.record_id ?? ""}.json`);
    writeFileSync(file(0), readFileSync(file(0), "utf8").slice(0, 100));
    writeFileSync(file(1), readFileSync(file(1), "utf8").replace('"retries": 0', '"retries": 7'));
    rmSync(file(2));
    execFileSync("mkfifo", [file(2)]);
    const log = (records[4]?.evidence as Record<string, { path: string; sha256: string }>).smoke_report;
    writeFileSync(join(root, "records/demo", log?.path ?? ""), "{}");
    mkdirSync(join(root, "elsewhere"));
    symlinkSync("../elsewhere", join(root, "records/linked"));
    const { status, stdout } = await site("-o", "out", "--json");
    expect(status).toBe(0);
    const { problems } = JSON.parse(stdout) as {
      problems: { record: string | null; what: string; served: boolean }[];
    };
    const told = (at: number) => problems.find(({ record }) => record === records[at]?.record_id);
    expect(told(0)).toMatchObject({ served: false });
    expect(told(1)).toMatchObject({
      served: true,
      what: expect.stringContaining("hash in its id") as string,
    });
    expect(told(2)).toMatchObject({
      served: false,
      what: expect.stringContaining("not a regular file") as string,
    });
    expect(told(4)).toMatchObject({ served: true, what: expect.stringContaining("smoke_report") as string });
    const page = readFileSync(join(root, "out/problems.html"), "utf8");
    for (const at of [0, 1, 2, 4]) expect(page).toContain(records[at]?.record_id);
    expect(page).toContain("linked");
    expect(existsSync(join(root, `out/record/${records[3]?.record_id ?? ""}.html`))).toBe(true);
    expect(readFileSync(join(root, "out/index.html"), "utf8")).toContain("problems.html");
  });

  it("names a base from another manifest as people know it, on every page", async () => {
    const { root, site } = await siteWorkspace();
    const digest = `sha256:${"d".repeat(64)}`;
    await writeProof(
      root,
      { ref: "team/demo:1", digest: `sha256:${"e".repeat(64)}` },
      { inputs: { images: [{ role: "base", ref: parentRef("mini"), digest }] } },
    );
    expect((await site("-o", "out")).status).toBe(0);
    const texts = pagesIn(join(root, "out")).map((path) => readFileSync(join(root, "out", path), "utf8"));
    expect(texts.some((text) => text.includes("the image of mini"))).toBe(true);
    expect(texts.filter((text) => text.includes(parentRef("mini")))).toEqual([]);
  });

  it("tells once of a record whose evidence was pruned on purpose", async () => {
    const { root, prune } = evidenceWorkspace();
    const old = await putAged(root, 100);
    await putAged(root, 1);
    const { pruned } = await prune("--older-than", "30d", "--yes");
    expect(pruned.map(({ record_id }) => record_id)).toEqual([old.record_id]);
    const { stdout } = await factoryAtOnce(root, ["site", "--records-only", "-o", "out", "--json"]);
    const { problems } = JSON.parse(stdout) as { problems: { record: string; what: string }[] };
    expect(problems).toMatchObject([
      { record: old.record_id, what: expect.stringContaining("was pruned on") as string },
    ]);
  });

  it("needs to know where it goes", async () => {
    const { site } = await siteWorkspace();
    for (const argv of [
      [],
      ["-o", "x", "--serve"],
      ["-o", "x", "--port", "1"],
      ["--serve", "--port", "70000"],
    ])
      expect((await site(...argv)).status).toBe(2);
  });
});

describe("a treemap", () => {
  it("gives each its share of the area, within the picture", () => {
    const tiles = treemap(
      [5, 1, 3, 0, 1].map((size) => ({ size })),
      100,
      40,
    );
    expect(tiles.map(({ of }) => of.size)).toEqual([5, 3, 1, 1]);
    for (const { of, x, y, width, height } of tiles) {
      expect(width * height).toBeCloseTo((of.size / 10) * 4000);
      expect(Math.min(x, y, 100.001 - x - width, 40.001 - y - height)).toBeGreaterThanOrEqual(0);
    }
    expect(treemap([], 10, 10)).toEqual([]);
  });
});

describe("stages", () => {
  it("begin when what they wait for is over", () => {
    const table = [
      { name: "build", needs: [] },
      { name: "smoke", needs: ["build"] },
      { name: "scan", needs: ["smoke"] },
      { name: "sbom", needs: ["build"] },
      { name: "tag", needs: "all" as const },
    ];
    expect(stageTimes({ build: 10, smoke: 5, sbom: 2, tag: 1, sign: 3 }, table)).toEqual([
      { name: "build", from: 0, ms: 10 },
      { name: "smoke", from: 10, ms: 5 },
      { name: "sbom", from: 10, ms: 2 },
      { name: "tag", from: 15, ms: 1 },
      { name: "sign", from: 16, ms: 3 },
    ]);
  });
});

describe("axes of a matrix", () => {
  const cell = (values: Record<string, string>): ValuedCell => ({
    cell_id: Object.values(values).join("-"),
    platform: "p",
    state: "proven",
    why: "",
    record_id: null,
    values,
  });
  it("are those that vary most, in the order of their values", () => {
    const cells = [
      cell({ core: "10", base: "a" }),
      cell({ core: "9", base: "b" }),
      cell({ core: "9", light: "1" }),
    ];
    const byNumber = () => (a: string, b: string) => Number(a) - Number(b) || (a < b ? -1 : 1);
    const axes = axesOf(cells, byNumber);
    expect(axes.map(({ name }) => name)).toEqual(["core", "base", "light"]);
    const { tables } = layOut({ manifest_id: "m", axes, cells }, { rows: "core", cols: "base" });
    expect(tables[0]?.rows).toEqual(["9", "10"]);
  });
});

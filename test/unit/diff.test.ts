import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parentRef } from "../../src/model/parent.ts";
import { reportHtml, reportMarkdown } from "../../src/screen/sections.ts";
import { dpkgStatus, inspected, type LayerMade } from "./inspect-made.ts";

const copyright = (name: string, license: string) => ({
  name: `usr/share/doc/${name}/copyright`,
  text: `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: x\nLicense: ${license}\n`,
});
const file = (name: string, text: string, mode = 0o644) => ({ name, text, mode });

const BASE: LayerMade = [
  "base",
  [dpkgStatus("libc@1", "old@1"), copyright("old", "GPL-3+"), file("etc/same", "x"), file("bin/tool", "t")],
];
const BEFORE: readonly LayerMade[] = [
  BASE,
  ["RUN install # buildkit", [dpkgStatus("libc@1", "old@1", "openssl@3.0.14-1"), file("etc/gone", "1")]],
  ["RUN true # buildkit", []],
];
const AFTER: readonly LayerMade[] = [
  BASE,
  [
    "RUN install # buildkit",
    [
      dpkgStatus("libc@1", "openssl@3.0.15-1", "curl@7"),
      copyright("curl", "Expat"),
      { name: "usr/share/doc/old/.wh.copyright", text: "" },
      file("etc/new", "1234"),
      file("bin/tool", "t", 0o755),
    ],
  ],
  ["RUN true # buildkit", []],
];

interface Difference {
  fragments: unknown;
  packages: { name: string; from: string[]; to: string[]; change: string; fragment: string | null }[];
  files: { list: { path: string; how: string[]; mode: object }[] } | null;
  missing: { side: string; what: string; why: string }[];
}

/** Two records of one cell: the second has a later core, another argument and other files. */
async function two() {
  const made = await inspected();
  const one = await made.put(BEFORE, { tag: "1", config: { Env: ["A=1"], User: "app" } });
  const fragments = [{ name: "core", version: "0.2.0", digest: `sha256:${"c".repeat(64)}` }];
  const other = await made.put(AFTER, {
    tag: "2",
    config: { Env: ["A=2"], User: "app" },
    start: new Date("2026-11-22T01:02:03.456Z"),
    inputs: { fragments, args: { port: 9090 } },
  });
  return { ...made, one, other };
}

describe("factory diff", () => {
  it("names a base from another manifest as people know it", async () => {
    const made = await inspected();
    const digest = `sha256:${"d".repeat(64)}`;
    const one = await made.put(BEFORE, { tag: "1" });
    const other = await made.put(BEFORE, {
      tag: "2",
      start: new Date("2026-11-22T01:02:03.456Z"),
      inputs: { images: [{ role: "base", ref: parentRef("mini"), digest }] },
    });
    const { inputs } = (await made.json("diff", one.record.record_id, other.record.record_id)) as {
      inputs?: unknown;
    };
    expect(inputs).toEqual([
      {
        name: "base",
        from: expect.stringMatching(/^debian:bookworm-slim@sha256:/) as unknown,
        to: `the image of mini@${digest}`,
      },
    ]);
  });

  it("says what changed: fragments, inputs, packages with their fragment, licences, sizes, files, configuration", async () => {
    const { json, one, other } = await two();
    const found = (await json("diff", one.record.record_id, other.record.record_id)) as unknown as Difference;
    expect(found).toMatchObject({
      a: { record_id: one.record.record_id, digest: one.digest, status: "pass" },
      b: { record_id: other.record.record_id, digest: other.digest },
      fragments: [{ name: "core", from: "0.1.0", to: "0.2.0", same_version: false }],
      inputs: [{ name: "argument port", from: "8080", to: "9090" }],
      licenses: [
        { license: "MIT", change: "added", packages: ["curl"] },
        { license: "GPL-3.0-or-later", change: "removed", packages: ["old"] },
      ],
      config: [{ name: "config.Env", from: ["A=1"], to: ["A=2"] }],
      tests: [],
      missing: [],
    });
    expect(found.packages.map(({ name, change, fragment }) => [name, change, fragment])).toEqual([
      ["curl", "added", "core@0.2.0"],
      ["old", "removed", "base"],
      ["openssl", "upgraded", "core@0.2.0"],
    ]);
    expect(found.files).toMatchObject({ added: 2, removed: 2, changed: 2, times: 0, left_out: 0 });
    expect(found.files?.list).toEqual([
      { path: "/bin/tool", how: ["mode"], mode: { from: "0644", to: "0755" } },
      { path: "/etc/gone", how: ["removed"], mode: { from: "0644", to: null } },
      { path: "/etc/new", how: ["added"], mode: { from: null, to: "0644" } },
      { path: "/usr/share/doc/curl/copyright", how: ["added"], mode: { from: null, to: "0644" } },
      { path: "/usr/share/doc/old/copyright", how: ["removed"], mode: { from: "0644", to: null } },
      { path: "/var/lib/dpkg/status", how: ["content"], mode: { from: "0644", to: "0644" } },
    ]);
  });

  it("takes cells and images too, and finds nothing between a thing and itself", async () => {
    const { json, call, one, other } = await two();
    const found = (await json("diff", one.ref, "demo.linux-amd64")) as unknown as Difference;
    expect(found).toMatchObject({
      a: { record_id: one.record.record_id },
      b: { record_id: other.record.record_id },
    });
    expect(found.packages).toHaveLength(3);
    const { status, stdout } = await call("diff", other.ref, "demo.linux-amd64");
    expect([status, stdout]).toEqual([
      0,
      expect.stringContaining("nothing differs in what could be compared"),
    ]);
  });

  it("compares what is left where an image is gone, and says what it could not", async () => {
    const { json, stored, one, other } = await two();
    stored.manifests.delete(one.digest);
    const found = (await json("diff", one.record.record_id, other.record.record_id)) as unknown as Difference;
    expect(found).toMatchObject({
      fragments: [{ name: "core" }],
      files: null,
      config: null,
      sizes: null,
      missing: [{ side: "a", what: "the image" }],
    });
    // The recorded SBOM of the test lists nothing.
    expect(found.packages.every(({ change }) => change === "added")).toBe(true);
  });

  it("writes text, Markdown and HTML from the same tables", async () => {
    const { call, root, one, other } = await two();
    const ids = [one.record.record_id, other.record.record_id];
    const { stdout: text } = await call("diff", ...ids);
    expect(text).toMatch(/^openssl +upgraded +3\.0\.14-1 +3\.0\.15-1 +core@0\.2\.0$/m);
    expect(text).toMatch(/^\/bin\/tool +mode +0644 → 0755$/m);
    const { stdout: markdown } = await call("diff", ...ids, "--format", "markdown");
    expect(markdown).toContain("| openssl | upgraded | 3.0.14-1 | 3.0.15-1 | core&#64;0.2.0 |");
    expect((await call("diff", ...ids, "--format", "html", "-o", "diff.html")).status).toBe(0);
    const html = readFileSync(join(root, "diff.html"), "utf8");
    expect(html).toContain("<td>openssl</td><td>upgraded</td>");
    expect(html).not.toContain("<script");
  });

  it("shows names as text, whatever they are, and says how many rows are left out", () => {
    const evil = '<script>alert("x")</script>|[a](http://x)\u001b[31m\u202e';
    const report = {
      title: evil,
      lines: [evil],
      sections: [{ title: "T", head: ["A"], rows: [[evil], ["b"]] }],
    };
    const [html, markdown] = [reportHtml(report, 1), reportMarkdown(report, 1)];
    for (const text of [html, markdown]) {
      expect(text).not.toMatch(/<script>|\u001b|\u202e/);
      expect(text).toContain("and 1 more");
    }
    expect(markdown).not.toContain("](http");
  });
});

describe("a cell at a commit", () => {
  const source = (commit: string, dirty = false) => ({ draft: { source: { commit, dirty, ci_url: null } } });
  const at = (day: number) => new Date(`2026-11-1${day}T01:02:03.456Z`);

  it("is its newest record of that commit, by a branch or by the beginning of a hash", async () => {
    const made = await inspected();
    const git = (...argv: string[]) =>
      spawnSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", "-C", made.root, ...argv], {
        encoding: "utf8",
      });
    git("init", "--quiet", "--initial-branch=main");
    git("commit", "--quiet", "--allow-empty", "--message=one");
    const here = git("rev-parse", "HEAD").stdout.trim();
    const gone = "0123456789abcdef0123456789abcdef01234567";
    const old = await made.put(BEFORE, { tag: "1", start: at(1), ...source(gone) });
    const dirty = await made.put(AFTER, { tag: "2", start: at(2), ...source(here, true) });
    const clean = await made.put(BEFORE, { tag: "3", start: at(3), ...source(here) });
    const newest = await made.put(AFTER, { tag: "4", start: at(4), ...source("f".repeat(40)) });
    const { cell_id } = newest.record;
    expect(new Set([old, dirty, clean].map(({ record }) => record.cell_id))).toEqual(new Set([cell_id]));
    for (const [ref, wanted] of [
      ["main", clean],
      ["HEAD", clean],
      [here.slice(0, 9), clean],
      [gone, old],
      [gone.slice(0, 7), old],
    ] as const) {
      const { a, b } = (await made.json("diff", `${cell_id}@${ref}`, cell_id)) as Record<
        "a" | "b",
        { record_id: string }
      >;
      expect(a.record_id, ref).toBe(wanted.record.record_id);
      expect(b.record_id).toBe(newest.record.record_id);
    }
    const { record_id } = await made.json("inspect", `${cell_id}@main`);
    expect(record_id).toBe(clean.record.record_id);
  });

  it("that has none, only one with changes beside it, or is unknown to git is told", async () => {
    const made = await inspected();
    const { record } = await made.put(BEFORE, { start: at(1), ...source("f".repeat(40), true) });
    const ask = async (ref: string) => (await made.call("inspect", `${record.cell_id}@${ref}`)).stderr;
    expect(await ask("fffffff")).toContain("has changes beside the commit");
    expect(await ask("0000000")).toContain("there is no record of");
    expect(await ask("--upload-pack=x")).toContain("git knows no commit");
    expect(await ask("main")).toContain("git knows no commit");
  });

  it("is no image, and an image by its digest is no commit", async () => {
    const made = await inspected();
    const { ref, digest, record } = await made.put(BEFORE, { ...source("f".repeat(40)) });
    const named = `${ref.replace(/:1$/, "")}@${digest}`;
    expect(await made.json("inspect", named)).toMatchObject({ record_id: record.record_id });
    expect((await made.call("inspect", "no.such.cell@main")).status).toBe(2);
  });
});

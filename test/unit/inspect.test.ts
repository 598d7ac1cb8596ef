import { describe, expect, it } from "vitest";
import { type Usage, usageOf } from "../../src/inspect/layer-usage.ts";
import { recordProving } from "../../src/inspect/told.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import type { ScanFinding } from "../../src/scan/scan-finding.ts";
import { keepReport } from "../../src/scan/scan-store.ts";
import { imageOf, type Made, tarOf } from "./compare-made.ts";
import { dpkgStatus, inspected, type LayerMade, putLayers } from "./inspect-made.ts";

const options = { signal: new AbortController().signal, onBytes: () => undefined };

/** What layers with these files take: `[files, bytes, duplicated, deleted]` of each. */
async function usage(...layers: (readonly Made[])[]) {
  const found = await usageOf(imageOf(await Promise.all(layers.map(tarOf))), options);
  const four = ({ files, bytes, duplicated_bytes, deleted_bytes }: Usage) => [
    files,
    bytes,
    duplicated_bytes,
    deleted_bytes,
  ];
  return { layers: found.layers.map(four), wasted: found.wasted };
}

const file = (name: string, text: string): Made => ({ name, text });
const folder = (name: string): Made => ({ name, type: "directory" });

describe("what a layer takes", () => {
  it("is its files; links and devices have no bytes, folders and whiteouts are no files", async () => {
    const { layers } = await usage(
      [
        folder("etc"),
        file("etc/a", "12345"),
        { name: "etc/b", type: "symlink", linkname: "a" },
        { name: "etc/c", type: "link", linkname: "etc/a" },
        { name: "dev/null", type: "character-device" },
      ],
      [file("etc/.wh.zz", "")],
      [],
    );
    expect(layers).toEqual([
      [4, 5, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
  });

  it("is duplicated if the path is written again, as much as stays hidden, or if the same bytes are there already", async () => {
    const { layers, wasted } = await usage(
      [file("a", "12345"), file("b", "same bytes"), file("c", "same bytes")],
      [{ ...file("a", "12345"), mode: 0o600 }, file("d", "same bytes"), file("e", "new")],
      [file("e", "longer than before")],
    );
    expect(layers).toEqual([
      [3, 25, 10, 0],
      [3, 18, 15, 0],
      [1, 18, 3, 0],
    ]);
    expect(wasted).toEqual([
      { path: "/c", how: "duplicated", bytes: 10, layer: 1 },
      { path: "/d", how: "duplicated", bytes: 10, layer: 2 },
      { path: "/a", how: "duplicated", bytes: 5, layer: 2 },
      { path: "/e", how: "duplicated", bytes: 3, layer: 3 },
    ]);
  });

  it("is deleted if a later layer hides it: by a whiteout of it or of a folder, an opaque folder, or a file in its place", async () => {
    const { layers, wasted } = await usage(
      [
        file("a", "1"),
        file("b/x/y", "22"),
        folder("c"),
        file("c/x", "333"),
        folder("d"),
        file("d/x", "4444"),
        file("dd/x", "55555"),
        file("e", "666666"),
      ],
      [
        file(".wh.a", ""),
        file(".wh.b", ""),
        file("c/.wh..wh..opq", ""),
        file("c/x2", "7777777"),
        file("d", "8"),
      ],
      [file(".wh.e", ""), file("e", "999999999")],
    );
    expect(layers).toEqual([
      [6, 21, 0, 10],
      [2, 8, 0, 0],
      [1, 9, 6, 0],
    ]);
    expect(wasted.filter(({ how }) => how === "deleted").map(({ path, layer }) => [path, layer])).toEqual([
      ["/d/x", 1],
      ["/c/x", 1],
      ["/b/x/y", 1],
      ["/a", 1],
    ]);
  });

  it("counts a path that a tar names twice, and names that are no paths", async () => {
    const { layers } = await usage([
      file("./a", "12"),
      file("a", "345"),
      file("../x", "6"),
      file("../x", "7"),
    ]);
    expect(layers).toEqual([[4, 7, 3, 0]]);
  });
});

const BASE: LayerMade = [
  "base",
  [dpkgStatus("libc@1", "openssl@1"), file("usr/lib/libc.so", "c".repeat(100))],
];
const CORE: LayerMade = [
  "RUN install # buildkit",
  [
    dpkgStatus("libc@1", "openssl@2", "curl@7"),
    file("usr/bin/curl", "u".repeat(50)),
    file("usr/lib/.wh.libc.so", ""),
  ],
];
const OWN: LayerMade = ["RUN true # buildkit", []];

const finding = (
  id: string,
  severity: ScanFinding["severity"],
  of: Pick<ScanFinding, "package" | "version" | "purl">,
): ScanFinding => ({ id, kind: "vulnerability", severity, fixed: null, title: id, url: null, ...of });

interface Inspected {
  record_id: string | null;
  digest: string;
  platform: string;
  fragments: Record<string, unknown>[];
  layers: Record<string, unknown>[];
  wasted: { path: string }[];
  total: Record<string, unknown>;
  notes: string[];
}

describe("factory inspect", () => {
  it("says of a record, a cell and an image what each fragment brought", async () => {
    const { put, json, call } = await inspected();
    const { record, ref, digest } = await put([BASE, CORE, OWN]);
    const found = (await json("inspect", record.record_id)) as unknown as Inspected;
    expect(found).toMatchObject({
      subject: record.record_id,
      record_id: record.record_id,
      cell_id: "demo.linux-amd64",
      digest,
      platform: "linux/amd64",
      notes: [],
      total: { layers: 3, packages: 3, files: 4, deleted_bytes: 100, findings: null },
    });
    expect(
      found.fragments.map(({ fragment, version, layers, packages, files, deleted_bytes }) => [
        fragment,
        version,
        layers,
        packages,
        files,
        deleted_bytes,
      ]),
    ).toEqual([
      ["base", null, 1, 1, 2, 100],
      ["core@0.1.0", "0.1.0", 1, 2, 2, 0],
      ["template", null, 1, 0, 0, 0],
    ]);
    expect(found.layers.map(({ instruction }) => instruction)).toEqual([
      "base",
      "RUN install # buildkit",
      "RUN true # buildkit",
    ]);
    for (const what of [record.cell_id, ref, `${ref.replace(/:1$/, "")}@${digest}`])
      expect(await json("inspect", what)).toEqual({ ...found, subject: what });
    const { stdout } = await call("inspect", record.cell_id);
    expect(stdout).toMatch(/^core@0\.1\.0 +1 +\d+ B +\d+ B +2 +2 /m);
    expect(stdout).toContain("/usr/lib/libc.so  100 B deleted, in layer 1");
  });

  it("looks into an image of nobody's, and says that nobody knows whose its layers are", async () => {
    const { put, json, host, stored } = await inspected();
    await put([BASE, CORE, OWN]);
    const { digest } = await putLayers(stored, [
      BASE,
      ["COPY \u001b[31mx /", [file("x\u202e\u0007y", "1"), file("z", "1")]],
    ]);
    const found = (await json("inspect", `${host}/team/app@${digest}`)) as unknown as Inspected;
    expect(found).toMatchObject({ record_id: null, fragments: [{ fragment: null, layers: 2, packages: 2 }] });
    expect(found.notes[0]).toContain("no record here has");
  });

  it("counts what the newest scan of this very image found, by the fragment that brought the package", async () => {
    const { put, json, root } = await inspected();
    const { record, digest } = await put([BASE, CORE, OWN]);
    const scan = (scanned_at: string, of: string, ...ids: string[]) =>
      keepReport(root, "demo", {
        schema_version: 1,
        scanned_at,
        subject: {
          manifest_digest: of,
          platform: record.platform,
          record_id: record.record_id,
          sbom_sha256: record.evidence.sbom?.sha256 ?? "",
        },
        outcome: {
          state: "scanned",
          scanner: { name: "grype", version: "1", database: null },
          findings: ids.flatMap((id) => [
            finding(id, "high", {
              package: "openssl",
              version: "2",
              purl: "pkg:deb/debian/openssl@2?arch=x",
            }),
            finding(id, "low", { package: "libc", version: "1", purl: null }),
            finding(id, "low", { package: "elsewhere", version: "1", purl: null }),
          ]),
        },
      });
    scan("2026-11-22T00:00:00.000Z", digest, "CVE-1");
    scan("2026-11-23T00:00:00.000Z", digest, "CVE-1", "CVE-2");
    scan("2026-11-24T00:00:00.000Z", `sha256:${"0".repeat(64)}`, "CVE-3");
    const found = (await json("inspect", record.record_id)) as unknown as Inspected;
    expect(found.fragments.map(({ fragment, findings }) => [fragment, findings])).toEqual([
      ["base", { low: 2 }],
      ["core@0.1.0", { high: 2 }],
      ["template", {}],
    ]);
    expect(found.total.findings).toEqual({ high: 2, low: 4 });
  });

  it("knows the record of an image whose configuration names a variant of its platform, and of no other platform", async () => {
    const { put, root } = await inspected();
    const { record, digest } = await put([BASE, CORE, OWN]);
    const proving = async (platform: string) =>
      (await recordProving([digest], platform, openStore(root)))?.record.record_id;
    expect(await proving("linux/amd64/v2")).toBe(record.record_id);
    expect(await proving("linux/arm64")).toBeUndefined();
  });
});

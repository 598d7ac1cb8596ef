import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import { attribute, readAttributes } from "../../src/model/attributes.ts";
import type { CachePlace } from "../../src/model/cache-place.ts";
import { fromEntry, toEntry, writtenRef } from "../../src/plan/cache-entries.ts";
import { expand } from "../../src/plan/expand.ts";
import { lint } from "../../src/plan/lint.ts";
import { bakeFile } from "../../src/plan/formats/bake-files.ts";
import { cacheFrom, cacheTo, prefixTargets } from "../../src/plan/prefix.ts";
import { withCell } from "../../src/plan/cell.ts";
import { workspace } from "../fixtures/catalog/workspace.ts";
import { madeCell } from "./plan-made-cells.ts";
import { makeCatalog } from "./workspace.ts";

const S3 = {
  type: "s3",
  bucket: "team-cache",
  region: "eu-west-1",
  prefix: "factory/",
  endpoint_url: null,
  use_path_style: false,
} as const;

const PLACES: CachePlace[] = [
  { type: "registry", repository: "registry.example:5000/team/cache" },
  { type: "gha" },
  S3,
  { type: "local", folder: ".factory/cache" },
];

describe("attributes of an entry", () => {
  it("are what was said, whatever is in them", () => {
    const name = fc.stringMatching(/^[a-z_]{1,10}$/);
    const value = fc.oneof(fc.string(), fc.stringMatching(/^[",= a]{0,12}$/), fc.string({ unit: "binary" }));
    fc.assert(
      fc.property(fc.dictionary(name, value, { noNullPrototype: true }), (said) => {
        const entry = Object.entries(said).map(([key, one]) => attribute(key, one));
        expect([...readAttributes(entry.join(","))]).toEqual(Object.entries(said));
      }),
    );
  });

  it("are read to the end, or not at all", () => {
    expect([...readAttributes('a=1,"b')]).toEqual([["a", "1"]]);
    expect([...readAttributes('"a"b=1')]).toEqual([]);
    expect([...readAttributes(",,a=1=2,b,")]).toEqual([["a", "1=2"]]);
  });
});

describe("cache entries", () => {
  it.each([
    [
      PLACES[0],
      "type=registry,ref=registry.example:5000/team/cache:t",
      "type=registry,ref=registry.example:5000/team/cache:t,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true",
    ],
    [PLACES[1], "type=gha,scope=t", "type=gha,scope=t,mode=max,ignore-error=true"],
    [
      S3,
      "type=s3,bucket=team-cache,region=eu-west-1,prefix=factory/,name=t",
      "type=s3,bucket=team-cache,region=eu-west-1,prefix=factory/,name=t,mode=max,ignore-error=true",
    ],
    [
      { ...S3, prefix: "", endpoint_url: "https://minio.example:9000", use_path_style: true },
      "type=s3,bucket=team-cache,region=eu-west-1,endpoint_url=https://minio.example:9000,use_path_style=true,name=t",
      "type=s3,bucket=team-cache,region=eu-west-1,endpoint_url=https://minio.example:9000,use_path_style=true,name=t,mode=max,ignore-error=true",
    ],
    [
      { type: "local", folder: 'a,b/"c"' },
      'type=local,"src=a,b/""c""/t"',
      'type=local,"dest=a,b/""c""/t",mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true',
    ],
  ] as [CachePlace, string, string][])("of %o", (place, from, to) => {
    expect(fromEntry(place, "t")).toBe(from);
    expect(toEntry(place, "t")).toBe(to);
  });

  it("tell the ref that they write", () => {
    expect(PLACES.map((place) => writtenRef(toEntry(place, "core-1")))).toEqual([
      {
        before: "registry.example:5000/team/cache:",
        tag: "core-1",
        repository: "registry.example:5000/team/cache",
      },
      { before: "", tag: "core-1" },
      { before: "", tag: "core-1" },
      { before: ".factory/cache/", tag: "core-1" },
    ]);
    expect(writtenRef("type=inline")).toBeUndefined();
  });

  it.each(PLACES)("of $type keep prefixes and platforms apart", (place) => {
    const cells = ["linux/amd64", "linux/arm64", "linux/arm/v7"].flatMap((platform) =>
      ["0.1.0", "0.2.0"].map((core) => {
        const cell = madeCell({ fragments: { core, top: "1.0.0" }, platform });
        const { prefixes } = cell.keys;
        return withCell(cell, {
          cache_from: cacheFrom(place, prefixes, platform),
          cache_to: cacheTo(place, prefixes, platform),
        });
      }),
    );
    const targets = prefixTargets(cells, { place, writes: true });
    const written = [...cells.map(({ cell }) => cell), ...targets].flatMap(({ cache_to }) => cache_to);
    expect(new Set(written.map((entry) => writtenRef(entry)?.tag)).size).toBe(written.length);
    expect(written.length).toBe(12);
    expect(lint(cells)).toEqual([]);
    for (const { cell } of cells) {
      const tags = cell.cache_from.map((entry) => entry.replace("src=", "dest="));
      expect(cell.cache_to[0]?.startsWith(tags[0] ?? "-")).toBe(true);
      expect(tags).toHaveLength(2);
    }
    const [first] = cells;
    const other = cells[2];
    if (!first || !other) throw new Error("no cells");
    const taken = withCell(other, { cache_to: first.cell.cache_to });
    expect(lint([first, taken]).map(({ code }) => code)).toContain("CACHE_REF_SHARED");
  });

  it("are not written where the cache is only read", () => {
    const cells = [madeCell({ fragments: { core: "0.1.0", top: "1.0.0" } })];
    const file = (writes: boolean) =>
      bakeFile(cells, {
        dockerfile: () => "D",
        cache: { place: { type: "gha" }, writes },
        output: () => [],
      }).text;
    expect(file(true)).toContain("cache-to");
    expect(file(false)).not.toContain("cache-to");
    expect(file(false)).toContain("cache-from");
  });
});

describe("the cache of factory.yaml", () => {
  const settings = (cache: string) =>
    openCatalog(workspace({ "factory.yaml": `schema_version: 1\ncache: ${cache}\n` })).settings().cache;

  it.each([
    ["{repository: r.example/c}", { type: "registry", repository: "r.example/c" }],
    ["{type: registry, repository: r.example/c}", { type: "registry", repository: "r.example/c" }],
    ["{type: gha}", { type: "gha" }],
    ["{type: local}", { type: "local", folder: ".factory/cache" }],
    ['{type: local, folder: "a, b/c"}', { type: "local", folder: "a, b/c" }],
    ["{type: s3, bucket: team-cache, region: eu-west-1, prefix: factory}", S3],
  ])("may be %s", (text, place) => {
    expect(settings(text)).toEqual({ place, write: "always" });
    expect(settings(text.replace("}", ", write: pushes}"))).toEqual({ place, write: "pushes" });
  });

  it.each([
    ["{write: pushes}", "SCHEMA_MISSING_FIELD"],
    ["{type: s3, bucket: team-cache}", "SCHEMA_MISSING_FIELD"],
    ["{type: gha, repository: r.example/c}", "SCHEMA_UNKNOWN_FIELD"],
    ["{type: registry, repository: r.example/c, folder: x}", "SCHEMA_UNKNOWN_FIELD"],
    ["{type: azblob}", "SCHEMA"],
    ["{}", "SCHEMA"],
    ["{type: local, folder: ../x}", "FILE_OUTSIDE"],
    ["{type: local, folder: a/../..}", "FILE_OUTSIDE"],
    ["{type: local, folder: a/./b}", "FILE_OUTSIDE"],
    ["{type: local, folder: .}", "FILE_OUTSIDE"],
    ["{type: local, folder: /x}", "SCHEMA"],
    ['{type: local, folder: "a\\nb"}', "SCHEMA"],
    ['{type: local, folder: "${x}"}', "SCHEMA"],
    ["{type: s3, bucket: 'b,region=x', region: r}", "SCHEMA"],
    ["{type: s3, bucket: team-cache, region: 'r,name=x'}", "SCHEMA"],
    ["{type: s3, bucket: team-cache, region: r, endpoint_url: 'https://user:pw@minio.example'}", "SCHEMA"],
    ["{type: s3, bucket: team-cache, region: r, access_key_id: x}", "SCHEMA_UNKNOWN_FIELD"],
  ])("may not be %s", (text, code) => {
    const { findings } = openCatalog(
      workspace({ "factory.yaml": `schema_version: 1\ncache: ${text}\n` }),
    ).loadSettings();
    expect(findings.map((one) => one.code)).toContain(code);
  });

  it("is read and written by the cells of a plan", () => {
    const catalog = makeCatalog({ "factory.yaml": "schema_version: 1\ncache: {type: gha, write: pushes}\n" });
    const { cells } = expand(catalog, { manifestId: "demo" }, { today: "2026-01-01" });
    expect(cells[0]?.cell.cache_from[0]).toMatch(/^type=gha,scope=/);
    expect(cells[0]?.cell.cache_to[0]).toMatch(/^type=gha,scope=.*,mode=max/);
  });
});

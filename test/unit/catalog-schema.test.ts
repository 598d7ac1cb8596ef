import { describe, expect, it } from "vitest";
import { checkSchema } from "../../src/catalog/schema.ts";
import type { Kind } from "../../src/catalog/schema.ts";
import { parseYaml } from "../../src/catalog/yaml.ts";
import type { Finding } from "../../src/errors.ts";

function check(kind: Kind, text: string): Finding[] {
  const parsed = parseYaml(text, "x.yaml");
  expect(parsed.findings).toEqual([]);
  return checkSchema(kind, parsed).findings;
}

const HEAD = "schema_version: 1\nmanifest_id: m\nbase: debian\n";
const MANIFEST = `${HEAD}template: t@0.1.0\nfragments: {core: 0.1.0}\n`;

describe("checkSchema", () => {
  it("is silent about a sound document", () => {
    expect(check("manifest", MANIFEST)).toEqual([]);
  });

  it.each([
    [
      "platfroms: [linux/amd64]",
      "SCHEMA_UNKNOWN_FIELD",
      "6:1",
      "there is no field `platfroms`",
      "did you mean `platforms`?",
    ],
    [
      "nothing_like_it: 1",
      "SCHEMA_UNKNOWN_FIELD",
      "6:1",
      "nothing_like_it",
      "the fields are: `schema_version`",
    ],
    ["platforms: linux/amd64", "SCHEMA", "6:12", "`platforms` is the text `linux/amd64`", "wanted: a list"],
    ["platforms:", "SCHEMA", "6:1", "`platforms` is empty", "wanted: a list"],
    ["platforms: [linux/amd64, linux/amd64]", "SCHEMA", "6:26", "has an entry twice", "keep one"],
    ["platforms: []", "SCHEMA", "6:12", "too few entries (0)", "wanted: a list"],
    ["args: {port: [[1]]}", "SCHEMA", "6:15", "`args.port[0]` is a list", "a whole number"],
    ["args: {port: [null]}", "SCHEMA", "6:15", "`args.port[0]` is empty", "a whole number"],
    ["args: {Port: 1}", "SCHEMA", "6:8", "`Port` cannot be a name in `args`", "lower-case"],
    ["gpus: many", "SCHEMA", "6:7", "`gpus` is the text `many`", "from 1 to 64"],
    ['summary: "a\\nb"', "SCHEMA", "6:10", "`a\\nb`", "One line of text"],
    ["smoke: [{id: a}]", "SCHEMA", "6:9", "`smoke[0]` has too few entries", "exactly one of command"],
    [
      "smoke: [{id: a, http: {port: '80', path: /}}]",
      "SCHEMA",
      "6:30",
      "the text `80`, not a number",
      "without quotes: 80",
    ],
    [
      "smoke: [{id: a, http: {path: /}}]",
      "SCHEMA_MISSING_FIELD",
      "6:23",
      "`port` is missing in `smoke[0].http`",
      "from 1 to 65535",
    ],
  ])("explains %j", (line, code, at, what, fix) => {
    const findings = check("manifest", `${MANIFEST}${line}\n`);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ code, where: { file: "x.yaml" } });
    expect(`${findings[0]?.where?.line}:${findings[0]?.where?.col}`).toBe(at);
    expect(findings[0]?.what).toContain(what);
    expect(findings[0]?.fix).toContain(fix);
  });

  it("says to quote a number where a version is wanted, as it is written", () => {
    const [finding, ...rest] = check("manifest", `${HEAD}template: t@0.1.0\nfragments: {core: 0.10}\n`);
    expect(rest).toEqual([]);
    expect(finding?.fix).toContain('quote it: "0.10"');
    expect(finding?.where).toMatchObject({ line: 5, col: 19 });
  });

  it("takes a misspelt field for the missing one", () => {
    const findings = check("manifest", `${HEAD}templat: t@0.1.0\nfragments: {core: 0.1.0}\n`);
    expect(findings.map(({ fix }) => fix)).toEqual(["did you mean `template`?"]);
  });

  it("gives all at once, one for each problem", () => {
    const findings = check(
      "fragment",
      "schema_version: 2\nname: A\nversion: 0.1\norder: high\nargs: {a: {type: strin}}\n",
    );
    expect(findings.map(({ what }) => what.split(" ")[0])).toEqual([
      "`schema_version`",
      "`name`",
      "`version`",
      "`order`",
      "`args.a.type`",
    ]);
  });

  it.each([
    "../x",
    "a/b",
    "a\\nb",
    "a\\0",
    "$(id)",
    "`id`",
    "${x}",
    "%{x}",
    "a;b",
    "a b",
    "A",
    "-a",
    "ü",
    "x".repeat(64),
  ])("refuses the id and the version %j everywhere", (bad) => {
    const quoted = `"${bad}"`;
    const documents: [Kind, string, number][] = [
      [
        "manifest",
        `schema_version: 1\nmanifest_id: ${quoted}\nbase: a\ntemplate: ${quoted}\nfragments: {${quoted}: ${quoted}}\n`,
        3,
      ],
      [
        "fragment",
        `schema_version: 1\nname: ${quoted}\nversion: ${quoted}\norder: 1\nslot: ${quoted}\nrequires: {${quoted}: 1.0.0}\n`,
        4,
      ],
      [
        "template",
        `schema_version: 1\ntemplate_id: ${quoted}\nversion: ${quoted}\nslots: [{name: ${quoted}}]\n`,
        3,
      ],
      [
        "plan",
        `schema_version: 1\nplan_id: ${quoted}\nmanifest_id: ${quoted}\naxes: {${quoted}: [${quoted}]}\n`,
        4,
      ],
      [
        "product",
        `schema_version: 1\nproduct_id: ${quoted}\nmanifest_id: ${quoted}\nrepository: ${quoted}\ntags: [${quoted}]\n`,
        2,
      ],
    ];
    // These may be versions of a fragment whose scheme is `opaque`.
    const isVersion = /^[A-Za-z]+$/.test(bad);
    for (const [kind, text, least] of documents) {
      const findings = check(kind, text);
      const wanted = isVersion && (kind === "fragment" || kind === "plan") ? least - 1 : least;
      expect(findings.length, `${kind} ${text}`).toBeGreaterThanOrEqual(wanted);
      for (const { what } of findings) expect(what).not.toMatch(/\p{Cc}/u);
    }
  });

  it("names what an empty file should be", () => {
    expect(check("plan", "# nothing\n")).toMatchObject([
      { code: "SCHEMA", what: "the document is empty", where: { line: 1, col: 1 } },
    ]);
    expect(check("plan", "- a\n")).toMatchObject([{ code: "SCHEMA", where: { line: 1, col: 1 } }]);
  });

  it("comes to an end with a document of 20,000 unknown fields, and one of 20,000 entries", () => {
    const fields = Array.from({ length: 20_000 }, (_, index) => `f${index}: 1`).join("\n");
    expect(check("manifest", `${MANIFEST}${fields}\n`).length).toBeGreaterThan(100);
    const platforms = Array.from({ length: 20_000 }, (_, index) => `linux/a${index}`).join(",");
    expect(check("manifest", `${MANIFEST}platforms: [${platforms}]\n`)).toHaveLength(1);
  });
});

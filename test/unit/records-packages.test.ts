import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareAlpine } from "../../src/model/alpine-version.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import { compareVersions } from "../../src/records/packages/package-order.ts";
import { type HeldPackage, packageTest } from "../../src/records/packages/package-test.ts";
import { packagesIn } from "../../src/records/packages/sbom-packages.ts";
import { idAt, record } from "./records-made.ts";
import { settled } from "./records-scan.ts";
import { errorFrom, factory, makeWorkspace, sha256, temporaryFolder } from "./workspace.ts";

const held = (purl: string, fragment?: string) =>
  packagesIn({
    bomFormat: "CycloneDX",
    components: [{ purl, ...(fragment && { properties: [{ name: "factory:fragment", value: fragment }] }) }],
  })?.[0] as HeldPackage;

const LIBSSL = "pkg:deb/debian/libssl3@3.0.14-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl";

describe("versions of packages", () => {
  it.each<[string, string, string, string]>([
    ["deb", "3.0.14-1~deb12u2", "<", "3.0.15"],
    ["deb", "1:1.0", ">", "2.0"],
    ["deb", "1.0~rc1", "<", "1.0"],
    ["npm", "1.10.0", ">", "1.9"],
    ["npm", "2.0.0-rc.1", "<", "2"],
    ["cargo", "0.2.0", "<", "0.10.0"],
    ["golang", "v1.2.3", "=", "1.2.3"],
    ["pypi", "1.0rc1", "<", "1.0"],
    ["pypi", "1!0.1", ">", "2"],
    ["apk", "3.0.14-r0", "<", "3.0.15"],
    ["apk", "1.2.3_rc1-r0", "<", "1.2.3"],
    ["apk", "1.2.3_p1", ">", "1.2.3"],
    ["apk", "1.10", ">", "1.9"],
    ["apk", "1.2.3-r10", ">", "1.2.3-r9"],
    ["apk", "1.2a", ">", "1.2"],
    ["apk", "1.01", "<", "1.1"],
    ["apk", "1.2_alpha2_rc1", "<", "1.2_beta"],
  ])("of %s: %s %s %s", (type, a, sign, b) => {
    const signs = { "<": -1, "=": 0, ">": 1 };
    expect(Math.sign(compareVersions(type, a, b) ?? NaN)).toBe(signs[sign as "<"]);
    expect(Math.sign(compareVersions(type, b, a) ?? NaN)).toBe(-signs[sign as "<"] || 0);
  });

  it("of Alpine are in one order", () => {
    const number = fc.constantFrom("0", "1", "2", "10", "01");
    const version = fc
      .tuple(
        fc.array(number, { minLength: 1, maxLength: 3 }),
        fc.constantFrom("", "a", "b"),
        fc.constantFrom("", "_alpha", "_rc1", "_rc2", "_p1", "_git20200101"),
        fc.constantFrom("", "-r0", "-r1", "-r10"),
      )
      .map(([numbers, ...rest]) => numbers.join(".") + rest.join(""));
    const sign = (a: string, b: string) => Math.sign(compareAlpine(a, b) ?? NaN);
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(sign(a, a)).toBe(0);
        expect(sign(a, b) + sign(b, a)).toBe(0);
        if (sign(a, b) <= 0 && sign(b, c) <= 0) expect(sign(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it("have no order where none is known, and are equal to themselves all the same", () => {
    expect(compareVersions("gem", "1.0", "1.1")).toBeNull();
    expect(compareVersions("deb", "?", "1")).toBeNull();
    expect(compareVersions("npm", "latest", "1")).toBeNull();
    expect(compareVersions("apk", "1.0_odd", "1.0")).toBeNull();
    expect(compareVersions("gem", "1.0", "1.0")).toBe(0);
  });
});

describe("what --package says", () => {
  it.each<[string, string, boolean | null]>([
    ["openssl<3.0.15", LIBSSL, true],
    ["openssl<3.0.14", LIBSSL, false],
    ["libssl3", LIBSSL, true],
    ["deb:openssl>=3.0,<3.0.15", LIBSSL, true],
    ["deb:openssl >= 3.0 , < 3.0.14", LIBSSL, false],
    ["apk:openssl", LIBSSL, false],
    ["openssl!=3.0.14-1~deb12u2", LIBSSL, false],
    ["linux=6.1.5-1", "pkg:deb/debian/linux-image@6.1.5+1?upstream=linux%406.1.5-1", true],
    ["@scope/name=1.2.3", "pkg:npm/%40scope/name@1.2.3", true],
    ["name=1.2.3", "pkg:npm/%40scope/name@1.2.3", false],
    ["Foo_Bar<2", "pkg:pypi/foo-bar@1.0", true],
    ["g++", "pkg:deb/debian/g%2B%2B@12", true],
    ["rails<7", "pkg:gem/rails@6.0", null],
    ["rails=6.0", "pkg:gem/rails@6.0", true],
    ["rails!=6.0", "pkg:gem/rails@6.0", false],
    ["golang.org/x/net<1", "pkg:golang/golang.org/x/net@v0.1.0", true],
  ])("%s of %s", (text, purl, meant) => {
    expect(packageTest(text).test(held(purl))).toBe(meant);
  });

  it.each(["", "<1", "a b", "openssl<", "openssl<>1", "openssl 3", "a@1", "openssl<1,", "x=1 2"])(
    "no package: %s",
    (text) => {
      expect(errorFrom(() => packageTest(text)).code).toBe("USAGE");
    },
  );

  it("ends in bounded time, whatever is said", () => {
    const start = performance.now();
    for (const text of [`${"a/".repeat(20_000)}<`, `a${"<1,".repeat(20_000)}`, `a<${" ".repeat(20_000)}x y`])
      expect(errorFrom(() => packageTest(text)).code).toBe("USAGE");
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe("the packages of an SBOM", () => {
  it("are those with a package URL, nested ones too, with the fragment that is named", () => {
    expect(
      packagesIn({
        bomFormat: "CycloneDX",
        components: [
          { purl: "pkg:npm/a@1", components: [{ purl: "pkg:npm/b@2" }] },
          { name: "no package" },
          { purl: 7 },
          { purl: "nonsense" },
          null,
          { purl: "pkg:npm/a@1" },
        ],
      })?.map(({ name }) => name),
    ).toEqual(["a", "b"]);
    expect(held(LIBSSL, "core@0.2.0")).toMatchObject({ fragment: "core@0.2.0", source: { name: "openssl" } });
    for (const no of [null, {}, [], "x", { bomFormat: "SPDX" }]) expect(packagesIn(no)).toBeUndefined();
  });
});

/** A workspace with a record for each SBOM: the purls in it, or a text that is none. */
function workspaceOf(root: string, sboms: readonly (readonly string[] | string)[]): string {
  for (const [at, purls] of sboms.entries()) {
    const text =
      typeof purls === "string"
        ? purls
        : JSON.stringify({ bomFormat: "CycloneDX", components: purls.map((purl) => ({ purl })) });
    const hex = sha256(text);
    const path = `evidence/sha256/${hex.slice(0, 2)}/${hex}`;
    mkdirSync(dirname(join(root, "records/demo", path)), { recursive: true });
    writeFileSync(join(root, "records/demo", path), text);
    const one = record({
      record_id: idAt(at + 1),
      evidence: { sbom: { path, sha256: hex, bytes: text.length, media_type: "application/json" } },
    });
    writeFileSync(join(root, "records/demo", `${idAt(at + 1)}.json`), JSON.stringify(one));
  }
  return root;
}

const indexOf = (root: string) => join(root, ".factory/records/demo.packages");
const ask = async (root: string, ...texts: string[]) => {
  const { records, doubts } = await openStore(root).list({ packages: texts.map(packageTest) }, settled);
  return { ids: records.map(({ record_id }) => record_id).reverse(), doubts };
};

describe("the index of packages", () => {
  it("says what the SBOMs say, whatever happens to it", { timeout: 120_000 }, async () => {
    const purl = fc
      .tuple(fc.constantFrom("a", "b", "c", "ü"), fc.integer({ min: 0, max: 12 }))
      .map(([name, version]) => `pkg:npm/${encodeURIComponent(name)}@1.${version}.0`);
    const harm = fc.record({
      do: fc.constantFrom("cut", "flip", "append", "repeat", "remove", "none"),
      at: fc.double({ min: 0, max: 0.999, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(purl, { maxLength: 4 }), { minLength: 1, maxLength: 6 }),
        fc.array(harm, { maxLength: 4 }),
        async (sboms, harms) => {
          const root = workspaceOf(temporaryFolder(), sboms);
          for (const one of [{ do: "none", at: 0 }, ...harms]) {
            if (existsSync(indexOf(root))) {
              const bytes = readFileSync(indexOf(root));
              const place = Math.floor(bytes.length * one.at);
              if (one.do === "cut") writeFileSync(indexOf(root), bytes.subarray(0, place));
              if (one.do === "append") appendFileSync(indexOf(root), '["s","x');
              if (one.do === "repeat") appendFileSync(indexOf(root), bytes);
              if (one.do === "remove") rmSync(indexOf(root));
              if (one.do === "flip") {
                bytes[place] = (bytes[place] ?? 0) ^ 1;
                writeFileSync(indexOf(root), bytes);
              }
            }
            const wanted = (test: (purl: string) => boolean) =>
              sboms.flatMap((purls, at) => (purls.some(test) ? [idAt(at + 1)] : []));
            const minor = (text: string) => Number(/@1\.(\d+)/.exec(text)?.[1]);
            expect(await ask(root, "a<1.5")).toEqual({
              ids: wanted((text) => text.includes("/a@") && minor(text) < 5),
              doubts: {},
            });
            expect((await ask(root, "ü", "b>=1.10")).ids).toEqual(
              wanted((text) => text.includes("/%C3%BC@")).filter((id) =>
                wanted((text) => text.includes("/b@") && minor(text) >= 10).includes(id),
              ),
            );
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("is read in place of the evidence, which may be gone by then", async () => {
    const root = workspaceOf(temporaryFolder(), [[LIBSSL], ["pkg:npm/a@1"]]);
    expect((await ask(root, "openssl")).ids).toEqual([idAt(1)]);
    rmSync(join(root, "records/demo/evidence"), { recursive: true });
    expect(await ask(root, "openssl<3.0.15")).toEqual({ ids: [idAt(1)], doubts: {} });
    rmSync(indexOf(root));
    expect(await ask(root, "openssl")).toEqual({ ids: [], doubts: { "its SBOM is missing": 2 } });
  });

  it("says of which records it cannot tell, and why", async () => {
    const root = workspaceOf(temporaryFolder(), [[LIBSSL], "{", "[]", ["pkg:gem/openssl@3.0"]]);
    const file = join(root, "records/demo", `evidence/sha256`);
    expect(existsSync(file)).toBe(true);
    expect(await ask(root, "openssl<3.0.15")).toEqual({
      ids: [idAt(1)],
      doubts: {
        "its SBOM is not a CycloneDX document": 2,
        "versions that cannot be compared (gem)": 1,
      },
    });
  });

  it("answers which image, product, tag and fragment, by the command", () => {
    const root = makeWorkspace({
      "control_plane/products/shop.yaml":
        "schema_version: 1\nproduct_id: shop\nmanifest_id: demo\nrepository: r.example/shop\ntags: [latest]\n",
    });
    workspaceOf(root, [[LIBSSL], ["pkg:npm/a@1"]]);
    const list = (...argv: string[]) =>
      factory(root, ["records", "list", "--package", "openssl<3.0.15", ...argv]);
    const { records, total } = JSON.parse(list("--json").stdout) as {
      records: { packages: HeldPackage[]; products: string[] }[];
      total: number;
    };
    expect(total).toBe(1);
    expect(records[0]).toMatchObject({
      products: ["shop"],
      packages: [{ type: "deb", name: "libssl3", version: "3.0.14-1~deb12u2", fragment: null }],
    });
    expect(list().stdout).toContain("deb:libssl3 3.0.14-1~deb12u2 (source openssl 3.0.14-1~deb12u2)");
    expect(list("--format", "csv").stdout.split("\n")[1]).toContain(",shop");
  });
});

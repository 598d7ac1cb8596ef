import fc from "fast-check";
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import parseExpression from "spdx-expression-parse";
import { describe, expect, test } from "vitest";
import { deflateSync, gunzipSync } from "node:zlib";
import { makeSbom, type SbomDeps, type SbomImage } from "../../src/sbom/sbom.ts";
import { engineWith, savedImage, type TarEntry } from "../fixtures/sbom/image.ts";
import { goBuild, programOf } from "../fixtures/sbom/programs.ts";
import { zipOf } from "../fixtures/sbom/zip.ts";
import { DEBIAN, dpkgDatabase, pythonDistributions } from "../fixtures/sbom/large.ts";

interface Component {
  name: string;
  version?: string;
  purl?: string;
  cpe?: string;
  "bom-ref": string;
  supplier?: { name?: string; contact?: { email?: string }[] };
  licenses?: ({ license: { id?: string; name?: string } } | { expression: string })[];
  properties?: { name: string; value: string }[];
}
interface Bom {
  metadata: { component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn?: string[] }[];
}

const NAME = "127.0.0.1:5000/team/demo:1";

async function sbomOf(
  entries: readonly TarEntry[],
  deps: Partial<SbomDeps> = {},
  image: Partial<SbomImage> = {},
) {
  const { tar, digests } = await savedImage({ "linux/amd64": [entries] });
  const sbom = await makeSbom(
    { ref: NAME, name: NAME, digest: null, ...image },
    { docker: engineWith(tar), now: () => null, clock: () => 0, toolVersion: "0.1.0", ...deps },
  );
  const bom = JSON.parse(sbom.json) as Bom;
  return { ...sbom, bom, digest: digests["linux/amd64"] ?? "" };
}

const named = (bom: Bom, name: string) => bom.components.find((one) => one.name === name);
const fact = (component: Component | undefined, name: string) =>
  component?.properties?.find((one) => one.name === name)?.value;

const deb = (name: string, more = "") =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0-1\n${more}\n`;
const status = (...stanzas: string[]): TarEntry => ({
  name: "var/lib/dpkg/status",
  text: stanzas.join("\n"),
});
const copyright = (name: string, text: string): TarEntry => ({
  name: `usr/share/doc/${name}/copyright`,
  text,
});
const DEP5 = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n";

const library = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

describe("licences", () => {
  const PLAIN =
    "This package is free software; you can redistribute it under the terms of the GNU General Public License, either version 2, or (at your option) any later version.\nSee /usr/share/common-licenses/GPL-2. Parts are under the PSF licence, version 2.\n";

  test("B2.1 a pointer to a common licence is not the licence: the file and its hash are named", async () => {
    const { bom } = await sbomOf([DEBIAN, status(deb("python3.11")), copyright("python3.11", PLAIN)]);
    const found = named(bom, "python3.11");
    expect(found?.licenses).toBeUndefined();
    expect(fact(found, "factory:deb:copyright_file")).toBe("/usr/share/doc/python3.11/copyright");
    expect(fact(found, "factory:deb:copyright_sha256")).toMatch(/^[0-9a-f]{64}$/);
  });

  test("B2.1 a machine-readable file gives one right expression, or a list of its names", async () => {
    const { bom } = await sbomOf([
      DEBIAN,
      status(deb("both"), deb("choice"), deb("strange")),
      copyright("both", `${DEP5}Files: *\nLicense: Expat\n\nFiles: debian/*\nLicense: GPL-2+\n`),
      copyright("choice", `${DEP5}Files: *\nLicense: GPL-1+ or Artistic\n\nFiles: x\nLicense: Expat\n`),
      copyright("strange", `${DEP5}Files: *\nLicense: MIT\n\nFiles: x\nLicense: public-domain\n`),
    ]);
    expect(named(bom, "both")?.licenses).toEqual([
      { license: { id: "MIT" } },
      { license: { id: "GPL-2.0-or-later" } },
    ]);
    const expression = "MIT AND (GPL-1.0-or-later OR LicenseRef-Artistic)";
    expect(named(bom, "choice")?.licenses).toEqual([{ expression }]);
    expect(() => void parseExpression(expression)).not.toThrow();
    // Debian's MIT is not always the one that SPDX calls so.
    expect(named(bom, "strange")?.licenses).toEqual([
      { license: { name: "MIT" } },
      { license: { name: "public-domain" } },
    ]);
  });
});

describe("names that scanners read", () => {
  test("B2.2 purls name source, source version, architecture and point release; an epoch is escaped", async () => {
    const { bom } = await sbomOf([
      DEBIAN,
      { name: "etc/debian_version", text: "12.9\n" },
      status(
        deb("bsdutils", "Source: util-linux (2.38.1-5+b1)\n").replace("1.0-1", "1:2.38.1-5+b1"),
        deb("libssl3", "Source: openssl\n").replace("1.0-1", "3.0.15-1~deb12u1"),
        deb("adduser"),
      ),
    ]);
    expect(bom.components.map((one) => one.purl)).toEqual([
      undefined,
      "pkg:deb/debian/adduser@1.0-1?arch=amd64&distro=debian-12.9",
      "pkg:deb/debian/bsdutils@1%3A2.38.1-5%2Bb1?arch=amd64&distro=debian-12.9&upstream=util-linux%402.38.1-5%2Bb1",
      "pkg:deb/debian/libssl3@3.0.15-1~deb12u1?arch=amd64&distro=debian-12.9&upstream=openssl",
    ]);
    // What syft needs to keep the source package of a document that it converts.
    expect(fact(named(bom, "bsdutils"), "syft:metadata:source")).toBe("util-linux");
    expect(fact(named(bom, "bsdutils"), "syft:metadata:sourceVersion")).toBe("2.38.1-5+b1");
    expect(fact(named(bom, "libssl3"), "syft:metadata:source")).toBe("openssl");
    // A CPE where the vendor is certain, with upstream's version; none elsewhere.
    expect(named(bom, "libssl3")?.cpe).toBe("cpe:2.3:a:openssl:openssl:3.0.15:*:*:*:*:*:*:*");
    expect(named(bom, "bsdutils")?.cpe).toBeUndefined();
    expect(bom.components[0]?.cpe).toBe("cpe:2.3:o:debian:debian_linux:12.9:*:*:*:*:*:*:*");
  });

  test("B2.2 a derivative's point release is not Debian's", async () => {
    const { bom } = await sbomOf([
      { name: "etc/os-release", text: "ID=ubuntu\nVERSION_ID=12\n" },
      { name: "etc/debian_version", text: "12.9\n" },
      status(deb("a")),
    ]);
    expect(named(bom, "a")?.purl).toBe("pkg:deb/ubuntu/a@1.0-1?arch=amd64&distro=ubuntu-12");
  });

  test("B2.4 the subject is repository, manifest digest and platform, whatever asked for it", async () => {
    const entries = [DEBIAN, status(deb("a"))];
    const byTag = await sbomOf(entries);
    const purl = byTag.bom.metadata.component.purl ?? "";
    expect(decodeURIComponent(purl)).toBe(
      `pkg:oci/demo@${byTag.digest}?arch=amd64&repository_url=127.0.0.1:5000/team/demo`,
    );
    expect(byTag.bom.metadata.component).toMatchObject({ version: byTag.digest, "bom-ref": purl });
    // A run names the image by its digest, and knows that of the index.
    const byRun = await sbomOf(
      entries,
      {},
      { ref: byTag.digest, digest: byTag.digest, platform: "linux/amd64" },
    );
    expect(byRun.bom.metadata.component).toEqual(byTag.bom.metadata.component);
    expect(byTag.bom.dependencies[0]?.ref).toBe(purl);
  });

  test("B2.4 an index above the manifest changes nothing of the subject's name", async () => {
    const { tar, digests } = await savedImage({ "linux/amd64": [[DEBIAN]] }, { attested: true });
    const { json } = await makeSbom(
      { ref: NAME, name: NAME, digest: null },
      { docker: engineWith(tar), now: () => null, clock: () => 0, toolVersion: "0.1.0" },
    );
    const { component } = (JSON.parse(json) as Bom).metadata;
    expect(component.version).toBe(digests["linux/amd64"]);
    // Ways to read an image differ in the indexes that they meet: none of them is in the document.
    expect(
      json
        .match(/sha256(?::|%3A)[0-9a-f]{64}/g)
        ?.every((one) => one.endsWith(component.version?.slice(7) ?? "-")),
    ).toBe(true);
  });
});

describe("hostile metadata", () => {
  test.each(["dev@10.0.0.1", "a..b@x.org", ".a@x.org", "dev@-x.com", "j@x.y"])(
    "B2.3 Maintainer: J <%s> costs its address, and a warning, and nothing more",
    async (address) => {
      const { bom, warnings } = await sbomOf([status(deb("a", `Maintainer: J <${address}>\n`))]);
      expect(named(bom, "a")?.supplier?.name).toBe("J");
      expect(JSON.stringify(bom)).not.toContain(address);
      expect(warnings).toEqual([expect.stringContaining(address)]);
    },
  );

  test("B2.3 what is left out of many packages is said once", async () => {
    const { warnings, counts } = await sbomOf([DEBIAN, dpkgDatabase(1500)]);
    expect(counts.deb).toBe(1500);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(/`supplier\.contact\.email`: .*, and 999 more$/);
    expect(warnings[1]).toMatch(/unusual mail addresses after the first 1000: .*, and 499 more$/);
  });

  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.constantFrom(
      "",
      "__proto__",
      "constructor",
      "\u0000",
      "\u202ea\u2066",
      "\ud800",
      "<a@b>",
      "J <dev@10.0.0.1>",
      "a b <x@y@z> <q@r.org>",
      "GPL-2+ or (X",
      "((((((",
      "LicenseRef-",
      "MIT AND",
      "9".repeat(2000),
      "%zz",
      "?#@/:&=",
      "a/b@c?d#e",
    ),
    fc.emailAddress().map((address) => `x <${address}>`),
  );
  const line = text.map((value) => value.replace(/[\r\n]/g, " "));
  const field = (names: string[]) =>
    fc.tuple(fc.constantFrom(...names), line).map(([name, value]) => `${name}: ${value}`);
  const stanzas = (names: string[]) =>
    fc
      .array(fc.array(field(names), { maxLength: 12 }), { maxLength: 4 })
      .map((all) =>
        all.map((lines, at) => [`Package: p${at}`, `Version: ${at}`, ...lines].join("\n")).join("\n\n"),
      );
  const DPKG = [
    ...["Package", "Version", "Architecture", "Maintainer", "Source", "Depends", "Pre-Depends", "Provides"],
    ...["Status", "Description"],
  ];
  const PYTHON = [
    "Name",
    "Version",
    "License",
    "License-Expression",
    "Classifier",
    "Author",
    "Author-email",
    "Requires-Dist",
  ];
  const NPM = ["name", "version", "license", "licenses", "author", "dependencies", "workspaces", "private"];
  const image = fc.record({
    dpkg: stanzas(DPKG),
    copyright: fc.array(field(["Format", "Files", "License"])).map((lines) => DEP5 + lines.join("\n")),
    apk: fc
      .array(fc.tuple(fc.constantFrom("P", "V", "A", "L", "o", "m", "D", "p", "C", ""), line))
      .map((lines) => lines.map(([key, value]) => (key === "" ? "" : `${key}:${value}`)).join("\n")),
    npm: fc
      .tuple(fc.dictionary(fc.constantFrom(...NPM), fc.oneof(text, fc.jsonValue())), fc.boolean())
      .map(([value, valid]) => JSON.stringify(valid ? { name: "n", version: "1", ...value } : value)),
    python: fc.array(field(PYTHON)).map((lines) => `Name: a\nVersion: 1\n${lines.join("\n")}\n`),
    release: fc
      .array(fc.tuple(fc.constantFrom("ID", "VERSION_ID", "PRETTY_NAME", "NAME", "VERSION_CODENAME"), line))
      .map((lines) => `ID=debian\n${lines.map(([key, value]) => `${key}="${value}"`).join("\n")}\n`),
    debian: line,
  });

  test("B2.3 no field of any package, of os-release or of the image's name makes a document fail", async () => {
    await fc.assert(
      fc.asyncProperty(image, line, async (made, name) => {
        const { json, bom } = await sbomOf(
          [
            { name: "etc/os-release", text: made.release },
            { name: "etc/debian_version", text: made.debian },
            { name: "var/lib/dpkg/status", text: made.dpkg },
            copyright("p0", made.copyright),
            { name: "lib/apk/db/installed", text: made.apk },
            { name: "app/package.json", text: made.npm },
            { name: "app/node_modules/x/package.json", text: made.npm },
            { name: "site/a-1.dist-info/METADATA", text: made.python },
          ],
          {},
          // A command line is UTF-8: it has no halves of surrogate pairs.
          { name: name.replace(/\p{Surrogate}/gu, "") },
        );
        expect(await library.validate(json)).toBeNull();
        const refs = [bom.metadata.component, ...bom.components].map((one) => one["bom-ref"]);
        expect(new Set(refs).size).toBe(refs.length);
        const known = new Set(refs);
        for (const { ref, dependsOn = [] } of bom.dependencies)
          for (const one of [ref, ...dependsOn]) expect(known.has(one)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe("npm outside node_modules", () => {
  const manifest = (folder: string, name: string, more = ""): TarEntry => ({
    name: `${folder}/package.json`,
    text: `{"name":"${name}","version":"1.0.0"${more}}`,
  });
  const npmOf = ({ components }: Bom) =>
    components.filter((one) => one.purl?.startsWith("pkg:npm/")).map((one) => one.name);

  test("B2.7 Debian's packages and the application's own are found; Debian's name their owner", async () => {
    const { bom } = await sbomOf([
      DEBIAN,
      status(deb("node-semver")),
      {
        name: "var/lib/dpkg/info/node-semver.list",
        text: "/.\n/usr/share/nodejs/semver\n/usr/share/nodejs/semver/package.json\n/usr/share/nodejs/semver/index.js\n",
      },
      manifest("usr/share/nodejs/semver", "semver", ',"dependencies":{"lru-cache":"*"}'),
      manifest("usr/share/nodejs/lru-cache", "lru-cache"),
      manifest("usr/lib/x86_64-linux-gnu/nodejs/iconv", "iconv"),
      manifest("usr/lib/node_modules/npm", "npm"),
      manifest("app", "server", ',"private":true,"dependencies":{"left":"*"}'),
      manifest("app/node_modules/left", "left"),
    ]);
    expect(npmOf(bom).sort()).toEqual(["iconv", "left", "lru-cache", "npm", "semver", "server"]);
    expect(fact(named(bom, "semver"), "factory:owner")).toBe(named(bom, "node-semver")?.purl);
    expect(fact(named(bom, "server"), "factory:owner")).toBeUndefined();
    const needs = (name: string) =>
      bom.dependencies.find(({ ref }) => ref === named(bom, name)?.purl)?.dependsOn;
    expect(needs("semver")).toEqual(["pkg:npm/lru-cache@1.0.0"]);
    expect(needs("server")).toEqual(["pkg:npm/left@1.0.0"]);
  });

  test("B2.7 what only looks like a package is none", async () => {
    const { bom, warnings } = await sbomOf([
      manifest("usr/share/nodejs/preact", "preact"),
      manifest("usr/share/nodejs/preact/hooks", "preact-hooks", ',"private":true'),
      manifest("usr/share/nodejs/preact/test/fixtures/a", "fixture-a"),
      { name: "usr/share/nodejs/preact/esm/package.json", text: '{"type":"module"}' },
      { name: "app/package.json", text: '{"private":true}' },
      manifest("app/test/data/b", "fixture-b"),
      manifest("srv/__fixtures__/c", "fixture-c"),
      manifest("app/node_modules/x/test/d", "fixture-d"),
      { name: "etc/tool/package.json", text: '{"name":"no version"}' },
      { name: "etc/other/package.json", text: "not JSON" },
    ]);
    expect(npmOf(bom)).toEqual(["preact"]);
    expect(warnings).toEqual([]);
  });

  test("B2.7 workspaces inside an application are packages of the image", async () => {
    const { bom } = await sbomOf([
      { name: "app/package.json", text: '{"private":true,"workspaces":["packages/*"]}' },
      manifest("app/packages/api", "api"),
      manifest("app/packages/api/test/x", "fixture"),
      manifest("app/tools/cli", "cli"),
      { name: "app/node_modules/cli", symlink: "../tools/cli" },
    ]);
    expect(npmOf(bom).sort()).toEqual(["api", "cli"]);
  });
});

describe("large images", () => {
  /** A clock that goes a millisecond a call: work is measured in items, whatever the machine does meanwhile. */
  const ticking = () => {
    let now = 0;
    return () => (now += 1);
  };

  test("B2 a signal ends the work at once, in every part of it", async () => {
    const { tar } = await savedImage({
      "linux/amd64": [[DEBIAN, dpkgDatabase(300), ...pythonDistributions(300)]],
    });
    const parts = new Map<string, number>();
    const texts: string[] = [];
    const run = async (stopAt: number) => {
      const controller = new AbortController();
      let told = 0;
      let now = 0;
      const onProgress = (text: string) => {
        const part = text.replace(/: .*/, "");
        texts.push(text);
        if (!parts.has(part)) parts.set(part, told);
        if ((told += 1) === stopAt) controller.abort();
      };
      const docker = {
        ...engineWith(tar),
        saveImage: () => Promise.resolve({ stdout: Readable.from([tar]), done: Promise.resolve() }),
      };
      // Each look at the clock is a second later: every item rests, and tells.
      const clock = () => (now += 1000);
      const deps = {
        docker,
        now: () => null,
        toolVersion: "0",
        clock,
        onProgress,
        signal: controller.signal,
      };
      const outcome = await makeSbom({ ref: NAME, name: NAME, digest: null }, deps).then(
        () => "done",
        (error: { code?: string }) => error.code,
      );
      return { outcome, told };
    };
    const whole = await run(Infinity);
    expect(whole.outcome).toBe("done");
    // Nobody knows how many packages a database holds before its end.
    expect(texts).toContain("Debian packages read: 17");
    expect(texts).toContain("components written: 17 of 600");
    expect([...parts.keys()]).toEqual(
      expect.arrayContaining([
        "Debian packages read",
        "Debian packages, what they need",
        "Python packages read",
        "packages put together",
        "components written",
        "dependencies written",
      ]),
    );
    for (const at of parts.values()) {
      const { outcome, told } = await run(at + 1);
      expect(outcome).toBe("INTERRUPTED");
      // No item was finished after the signal.
      expect(told).toBe(at + 1);
    }
  });

  test("B2 the work grows as the packages do, however many share a name", async () => {
    const looks = async (entries: TarEntry[]) => {
      const clock = ticking();
      await sbomOf(entries, { clock });
      return clock();
    };
    for (const made of [(count: number) => [DEBIAN, dpkgDatabase(count)], pythonDistributions]) {
      const [few, many] = [await looks(made(200)), await looks(made(1600))];
      expect(many / few).toBeLessThan(10);
    }
  });
});

describe("packages in programs, archives and databases", () => {
  const rpmdb = gunzipSync(readFileSync(new URL("../fixtures/sbom/rpm/rpmdb.sqlite.gz", import.meta.url)));
  const GO = [
    "path\texample.org/tool/cmd/x",
    "mod\texample.org/tool\t(devel)\t",
    "dep\tgithub.com/google/uuid\tv1.6.0\th1:abc=",
    "build\tvcs.revision=0123456789abcdef0123456789abcdef01234567",
    "build\tvcs.time=2026-01-02T03:04:05Z",
    "",
  ].join("\n");
  const AUDIT = {
    packages: [
      { name: "itoa", version: "1.0.0", source: "crates.io" },
      { name: "cc", version: "1.2.0", source: "crates.io", kind: "build" },
      { name: "tool", version: "0.1.0", source: "local", dependencies: [0, 1, 7], root: true },
    ],
  };
  const program = (name: string, ...parts: Buffer[]): TarEntry => ({
    name,
    text: Buffer.concat([programOf(parts), Buffer.alloc(4096)]),
    mode: 0o755,
  });
  const purls = (bom: Bom) => bom.components.flatMap(({ purl }) => purl ?? []);
  const needs = (bom: Bom, ref: string) => bom.dependencies.find((one) => one.ref === ref)?.dependsOn;

  test("9.20 modules, crates and the standard library are found in programs, and who brought them", async () => {
    const { bom } = await sbomOf([
      DEBIAN,
      status(deb("tool")),
      { name: "var/lib/dpkg/info/tool.list", text: "/.\n/usr/bin\n/usr/bin/tool\n" },
      program("usr/bin/tool", goBuild("go1.22.1 X:nocoverageredesign", GO)),
      program("opt/rust", deflateSync(JSON.stringify(AUDIT))),
      // Neither may be executed nor is a library by its name.
      { ...program("opt/data", goBuild("go1.21.0", GO)), mode: 0o644 },
    ]);
    const main = "pkg:golang/example.org/tool@v0.0.0-20260102030405-0123456789ab";
    expect(purls(bom)).toEqual([
      "pkg:cargo/itoa@1.0.0",
      "pkg:cargo/tool@0.1.0",
      "pkg:deb/debian/tool@1.0-1?arch=amd64&distro=debian-12",
      "pkg:golang/example.org/tool@v0.0.0-20260102030405-0123456789ab",
      "pkg:golang/github.com/google/uuid@v1.6.0",
      "pkg:golang/stdlib@1.22.1",
    ]);
    expect(needs(bom, main)).toEqual([
      "pkg:golang/github.com/google/uuid@v1.6.0",
      "pkg:golang/stdlib@1.22.1",
    ]);
    expect(needs(bom, "pkg:cargo/tool@0.1.0")).toEqual(["pkg:cargo/itoa@1.0.0"]);
    expect(fact(named(bom, "stdlib"), "factory:owner")).toContain("pkg:deb/debian/tool@");
    expect(fact(named(bom, "itoa"), "factory:path")).toBe("/opt/rust");
    expect(named(bom, "stdlib")?.cpe).toBe("cpe:2.3:a:golang:go:1.22.1:-:*:*:*:*:*:*");
  });

  test("9.20 whatever a program says, the document is valid", async () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom("example.org/x", "v1.0.0", "(devel)", "../x", "\u0000"),
    );
    const line = fc
      .tuple(fc.constantFrom("mod", "dep", "=>", "build"), fc.array(text, { maxLength: 4 }))
      .map(([kind, rest]) => [kind, ...rest].join("\t"));
    const crate = fc.record({
      name: text,
      version: text,
      source: fc.anything(),
      dependencies: fc.anything(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(crate), text, async (lines, packages, version) => {
        const audit = deflateSync(JSON.stringify({ packages }));
        const { json } = await sbomOf([
          program("bin/a", goBuild(`go1.${version}`.slice(0, 100), `${lines.join("\n")}\n`), audit),
        ]);
        expect(await library.validate(json)).toBeNull();
      }),
      { numRuns: 20 },
    );
  });

  test("9.20 packages of archives, gems, .NET, PHP, conda, R and rpm are found in one image, with their owners", async () => {
    const json = (name: string, value: unknown): TarEntry => ({ name, text: JSON.stringify(value) });
    const { bom, warnings } = await sbomOf([
      DEBIAN,
      { name: "var/lib/rpm/rpmdb.sqlite", text: rpmdb },
      program("usr/bin/demo", goBuild("go1.22.1", GO)),
      {
        name: "app/a.jar",
        text: zipOf({
          "META-INF/maven/g/a/pom.properties": "groupId=org.example\nartifactId=a\nversion=1\n",
          "lib/b-2.jar": zipOf({ "META-INF/MANIFEST.MF": "Implementation-Vendor-Id: org.example\n" }),
        }),
      },
      {
        name: "var/lib/gems/3.1.0/specifications/rack-2.gemspec",
        text: 's.name = "rack"\ns.version = "2.0"\n',
      },
      json("app/App.deps.json", { libraries: { "Newtonsoft.Json/13.0.1": { type: "package" } } }),
      json("app/vendor/composer/installed.json", { packages: [{ name: "psr/log", version: "1.1.4" }] }),
      json("opt/conda/conda-meta/six-1.16.0-0.json", {
        ...{ name: "six", version: "1.16.0", build: "0", channel: "main", subdir: "noarch" },
        files: ["lib/six.dist-info/METADATA", "lib/six.py"],
      }),
      { name: "opt/conda/lib/six.dist-info/METADATA", text: "Name: six\nVersion: 1.16.0\n" },
      {
        name: "usr/lib/R/library/MASS/DESCRIPTION",
        text: "Package: MASS\nVersion: 7.3-58\nBuilt: R 4.2.2\n",
      },
    ]);
    expect(purls(bom)).toEqual([
      "pkg:composer/psr/log@1.1.4",
      "pkg:conda/six@1.16.0?build=0&channel=main&subdir=noarch",
      "pkg:cran/MASS@7.3-58",
      "pkg:gem/rack@2.0",
      "pkg:golang/example.org/tool@v0.0.0-20260102030405-0123456789ab",
      "pkg:golang/github.com/google/uuid@v1.6.0",
      "pkg:golang/stdlib@1.22.1",
      "pkg:maven/org.example/a@1",
      "pkg:maven/org.example/b@2",
      "pkg:nuget/Newtonsoft.Json@13.0.1",
      "pkg:pypi/six@1.16.0",
      "pkg:rpm/debian/demo-app@0.1-1?arch=noarch&distro=debian-12&upstream=demo-app-0.1-1.src.rpm",
      "pkg:rpm/debian/demo-lib@1.2.3-4?arch=x86_64&distro=debian-12&epoch=2&upstream=demo-lib-1.2.3-4.src.rpm",
    ]);
    expect(warnings).toEqual([]);
    expect(needs(bom, "pkg:maven/org.example/a@1")).toEqual(["pkg:maven/org.example/b@2"]);
    expect(fact(named(bom, "stdlib"), "factory:owner")).toContain("pkg:rpm/debian/demo-lib@");
    const six = bom.components.find(({ purl }) => purl === "pkg:pypi/six@1.16.0");
    expect(fact(six, "factory:owner")).toContain("pkg:conda/six@");
  });

  test("9.20 archives and databases that are bombs, or damaged, give warnings and a valid document", async () => {
    const { json, warnings, components } = await sbomOf([
      { name: "app/bomb.jar", text: zipOf({ "a.jar": Buffer.alloc(40 << 20) }) },
      { name: "app/broken.jar", text: "no archive" },
      { name: "var/lib/rpm/rpmdb.sqlite", text: rpmdb.subarray(0, 5000) },
      { name: "opt/conda/conda-meta/x.json", text: "{" },
      { name: "x/specifications/x.gemspec", text: "exit!" },
      { name: "app/x.deps.json", text: "[]" },
      { name: "app/vendor/composer/installed.json", text: '{"packages": {"a": 1}}' },
    ]);
    expect(await library.validate(json)).toBeNull();
    expect(components).toBe(0);
    expect(warnings).toHaveLength(6);
  });

  test("9.20 a program that a later layer removes or replaces is not there", async () => {
    const { tar } = await savedImage({
      "linux/amd64": [
        [program("bin/a", goBuild("go1.22.1", GO)), program("bin/b", deflateSync(JSON.stringify(AUDIT)))],
        [
          { name: "bin/.wh.a", text: "" },
          { name: "bin/b", text: "#!/bin/sh\n", mode: 0o755 },
        ],
      ],
    });
    const deps = { docker: engineWith(tar), now: () => null, clock: () => 0, toolVersion: "0.1.0" };
    const { components } = await makeSbom({ ref: NAME, name: NAME, digest: null }, deps);
    expect(components).toBe(0);
  });
});

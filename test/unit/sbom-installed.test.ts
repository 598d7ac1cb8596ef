import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseComposerInstalled } from "../../src/sbom/catalogers/composer.ts";
import { parseCondaRecord } from "../../src/sbom/catalogers/conda.ts";
import { parseDescription } from "../../src/sbom/catalogers/cran.ts";
import { parseGemSpecification } from "../../src/sbom/catalogers/gem.ts";
import { parseDepsJson } from "../../src/sbom/catalogers/nuget.ts";

describe("gems", () => {
  const SPECIFICATION = `# -*- encoding: utf-8 -*-
# stub: rack-test 2.1.0 ruby lib

Gem::Specification.new do |s|
  s.name = "rack-test".freeze
  s.version = "2.1.0"

  s.required_rubygems_version = Gem::Requirement.new(">= 0".freeze) if s.respond_to? :x=
  s.authors = ["A. One".freeze, "B. \\"Two\\"".freeze]
  s.licenses = ["MIT".freeze]
  s.rubygems_version = "3.3.15".freeze

  s.add_runtime_dependency(%q<rack>.freeze, [">= 1.3"])
  s.add_development_dependency(%q<rake>.freeze, ["~> 13.0"])
  s.add_dependency("json".freeze, [">= 0"])
end
`;

  test("a specification is read, and nothing of it is run", () => {
    expect(parseGemSpecification(SPECIFICATION)).toEqual({
      name: "rack-test",
      version: "2.1.0",
      platform: "ruby",
      license: { each: [{ id: "MIT" }] },
      author: 'A. One, B. "Two"',
      needs: ["rack", "json"],
    });
    expect(parseGemSpecification('s.name = "x"\ns.version = "1.0"\ns.platform = "java"')?.platform).toBe(
      "java",
    );
    expect(parseGemSpecification("s.name = NAME\ns.version = VERSION")).toBeNull();
    expect(parseGemSpecification('s.name = "../x"\ns.version = "1"')).toBeNull();
  });
});

describe(".NET", () => {
  test("packages and their hashes, without what is no package of NuGet's", () => {
    const sha512 = `sha512-${Buffer.alloc(64, 7).toString("base64")}`;
    const found = parseDepsJson(
      JSON.stringify({
        targets: {
          ".NETCoreApp,Version=v8.0": {
            "App/1.0.0": { dependencies: { "Newtonsoft.Json": "13.0.1" } },
            "Newtonsoft.Json/13.0.1": {},
          },
        },
        libraries: {
          "App/1.0.0": { type: "project", sha512: "" },
          "Newtonsoft.Json/13.0.1": { type: "package", sha512 },
          "no version": { type: "package" },
        },
      }),
    );
    expect([...found.values()]).toEqual([
      { name: "App", version: "1.0.0", type: "project", sha512: "", needs: ["Newtonsoft.Json/13.0.1"] },
      { name: "Newtonsoft.Json", version: "13.0.1", type: "package", sha512: "07".repeat(64), needs: [] },
    ]);
  });
});

describe("PHP", () => {
  const one = {
    name: "Symfony/console",
    version: "v5.4.1",
    license: ["MIT", "GPL-2.0-or-later"],
    authors: [{ name: "F. P." }],
    dist: { shasum: "ab".repeat(20) },
    require: { php: ">=7", "psr/log": "^1" },
  };

  test("Composer 1 and 2; several licences are a choice", () => {
    const read = {
      name: "symfony/console",
      version: "v5.4.1",
      license: { expression: "(MIT OR GPL-2.0-or-later)" },
      author: "F. P.",
      sha1: "ab".repeat(20),
      needs: ["php", "psr/log"],
    };
    expect(parseComposerInstalled(JSON.stringify([one]))).toEqual([{ ...read, dev: false }]);
    expect(
      parseComposerInstalled(JSON.stringify({ packages: [one, {}], "dev-package-names": [one.name] })),
    ).toEqual([{ ...read, dev: true }]);
    expect(
      parseComposerInstalled(JSON.stringify([{ ...one, license: ["proprietary", "MIT"] }]))[0]?.license,
    ).toEqual({ each: [{ name: "proprietary" }, { id: "MIT" }] });
  });
});

describe("conda", () => {
  test("a record names its channel, its build and the hash of its archive", () => {
    expect(
      parseCondaRecord(
        JSON.stringify({
          name: "numpy",
          version: "1.26.4",
          build: "py311h64a7726_0",
          channel: "https://conda.anaconda.org/conda-forge/linux-64",
          subdir: "linux-64",
          license: "BSD-3-Clause",
          sha256: "cd".repeat(32),
          depends: ["python >=3.11,<3.12.0a0", "libblas"],
          files: ["lib/python3.11/site-packages/numpy-1.26.4.dist-info/METADATA"],
        }),
      ),
    ).toEqual({
      name: "numpy",
      version: "1.26.4",
      build: "py311h64a7726_0",
      channel: "conda-forge",
      subdir: "linux-64",
      license: { each: [{ id: "BSD-3-Clause" }] },
      sha256: "cd".repeat(32),
      needs: ["python", "libblas"],
      files: ["lib/python3.11/site-packages/numpy-1.26.4.dist-info/METADATA"],
    });
    expect(parseCondaRecord('{"name": "x"}')).toBeNull();
  });
});

describe("R", () => {
  const text =
    "Package: MASS\nVersion: 7.3-58.2\nRepository: CRAN\nLicense: GPL-2 | GPL-3\nDepends: R (>= 4.0), stats,\n    utils\nImports: methods\nMaintainer: B. R. <r@stats.org>\n";

  test("a package counts if it was built", () => {
    expect(parseDescription(`${text}Built: R 4.2.2; x86_64; 2023-01-01; unix\n`)).toEqual({
      name: "MASS",
      version: "7.3-58.2",
      repository: "CRAN",
      license: { each: [{ name: "GPL-2 | GPL-3" }] },
      author: "B. R. <r@stats.org>",
      needs: ["R", "stats", "utils", "methods"],
    });
    expect(parseDescription(text)).toBeNull();
    expect(parseDescription(`${text}Priority: base\n`)?.name).toBe("MASS");
  });
});

describe("whatever a file says, its reader gives an answer", () => {
  const readers = {
    parseComposerInstalled,
    parseCondaRecord,
    parseDepsJson,
    parseDescription,
    parseGemSpecification,
  };
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc
      .json()
      .map((json) => `{"packages": [{"name": "a/b", "version": "1", "license": ${json}, "dist": ${json}}]}`),
    fc.json().map((json) => `{"libraries": {"a/1": ${json}}, "targets": {"x": {"a/1": ${json}}}}`),
    fc.json().map((json) => `{"name": "a", "version": "1", "depends": ${json}, "files": ${json}}`),
    fc
      .string()
      .map((line) => `s.name = "a"\ns.version = "1"\ns.licenses = [${line}\ns.add_dependency(${line}`),
    fc.string().map((line) => `Package: a\nVersion: 1\nBuilt: x\nLicense: ${line}\nDepends: ${line}`),
  );
  test.each(Object.entries(readers))("%s", (_name, read) => {
    fc.assert(fc.property(text, (given) => void read(given)));
  });
});

import fc from "fast-check";
import parseExpression from "spdx-expression-parse";
import { describe, expect, test } from "vitest";
import { parseApk } from "../../src/sbom/catalogers/apk.ts";
import { CATALOGERS } from "../../src/sbom/catalogers/catalogers.ts";
import { parseRelations, presentState } from "../../src/sbom/catalogers/dpkg.ts";
import { parseNpmLock, parsePackageJson } from "../../src/sbom/catalogers/npm-files.ts";
import { normalizePythonName, parsePythonMetadata } from "../../src/sbom/catalogers/python.ts";
import { parseCopyright } from "../../src/sbom/copyright.ts";
import { declaredBy, parseSynopsis, spdxOf } from "../../src/sbom/licenses.ts";
import { parseOsRelease } from "../../src/sbom/os-release.ts";
import { parseContact, purlOf } from "../../src/sbom/package.ts";
import { cleanPath, createPathSet, foldersAbove } from "../../src/sbom/paths.ts";
import { spdxDeclared } from "../../src/sbom/spdx.ts";
import { parseStanzas, stanzasIn } from "../../src/sbom/stanza.ts";

/** Text that looks like the formats, so that random input gets past their first lines. */
const roughText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(
      fc.oneof(
        fc.constantFrom(
          "Package: a",
          "Version: 1",
          "P:a",
          "V:1",
          "",
          " folded",
          "License: GPL-2+ or X, and (Y | Z)",
        ),
        fc.constantFrom(
          "Name: a",
          "__proto__: x",
          "Status: x",
          "D:!a so:b>=1",
          "Depends: a|b,,|",
          "Format: dep5",
        ),
        fc.string(),
      ),
    )
    .map((lines) => lines.join("\n")),
);

const word = fc.stringMatching(/^[a-z][a-z0-9+.-]{0,12}$/);
const version = fc.stringMatching(/^(?:[0-9]:)?[0-9][A-Za-z0-9.+~-]{0,10}$/);

describe("no text makes a parser throw", () => {
  const parsers: Record<string, (text: string) => unknown> = {
    declaredBy: (text) => declaredBy(text.split("\n")),
    parseApk: (text) => [...parseApk(text)],
    parseContact,
    parseCopyright,
    presentState: (text) => [...stanzasIn(Buffer.from(text))].map(presentState),
    parseNpmLock,
    parseOsRelease,
    parsePackageJson,
    parsePythonMetadata,
    parseRelations,
    parseStanzas,
    parseSynopsis,
    spdxDeclared: (text) => spdxDeclared([text]),
  };
  test.each(Object.keys(parsers))("%s", (name) => {
    fc.assert(fc.property(roughText, (text) => void parsers[name]?.(text)));
  });

  test("parsePackageJson and parseNpmLock, given any JSON", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        parsePackageJson(text);
        parseNpmLock(`{"packages": ${text}}`);
        parsePackageJson(
          `{"name": "a", "version": "1", "license": ${text}, "author": ${text}, "dependencies": ${text}}`,
        );
      }),
    );
  });
});

describe("what is written is what is read", () => {
  test("dpkg", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.record({ word, version }), { selector: (one) => one.word }),
        (packages) => {
          const text = packages
            .map(
              (one) =>
                `Package: ${one.word}\nStatus: install ok installed\nDescription: x\n more\n .\nVersion: ${one.version}\n`,
            )
            .join("\n");
          const stanzas = [...stanzasIn(Buffer.from(text))].filter((stanza) => presentState(stanza) !== null);
          const found = stanzas.map((stanza) => [stanza.get("package")?.[0], stanza.get("version")?.[0]]);
          expect(found).toEqual(packages.map((one) => [one.word, one.version]));
        },
      ),
    );
  });

  test("apk", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ word, version })), (packages) => {
        const text = packages
          .map((one) => `C:Q1x=\nP:${one.word}\nV:${one.version}\nF:usr\nR:file\n\n`)
          .join("");
        const found = [...parseApk(text)].map((entry) => ({ word: entry.get("P"), version: entry.get("V") }));
        expect(found).toEqual(packages);
      }),
    );
  });

  test("Python metadata", () => {
    const name = fc.stringMatching(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,10}[A-Za-z0-9])?$/);
    fc.assert(
      fc.property(name, version, fc.string(), (one, number, body) => {
        const read = parsePythonMetadata(
          `Metadata-Version: 2.1\r\nName: ${one}\r\nVersion: ${number}\r\n\r\nName: z\n${body}`,
        );
        expect(read).toMatchObject({ name: one, version: number });
      }),
    );
  });
});

describe("dpkg", () => {
  test("counts what has files in the image, and nothing that was removed", () => {
    const state = (text: string) => parseStanzas(`Package: a\nVersion: 1\n${text}`).map(presentState)[0];
    expect(state("Status: install ok installed")).toBe("installed");
    expect(state("Status: hold ok installed")).toBe("installed");
    expect(state("Status: install ok triggers-pending")).toBe("triggers-pending");
    expect(state("Status: install ok unpacked")).toBe("unpacked");
    expect(state("Status: deinstall ok config-files")).toBeNull();
    expect(state("Status: purge ok not-installed")).toBeNull();
    expect(state("")).toBe("installed");
    expect(parseStanzas("Package: a\nStatus: install ok installed").map(presentState)).toEqual([null]);
  });

  test("paragraphs are the same however the file is cut", () => {
    const one = (at: number) =>
      `Package: p${at}\nVersion: ${at}\nDescription: ${"x".repeat(at % 700)}\n ä\n .\n`;
    const text = Array.from({ length: 900 }, (_, at) => one(at)).join("\n");
    expect(text.length).toBeGreaterThan(4 * 65536);
    expect([...stanzasIn(Buffer.from(text))]).toEqual(parseStanzas(text));
  });

  test("reads dependency clauses with alternatives, versions and architectures", () => {
    expect(parseRelations("libc6 (>= 2.34), debconf:any | debconf-2.0, , x")).toEqual([
      ["libc6"],
      ["debconf", "debconf-2.0"],
      ["x"],
    ]);
  });
});

describe("licences", () => {
  test.each([
    ["GPL-2+", "GPL-2.0-or-later"],
    ["GPL-2", "GPL-2.0-only"],
    ["GPL-2.0", "GPL-2.0-only"],
    ["LGPL-2.1+", "LGPL-2.1-or-later"],
    ["GPLv3+", "GPL-3.0-or-later"],
    ["AGPL-3", "AGPL-3.0-only"],
    ["GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"],
    ["Expat", "MIT"],
    ["Apache-2", "Apache-2.0"],
    ["Artistic-2", "Artistic-2.0"],
    ["CC-BY-SA-3.0", "CC-BY-SA-3.0"],
    ["FSFULLR", "FSFULLR"],
    ["GPL", null],
    ["GPL-5", null],
    ["GPL-2+ with OpenSSL exception", null],
    ["MIT", null],
    ["X11", null],
    ["Artistic", null],
    ["Artistic-1", null],
    ["Apache", null],
    ["BSD", null],
    ["fsfullr", null],
    ["public-domain", null],
  ])("%s is %s", (name, id) => expect(spdxOf(name)).toBe(id));

  test("and binds closer than or, and a comma turns that round", () => {
    const expression = (text: string) => declaredBy([text]);
    expect(expression("GPL-1+ or Expat and Zlib")).toEqual({
      expression: "GPL-1.0-or-later OR (MIT AND Zlib)",
    });
    expect(expression("GPL-1+ or Expat, and Zlib")).toEqual({
      expression: "(GPL-1.0-or-later OR MIT) AND Zlib",
    });
    expect(expression("GPL-2+ or mystery 1+")).toEqual({
      expression: "GPL-2.0-or-later OR LicenseRef-mystery-1-plus",
    });
    expect(expression("GPL-2+ and/or X")).toEqual({ each: [{ name: "GPL-2+ and/or X" }] });
    expect(expression("A, B and C")).toEqual({ each: [{ name: "A, B and C" }] });
  });

  test("several fields are a list, and one expression where one of them is more than a name", () => {
    expect(declaredBy(["Expat", "GPL-2+", "mine"])).toEqual({
      each: [{ id: "MIT" }, { id: "GPL-2.0-or-later" }, { name: "mine" }],
    });
    expect(declaredBy(["Expat", "GPL-1+ or Artistic", "mine"])).toEqual({
      expression: "MIT AND (GPL-1.0-or-later OR LicenseRef-Artistic) AND LicenseRef-mine",
    });
    expect(declaredBy([])).toBeNull();
  });

  test("whatever the names, an expression is one that SPDX can read", () => {
    const name = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.constantFrom("GPL-2+", "Expat", "X (Y)", "a and", "with"),
    );
    const field = fc
      .tuple(name, fc.constantFrom(" and ", " or ", ", and ", ", or ", " with "), name)
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.array(field), (fields) => {
        const declared = declaredBy(fields);
        if (declared && "expression" in declared)
          expect(() => void parseExpression(declared.expression)).not.toThrow();
      }),
    );
  });

  test("a machine-readable file gives the licences of its Files stanzas", () => {
    const head =
      "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: ";
    expect(
      parseCopyright(
        `${head}Expat\n Permission is …\n\nFiles: d\nLicense: GPL-2+\n\nLicense: other\n text\n`,
      ),
    ).toEqual({ each: [{ id: "MIT" }, { id: "GPL-2.0-or-later" }] });
    expect(parseCopyright(`${head}GPL-1+ or Expat\n`)).toEqual({ expression: "GPL-1.0-or-later OR MIT" });
    expect(parseCopyright(head.replace("Files: *\nLicense: ", "") + "License: Expat")).toBeNull();
    expect(parseCopyright(head.replace("\n\nFiles: *", "") + "Expat")).toEqual({ each: [{ id: "MIT" }] });
    expect(parseCopyright(`${head}You may do as you like. No warranty.\n`)).toBeNull();
  });

  test("a plain file gives none, wherever it points", () => {
    const gpl =
      "either version 2, or (at your option) any\n later version … /usr/share/common-licenses/GPL-2.\n";
    for (const text of [
      gpl,
      "see /usr/share/common-licenses/GPL-2",
      "License: MIT",
      "all rights reserved",
      "",
    ])
      expect(parseCopyright(text)).toBeNull();
  });

  test("fields that are meant for SPDX give an id, an expression or a name", () => {
    expect(spdxDeclared(["mit"])).toEqual({ each: [{ id: "MIT" }] });
    expect(spdxDeclared(["(MIT OR ISC)"])).toEqual({ expression: "(MIT OR ISC)" });
    expect(spdxDeclared(["BSD"])).toEqual({ each: [{ name: "BSD" }] });
    expect(spdxDeclared([`${"(".repeat(100_000)}MIT`])).toEqual({
      each: [{ name: `${"(".repeat(100_000)}MIT` }],
    });
    expect(spdxDeclared(["", " "])).toBeNull();
  });
});

describe("npm", () => {
  test("a package.json needs a name and a version", () => {
    expect(parsePackageJson('{"type": "module"}')).toMatchObject({ name: "", version: "" });
    expect(parsePackageJson('{"name": "a b", "version": "1"}')).toMatchObject({ name: "", version: "" });
    expect(parsePackageJson("[]")).toBeNull();
    expect(
      parsePackageJson(
        '{"name": "@a/b", "version": "1.0.0", "license": {"type": "MIT"}, "dependencies": {"c": "*"}}',
      ),
    ).toEqual({
      name: "@a/b",
      version: "1.0.0",
      private: false,
      license: { each: [{ id: "MIT" }] },
      author: "",
      needs: ["c"],
      workspaces: [],
    });
  });

  test("a lock gives SHA-512 in hex, and no other hash", () => {
    const sha512 = `sha512-${Buffer.alloc(64, 7).toString("base64")}`;
    const packages = {
      "node_modules/a": { version: "1", integrity: sha512 },
      "node_modules/b": { integrity: "sha1-x", dev: true },
    };
    expect([...parseNpmLock(JSON.stringify({ packages }))]).toEqual([
      ["node_modules/a", { version: "1", sha512: "07".repeat(64), optional: false }],
      ["node_modules/b", { version: "", sha512: null, optional: true }],
    ]);
  });
});

describe("Python", () => {
  test("names are normalised, extras are no dependencies", () => {
    expect(normalizePythonName("Foo._-Bar")).toBe("foo-bar");
    const text =
      'Name: A\nVersion: 1\nRequires-Dist: B.c (>=1)\nRequires-Dist: d; extra == "x"\nRequires-Dist: e; python_version > "3"\n';
    expect(parsePythonMetadata(text)?.needs).toEqual(["b-c", "e"]);
  });

  test("licences come from the expression, else a short field, else the classifiers", () => {
    const license = (text: string) => parsePythonMetadata(`Name: a\nVersion: 1\n${text}`)?.license;
    const classifiers = "Classifier: License :: OSI Approved :: MIT License\nClassifier: Topic :: X\n";
    expect(license(`License-Expression: MIT OR Apache-2.0\nLicense: x\n${classifiers}`)).toEqual({
      expression: "MIT OR Apache-2.0",
    });
    expect(license(`License: BSD\n${classifiers}`)).toEqual({ each: [{ name: "BSD" }] });
    expect(license(`License: UNKNOWN\n${classifiers}`)).toEqual({ each: [{ id: "MIT" }] });
    expect(license(`License: long\n text\n${classifiers}`)).toEqual({ each: [{ id: "MIT" }] });
    // It does not say which Apache licence.
    expect(license("Classifier: License :: OSI Approved :: Apache Software License\n")).toEqual({
      each: [{ name: "Apache Software License" }],
    });
  });
});

describe("small things", () => {
  test("os-release values are unquoted", () => {
    const text = '# c\nID=debian\nVERSION_ID="12"\nNAME=\'A B\'\nPRETTY_NAME="a \\"b\\" \\$c"\nbroken';
    expect(Object.fromEntries(parseOsRelease(text))).toEqual({
      ID: "debian",
      VERSION_ID: "12",
      NAME: "A B",
      PRETTY_NAME: 'a "b" $c',
    });
  });

  test("an address that is not plainly one stays out of a contact", () => {
    expect(parseContact("A B <a@b.org>")).toEqual({ name: "A B", email: "a@b.org" });
    expect(parseContact("A B <a at b>")).toEqual({ name: "A B" });
    expect(parseContact(`A B <${"a".repeat(300)}@b.org>`)).toEqual({ name: "A B" });
    expect(parseContact("<a@b.org>")).toEqual({ name: "a@b.org", email: "a@b.org" });
    expect(parseContact("")).toBeUndefined();
  });

  test("purls escape what they must", () => {
    const parts = {
      group: "debian",
      name: "libstdc++6",
      version: "1:12-1+x~y",
      qualifiers: { arch: "amd64", distro: "" },
    };
    expect(purlOf("deb", parts)).toBe("pkg:deb/debian/libstdc%2B%2B6@1%3A12-1%2Bx~y?arch=amd64");
    expect(purlOf("npm", { group: "@a", name: "b", version: "1" })).toBe("pkg:npm/%40a/b@1");
    expect(purlOf("deb", { name: "" })).toBeNull();
  });

  test("paths never leave the image", () => {
    expect(cleanPath("./a//b/./c/")).toBe("a/b/c");
    expect(cleanPath("/")).toBe("");
    for (const name of ["..", "a/../b", "a\0b", "x".repeat(5000)]) expect(cleanPath(name)).toBeNull();
    expect([...foldersAbove("a/b/c")]).toEqual(["a/b", "a", ""]);
  });

  test("a path set has what was added, and not what was not", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.string()), (added, others) => {
        const set = createPathSet();
        for (const path of added) set.add(path);
        for (const path of added) expect(set.has(path)).toBe(true);
        for (const path of others) expect(set.has(path)).toBe(added.includes(path));
      }),
    );
  });
});

test("each cataloger says which files it wants, and no two want the same", () => {
  const paths = [
    ...[
      "var/lib/dpkg/status",
      "var/lib/dpkg/status.d/x",
      "var/lib/dpkg/info/x.list",
      "usr/share/doc/x/copyright",
    ],
    ...["lib/apk/db/installed", "app/package.json", "app/node_modules/.package-lock.json"],
    ...["x/a-1.dist-info/METADATA", "x/a.egg-info"],
    ...[
      "app/a.jar",
      "x/specifications/default/a.gemspec",
      "app/a.deps.json",
      "vendor/composer/installed.json",
    ],
    ...["opt/conda-meta/a.json", "library/a/DESCRIPTION", "var/lib/rpm/Packages"],
  ];
  for (const path of paths) {
    const base = path.slice(path.lastIndexOf("/") + 1);
    const wanting = Object.values(CATALOGERS).filter(({ wants }) => wants(path, base) !== null);
    expect(wanting).toHaveLength(1);
  }
});

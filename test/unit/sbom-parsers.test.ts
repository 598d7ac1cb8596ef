import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseApk } from "../../src/sbom/apk.ts";
import { parseCopyright } from "../../src/sbom/copyright.ts";
import { parseDpkg, parseRelations } from "../../src/sbom/dpkg.ts";
import { parseSynopsis, spdxOf } from "../../src/sbom/licenses.ts";
import { parseNpmLock, parsePackageJson } from "../../src/sbom/npm.ts";
import { parseOsRelease } from "../../src/sbom/os-release.ts";
import { parseContact, purlOf } from "../../src/sbom/package.ts";
import { cleanPath, createPathSet, foldersAbove } from "../../src/sbom/paths.ts";
import { normalizePythonName, parsePythonMetadata } from "../../src/sbom/python.ts";
import { parseStanzas } from "../../src/sbom/stanza.ts";

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
    parseApk,
    parseContact,
    parseCopyright,
    parseDpkg: (text) => parseDpkg(text, "status"),
    parseNpmLock,
    parseOsRelease,
    parsePackageJson,
    parsePythonMetadata,
    parseRelations,
    parseStanzas,
    parseSynopsis,
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
          const found = parseDpkg(text, "p").map(({ stanza }) => [
            stanza.get("package")?.[0],
            stanza.get("version")?.[0],
          ]);
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
        const found = parseApk(text).map((entry) => ({ word: entry.get("P"), version: entry.get("V") }));
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
    const state = (text: string) => parseDpkg(`Package: a\nVersion: 1\n${text}`, "p").length;
    expect(state("Status: install ok installed")).toBe(1);
    expect(state("Status: hold ok installed")).toBe(1);
    expect(state("Status: install ok triggers-pending")).toBe(1);
    expect(state("Status: install ok unpacked")).toBe(1);
    expect(state("Status: deinstall ok config-files")).toBe(0);
    expect(state("Status: purge ok not-installed")).toBe(0);
    expect(state("")).toBe(1);
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
    ["LGPL-2.1+", "LGPL-2.1-or-later"],
    ["GPLv3+", "GPL-3.0-or-later"],
    ["AGPL-3", "AGPL-3.0-only"],
    ["GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"],
    ["Expat", "MIT"],
    ["GPL", null],
    ["GPL-2+ with OpenSSL exception", null],
  ])("%s is %s", (name, id) => expect(spdxOf(name)).toBe(id));

  test("a choice becomes an expression only where all of it has an SPDX form", () => {
    expect(parseSynopsis("GPL-1+ or Artistic")).toEqual(["GPL-1.0-or-later OR Artistic-1.0-Perl"]);
    expect(parseSynopsis("GPL-1+ or Artistic, and Expat")).toEqual([
      "GPL-1.0-or-later",
      "Artistic-1.0-Perl",
      "MIT",
    ]);
    expect(parseSynopsis("GPL-2+ or mystery")).toEqual(["GPL-2.0-or-later", "mystery"]);
  });

  test("a machine-readable file gives the licences of its fields", () => {
    const head =
      "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: ";
    expect(
      parseCopyright(`${head}Expat\n Permission is …\n\nFiles: d\nLicense: GPL-2+\n\nLicense: mine\n text\n`),
    ).toEqual(["GPL-2.0-or-later", "MIT", "mine"]);
    expect(parseCopyright(`${head}GPL-1+ or Artistic\n`)).toEqual(["GPL-1.0-or-later OR Artistic-1.0-Perl"]);
  });

  test("a plain file gives the common licences that it points at, later versions only where it says so", () => {
    const gpl =
      "either version 2, or (at your option) any\n later version … /usr/share/common-licenses/GPL-2.\n";
    expect(parseCopyright(gpl)).toEqual(["GPL-2.0-or-later"]);
    expect(parseCopyright("see /usr/share/common-licenses/GPL-2.")).toEqual(["GPL-2"]);
    expect(
      parseCopyright(`${gpl} and /usr/share/common-licenses/LGPL-3, /usr/share/common-licenses/Apache-2.0`),
    ).toEqual(["Apache-2.0", "GPL-2.0-or-later", "LGPL-3"]);
    expect(parseCopyright("all rights reserved")).toEqual([]);
  });
});

describe("npm", () => {
  test("a package.json needs a name and a version", () => {
    expect(parsePackageJson('{"type": "module"}')).toBeNull();
    expect(
      parsePackageJson(
        '{"name": "@a/b", "version": "1.0.0", "license": {"type": "MIT"}, "dependencies": {"c": "*"}}',
      ),
    ).toEqual({ name: "@a/b", version: "1.0.0", licenses: ["MIT"], author: "", needs: ["c"] });
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
    const licenses = (text: string) => parsePythonMetadata(`Name: a\nVersion: 1\n${text}`)?.licenses;
    const classifiers = "Classifier: License :: OSI Approved :: MIT License\nClassifier: Topic :: X\n";
    expect(licenses(`License-Expression: MIT OR Apache-2.0\nLicense: x\n${classifiers}`)).toEqual([
      "MIT OR Apache-2.0",
    ]);
    expect(licenses(`License: BSD\n${classifiers}`)).toEqual(["BSD"]);
    expect(licenses(`License: UNKNOWN\n${classifiers}`)).toEqual(["MIT"]);
    expect(licenses(`License: long\n text\n${classifiers}`)).toEqual(["MIT"]);
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
    expect(purlOf("deb", parts)).toBe("pkg:deb/debian/libstdc%2B%2B6@1:12-1+x~y?arch=amd64");
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

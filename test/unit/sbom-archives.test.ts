import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  maven,
  parseArchiveName,
  parseManifest,
  parsePomProperties,
} from "../../src/sbom/catalogers/maven.ts";
import { javaArchivesIn, readJavaArchive } from "../../src/sbom/java-archive.ts";
import { createNotes } from "../../src/sbom/notes.ts";
import { noPause, onlyFile } from "../fixtures/sbom/image.ts";
import { zipOf } from "../fixtures/sbom/zip.ts";

const pom = (group: string, artifact: string, version: string) =>
  `#Created by Apache Maven\nversion=${version}\ngroupId=${group}\nartifactId=${artifact}\n`;
const pomAt = (artifact: string) => `META-INF/maven/org.example/${artifact}/pom.properties`;

async function read(bytes: Buffer, path = "app/x.jar") {
  const notes = createNotes();
  const kept = await readJavaArchive(bytes, { path, notes, matters: () => false });
  return { archives: javaArchivesIn(kept), kept, warnings: notes.lines() };
}

/** The packages of one file. */
async function packagesOf(bytes: Buffer, path = "app/x.jar") {
  const { kept } = await read(bytes, path);
  const files = onlyFile(path, kept);
  return maven.catalog(files, { os: null, notes: createNotes(), pace: noPause });
}

describe("Java archives", () => {
  test("an archive is what its pom.properties says; those that are shaded into it are its parts", async () => {
    const found = await packagesOf(
      zipOf({
        "META-INF/MANIFEST.MF":
          "Manifest-Version: 1.0\r\nBundle-License: Apache-2.0;link=x\r\n\r\nName: y\r\n",
        [pomAt("tool")]: pom("org.example", "tool", "1.0"),
        [pomAt("part")]: pom("org.example", "part", "2.0"),
        "other/pom.properties": pom("a", "b", "3"),
      }),
      "app/tool-1.0.jar",
    );
    expect(found.map(({ purl }) => purl)).toEqual([
      "pkg:maven/org.example/tool@1.0",
      "pkg:maven/org.example/part@2.0",
    ]);
    expect(found[0]).toMatchObject({
      needs: ["pkg:maven/org.example/part@2.0"],
      license: { each: [{ id: "Apache-2.0" }] },
      sha1: expect.stringMatching(/^[0-9a-f]{40}$/) as string,
      paths: ["/app/tool-1.0.jar"],
    });
  });

  test("without one, the manifest says version and group; without a group it is no package of Maven's", async () => {
    const manifest = (more: string) => zipOf({ "META-INF/MANIFEST.MF": `Manifest-Version: 1.0\n${more}` });
    const purls = async (more: string, path: string) =>
      (await packagesOf(manifest(more), path)).map(({ purl }) => purl);
    expect(
      await purls(
        "Implementation-Version: 1.2\nImplementation-Vendor-Id: org.exam\n ple\n",
        "usr/share/java/a-b-9.jar",
      ),
    ).toEqual(["pkg:maven/org.example/a-b@1.2"]);
    expect(await purls("Bundle-Version: 3.1.0\n", "x/c.jar")).toEqual(["pkg:generic/c@3.1.0"]);
    expect(await purls("Main-Class: x\n", "x/guava-31.1-jre.jar")).toEqual(["pkg:generic/guava@31.1-jre"]);
    expect(await purls("Main-Class: x\n", "x/app.jar")).toEqual([]);
    expect(await purls("Implementation-Version: ${project.version}\n", "x/app.jar")).toEqual([]);
  });

  test("archives within archives are found, stored or packed, and belong to the one around them", async () => {
    const inner = zipOf({ [pomAt("inner")]: pom("org.example", "inner", "1") });
    const middle = zipOf(
      { [pomAt("middle")]: pom("org.example", "middle", "1"), "lib/inner.jar": inner },
      true,
    );
    const found = await packagesOf(
      zipOf({ [pomAt("x")]: pom("org.example", "x", "1"), "BOOT-INF/lib/middle.jar": middle }),
    );
    expect(found.map(({ name, needs, paths }) => [name, needs, paths])).toEqual([
      ["x", ["pkg:maven/org.example/middle@1"], ["/app/x.jar"]],
      ["middle", ["pkg:maven/org.example/inner@1"], ["/app/x.jar!/BOOT-INF/lib/middle.jar"]],
      ["inner", [], ["/app/x.jar!/BOOT-INF/lib/middle.jar!/lib/inner.jar"]],
    ]);
  });

  test("50 archives in each other: those near the outside, and a warning", async () => {
    let bytes = zipOf({ [pomAt("end")]: pom("org.example", "end", "1") });
    for (let depth = 0; depth < 50; depth += 1)
      bytes = zipOf({ [pomAt(`d${depth}`)]: pom("org.example", `d${depth}`, "1"), "a.jar": bytes });
    const { archives, warnings } = await read(bytes);
    expect(archives).toHaveLength(11);
    expect(warnings).toEqual(["left out archives that are nested too deeply, or are too many: /app/x.jar"]);
  });

  test("what unpacks to much more than it has costs no more than what is allowed, and a warning", async () => {
    const bomb = zipOf({ "META-INF/MANIFEST.MF": "Bundle-Version: 1\n", "a.jar": Buffer.alloc(40 << 20) });
    expect(bomb.length).toBeLessThan(100_000);
    const { archives, warnings } = await read(bomb);
    expect(archives.map(({ manifest }) => manifest)).toEqual(["Bundle-Version: 1\n"]);
    expect(warnings).toEqual(["left out parts of archives that cannot be read: /app/x.jar"]);
  });

  test("an entry that is larger than it says, or a damaged archive, gives a warning", async () => {
    const lying = zipOf({ [pomAt("x")]: pom("org.example", "x", "1") });
    const size = lying.lastIndexOf(Buffer.from("PK\x01\x02")) + 24;
    lying.writeUInt32LE(1, size);
    for (const bytes of [lying, Buffer.from("no archive"), Buffer.alloc(0), lying.subarray(0, 40)]) {
      const { archives, warnings } = await read(bytes);
      expect(archives).toEqual([]);
      expect(warnings).toEqual(["left out parts of archives that cannot be read: /app/x.jar"]);
    }
  });

  test("no change of its bytes makes the reader fail", async () => {
    const sound = zipOf({
      "META-INF/MANIFEST.MF": "Bundle-Version: 1\n",
      "a.jar": zipOf({ [pomAt("x")]: pom("org.example", "x", "1") }),
    });
    const change = fc.tuple(fc.nat(sound.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 8 }), fc.nat(sound.length), async (changes, length) => {
        const bytes = Buffer.from(sound);
        for (const [at, value] of changes) bytes[at] = value;
        await packagesOf(bytes);
        await packagesOf(bytes.subarray(0, length));
      }),
    );
  });

  test("any text gives an answer", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        parsePomProperties(text);
        parsePomProperties(`groupId=a\nartifactId=${text}\nversion=1`);
        parseManifest(text);
        parseArchiveName(text);
      }),
    );
    expect(parsePomProperties(pom("a", "${x}", "1"))).toBeNull();
    expect(parsePomProperties(pom("a", "b/c", "1"))).toBeNull();
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { declareLibrary } from "../../src/library/declare.ts";
import { errorFrom } from "./workspace.ts";

const OCI = `registry.example:5000/team/app:1.0@sha256:${"a".repeat(64)}`;
const NEXT = OCI.replace(/a{64}/, "b".repeat(64));

describe("adding a library to factory.yaml", () => {
  it.each<[string, string, string]>([
    [
      "a file without one",
      "schema_version: 1\n",
      `schema_version: 1\nlibraries:\n  company: { oci: "${OCI}" }\n`,
    ],
    [
      "no newline at the end",
      "schema_version: 1",
      `schema_version: 1\nlibraries:\n  company: { oci: "${OCI}" }\n`,
    ],
    [
      "others, with their comments and indentation",
      "# top\nschema_version: 1\nlibraries:   # ours\n\n    # the first\n    zebra: {path: z} # last\nrepository:   x\n",
      `# top\nschema_version: 1\nlibraries:   # ours\n\n    # the first\n    company: { oci: "${OCI}" }\n    zebra: {path: z} # last\nrepository:   x\n`,
    ],
    [
      "a start mark",
      "---\nschema_version: 1\n",
      `---\nschema_version: 1\nlibraries:\n  company: { oci: "${OCI}" }\n`,
    ],
  ])("%s", (_, before, after) => {
    expect(declareLibrary(before, "company", { oci: OCI })).toBe(after);
  });

  it.each<[string, string, string]>([
    [
      "in flow style",
      `libraries: {company: {oci: "${OCI}"}} # x\n`,
      `libraries: {company: {oci: "${NEXT}"}} # x\n`,
    ],
    [
      "plain",
      `libraries:\n  company:\n    oci: ${OCI}   # x\n`,
      `libraries:\n  company:\n    oci: "${NEXT}"   # x\n`,
    ],
  ])("another artifact for one that is there, %s", (_, before, after) => {
    expect(declareLibrary(before, "company", { oci: NEXT })).toBe(after);
  });

  it.each([
    "libraries: {}\n",
    "libraries:\n",
    "libraries: {a: {path: a}}\n",
    "schema_version: 1\n...\n",
    "schema_version: 1\n---\nb: 1\n",
  ])("is refused where it would have to be guessed: %j", (text) => {
    const { code, fix } = errorFrom(() => declareLibrary(text, "company", { path: "vendor/x" }));
    expect([code, fix]).toEqual([
      "LIBRARY_INVALID",
      expect.stringContaining('`company: { path: "vendor/x" }`') as string,
    ]);
  });

  it("another artifact for one that is written over several lines is refused", () => {
    const text = `libraries:\n  company:\n    oci: >-\n      ${OCI}\na: 1\n`;
    expect(errorFrom(() => declareLibrary(text, "company", { oci: NEXT })).code).toBe("LIBRARY_INVALID");
  });

  it("leaves everything else as it is", () => {
    const comment = fc.constantFrom("", " # a", "\n# b\n", "\n\n");
    const name = fc.constantFrom("a", "bb", "c_d", "zz");
    const indent = fc.constantFrom("  ", "    ", " ");
    const path = fc.constantFrom("vendor/x", "a b", 'q"uote', "näme", "x#y", "a: b", "{a}");
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { minLength: 1 }),
        comment,
        indent,
        path,
        fc.boolean(),
        (names, more, by, at, last) => {
          const lines = names.map(
            (one) => `${by}${one}: {path: p/${one}}${more.startsWith(" ") ? more : ""}\n`,
          );
          const block = `libraries:${more.endsWith("\n") ? more : `${more}\n`}${lines.join("")}`;
          const text = `schema_version: 1\n${last ? `repository: r\n${block}` : `${block}repository: r\n`}`;
          const after = declareLibrary(text, "company", { path: at });
          const before = parse(text) as { libraries: object };
          expect(parse(after)).toEqual({
            ...before,
            libraries: { ...before.libraries, company: { path: at } },
          });
          const added = after.split("\n").filter((line) => !text.split("\n").includes(line));
          expect(added).toEqual([`${by}company: { path: ${JSON.stringify(at)} }`]);
        },
      ),
    );
  });
});

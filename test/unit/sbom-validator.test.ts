import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import fc from "fast-check";
import { expect, test } from "vitest";
import { loadValidator, validateSbom } from "../../src/sbom/validate.ts";
import { noPause } from "../fixtures/sbom/image.ts";

const golden = readFileSync(new URL("../fixtures/sbom/small-sbom.golden", import.meta.url), "utf8");

/** A document with more of the schema in it than Factory writes. */
const broad = JSON.stringify({
  $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
  bomFormat: "CycloneDX",
  specVersion: "1.6",
  serialNumber: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
  version: 1,
  metadata: {
    timestamp: "2026-01-02T03:04:05Z",
    authors: [{ name: "A", email: "a@example.org", phone: "1" }],
    licenses: [{ expression: "MIT OR Apache-2.0" }],
    component: { type: "container", name: "a", version: "1", "bom-ref": "r" },
  },
  components: [
    {
      type: "cryptographic-asset",
      name: "k",
      "bom-ref": "k",
      cryptoProperties: { assetType: "certificate", certificateProperties: { subjectName: "x" } },
    },
    {
      type: "library",
      name: "b",
      purl: "pkg:deb/debian/b@1",
      hashes: [{ alg: "SHA-256", content: "a".repeat(64) }],
      licenses: [{ license: { id: "MIT" } }, { license: { name: "odd", url: "https://example.org/l" } }],
      externalReferences: [{ type: "website", url: "https://example.org" }],
      evidence: { identity: [{ field: "purl", confidence: 0.5, methods: [] }] },
      pedigree: { patches: [{ type: "backport" }] },
    },
  ],
  services: [{ name: "s", endpoints: ["https://example.org"], authenticated: true }],
  dependencies: [{ ref: "r", dependsOn: ["k"] }],
  compositions: [{ aggregate: "complete", assemblies: ["r"] }],
  vulnerabilities: [
    { id: "CVE-1", ratings: [{ score: 9, severity: "high", method: "CVSSv31" }], cwes: [79] },
  ],
  annotations: [],
  formulation: [],
  properties: [{ name: "n", value: "v" }],
  signature: { algorithm: "ES256", value: "x" },
});

const library = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

/** What the library's own validator says, in our words. */
async function libraryProblems(json: string): Promise<string[]> {
  type Found = { instancePath: string; message: string; params: { additionalProperty?: string } };
  const found = (await library.validate(json)) as Found[] | null;
  return (found ?? []).map(({ instancePath, message, params: { additionalProperty } }) => {
    const place = additionalProperty === undefined ? instancePath : `${instancePath}/${additionalProperty}`;
    return `${place} ${message}`;
  });
}

const validate = await loadValidator();
const ourProblems = (json: string) =>
  validate(JSON.parse(json) as object).map(({ path, message }) => `${path} ${message}`);

type Json = { [key: string]: unknown } | unknown[];

/** All places in a document: the object or list, and the key in it. */
function placesIn(value: unknown): [Json, string][] {
  if (typeof value !== "object" || value === null) return [];
  const own = Object.keys(value).map((key): [Json, string] => [value as Json, key]);
  return [...own, ...Object.values(value).flatMap(placesIn)];
}

const odd = fc.oneof(
  fc.constantFrom<unknown>(null, 0, 1.5, -1, true, "", "x", [], {}, [[]], ["a", "a"], [{}, {}], "MIT", "1.6"),
  fc.constantFrom<unknown>(
    "2026-13-01T00:00:00Z",
    "not a uri",
    "a@b",
    "Ä@example.org",
    '"q q"@example.org',
    "urn:uuid:x",
    "https://example.org/ä",
  ),
  fc.jsonValue(),
);
const change = fc.record({
  at: fc.nat(),
  how: fc.constantFrom("replace", "remove", "rename", "add", "double"),
  key: fc.constantFrom(
    "name",
    "type",
    "extra",
    "license",
    "expression",
    "version",
    "__proto__",
    "email",
    "url",
  ),
  value: odd,
});

/** Sets a field of its own, also one that is named like the prototype. */
function put(parent: object, key: string, value: unknown): void {
  Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true });
}

function mutate(
  json: string,
  changes: readonly { at: number; how: string; key: string; value: unknown }[],
): string {
  const document = JSON.parse(json) as Json;
  for (const { at, how, key, value: given } of changes) {
    // A copy: a value that one change put in is otherwise changed, or put into itself, by the next.
    const value = structuredClone(given);
    const places = placesIn(document);
    const place = places[at % Math.max(1, places.length)];
    if (!place) break;
    const [parent, name] = place as [Record<string, unknown>, string];
    const now = parent[name];
    if (how === "replace") put(parent, name, value);
    else if (how === "add") put(parent, key, value);
    else if (how === "double" && Array.isArray(now)) now.push(...(now as unknown[]).slice(0, 1));
    else if (how === "rename") put(parent, key, now);
    if (how === "rename" || how === "remove") delete parent[name];
  }
  return JSON.stringify(document);
}

test("documents that are valid, and those that are not, are the same to the library", async () => {
  for (const json of [golden, broad]) {
    expect(await libraryProblems(json)).toEqual([]);
    expect(ourProblems(json)).toEqual([]);
    expect(await validateSbom(json, noPause)).toEqual([]);
  }
  const verdicts = new Set<boolean>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(golden, broad),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      async (json, changes) => {
        const changed = mutate(json, changes);
        const problems = await libraryProblems(changed);
        expect(ourProblems(changed)).toEqual(problems);
        // Part by part: the same verdict.
        expect((await validateSbom(changed, noPause)).length === 0).toBe(problems.length === 0);
        verdicts.add(problems.length === 0);
      },
    ),
    { numRuns: 1500 },
  );
  expect(verdicts).toEqual(new Set([true, false]));
});

test("a mail address is one exactly where the library's parser takes it", () => {
  const parses = createRequire(import.meta.url)("ajv-formats-draft2019/formats/idn-email") as (
    text: string,
  ) => boolean;
  const problemsOf = (email: string) => {
    const authors = [{ name: "a", email }];
    return ourProblems(JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.6", metadata: { authors } }));
  };
  const part = (unit: string) => fc.string({ unit: fc.constantFrom(...unit), maxLength: 6 });
  const plain = fc.stringMatching(
    /^[A-Za-z0-9]{1,4}([._+-][A-Za-z0-9]{1,3}){0,3}@[A-Za-z][a-z0-9]{0,3}(-[a-z0-9]{1,3}){0,2}(\.[A-Za-z][A-Za-z0-9]{0,3}(-[a-z0-9]{1,2}){0,1}){1,3}$/,
  );
  const rough = fc
    .tuple(part('aZ0.-_+@"Ä '), part("aZ0.-_[]1:"), part("aZ09-."))
    .map(([local, host, domain]) => `${local}@${host}.${domain}`);
  const long = fc
    .tuple(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 80 }))
    .map(([local, host]) => `${"a".repeat(local)}@${"b".repeat(host)}.org`);
  fc.assert(
    fc.property(fc.oneof(plain, rough, long), (email) => {
      expect(problemsOf(email).length === 0).toBe(parses(email));
    }),
    { numRuns: 400 },
  );
});

test("two parts that are equal are found, whatever the order of their keys", async () => {
  const document = (...dependencies: object[]) =>
    JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.6", dependencies });
  const twice = document({ ref: "a", dependsOn: ["b"] }, { ref: "b" }, { dependsOn: ["b"], ref: "a" });
  expect(await libraryProblems(twice)).toHaveLength(1);
  expect(await validateSbom(twice, noPause)).toEqual([
    "/dependencies must NOT have duplicate items (0 and 2)",
  ]);
  expect(await validateSbom(document({ ref: "a" }, { ref: "b" }), noPause)).toEqual([]);
});

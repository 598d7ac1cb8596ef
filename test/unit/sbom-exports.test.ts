import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exportBom } from "../../src/sbom/exports/exports.ts";

const NOW = Date.UTC(2026, 10, 27);

type Json = Record<string, unknown>;

const library = (name: string, more: Json = {}): Json => ({
  type: "library",
  name,
  version: "1",
  "bom-ref": `pkg:npm/${name}@1`,
  purl: `pkg:npm/${name}@1`,
  ...more,
});

const bom = (components: Json[], more: Json = {}): string =>
  JSON.stringify({
    bomFormat: "CycloneDX",
    serialNumber: "urn:uuid:1470709d-3f47-87d5-850e-b0fdb686ab94",
    metadata: {
      timestamp: "2026-11-26T01:02:03.456Z",
      tools: { components: [{ name: "factory", version: "0.1.0" }] },
      component: { type: "container", name: "team/app", version: "sha256:1", "bom-ref": "root" },
    },
    components,
    ...more,
  });

interface Spdx2 {
  documentNamespace: string;
  creationInfo: { created: string; creators: string[] };
  hasExtractedLicensingInfos?: { licenseId: string; name: string }[];
  packages: {
    SPDXID: string;
    name: string;
    supplier: string;
    licenseDeclared: string;
    externalRefs?: { referenceType: string; referenceLocator: string }[];
    checksums?: { algorithm: string; checksumValue: string }[];
    annotations?: { comment: string }[];
  }[];
  relationships: { spdxElementId: string; relationshipType: string; relatedSpdxElement: string }[];
}

interface Spdx3 {
  "@graph": (Json & { type: string; spdxId?: string })[];
}

const as2 = (json: string) => JSON.parse([...exportBom(json, "spdx-2.3", NOW).pieces].join("")) as Spdx2;
const as3 = (json: string) => JSON.parse([...exportBom(json, "spdx-3.0", NOW).pieces].join("")) as Spdx3;

const WHOLE = bom(
  [
    library("a", {
      group: "@scope",
      cpe: "cpe:2.3:a:x:a:1:*:*:*:*:*:*:*",
      supplier: { name: "Us (all)", contact: [{ email: "us@example.org" }] },
      author: "Somebody",
      licenses: [{ license: { id: "MIT" } }, { license: { name: "Our Terms (v2)" } }],
      hashes: [{ alg: "SHA-512", content: "ab" }],
      properties: [
        { name: "factory:fragment", value: "core@0.1.0" },
        { name: "factory:layer", value: "sha256:2" },
      ],
    }),
    library("b", { licenses: [{ expression: "MIT OR LicenseRef-theirs" }] }),
    { type: "operating-system", name: "debian", version: "12", "bom-ref": "os:debian" },
  ],
  {
    dependencies: [
      { ref: "root", dependsOn: ["pkg:npm/a@1", "pkg:npm/b@1"] },
      { ref: "pkg:npm/a@1", dependsOn: ["pkg:npm/b@1", "gone"] },
      { ref: "pkg:npm/b@1" },
    ],
  },
);

describe("an SBOM as SPDX 2.3", () => {
  it("says of each component what CycloneDX says", () => {
    const { documentNamespace, creationInfo, packages, relationships, hasExtractedLicensingInfos } =
      as2(WHOLE);
    expect(documentNamespace).toBe("urn:uuid:1470709d-3f47-87d5-850e-b0fdb686ab94");
    expect(creationInfo).toEqual({ created: "2026-11-26T01:02:03Z", creators: ["Tool: factory-0.1.0"] });
    const [root, a, b, os] = packages;
    expect(root).toMatchObject({
      name: "team/app",
      versionInfo: "sha256:1",
      primaryPackagePurpose: "CONTAINER",
    });
    expect(a).toMatchObject({
      name: "@scope/a",
      supplier: "Organization: Us all (us@example.org)",
      originator: "Person: Somebody",
      checksums: [{ algorithm: "SHA512", checksumValue: "ab" }],
      externalRefs: [
        { referenceType: "purl", referenceLocator: "pkg:npm/a@1" },
        { referenceType: "cpe23Type", referenceLocator: "cpe:2.3:a:x:a:1:*:*:*:*:*:*:*" },
      ],
      annotations: [{ comment: "factory:fragment: core@0.1.0\nfactory:layer: sha256:2" }],
    });
    const own = hasExtractedLicensingInfos?.map(({ licenseId, name }) => [licenseId, name]);
    expect(own).toEqual([
      [expect.stringMatching(/^LicenseRef-Our-Terms-v2--[0-9a-f]{8}$/) as string, "Our Terms (v2)"],
      ["LicenseRef-theirs", "theirs"],
    ]);
    expect(a?.licenseDeclared).toBe(`MIT AND ${own?.[0]?.[0]}`);
    expect(b).toMatchObject({ licenseDeclared: "MIT OR LicenseRef-theirs", supplier: "NOASSERTION" });
    expect(os).toMatchObject({ primaryPackagePurpose: "OPERATING-SYSTEM", licenseDeclared: "NOASSERTION" });
    const said = relationships.map(({ spdxElementId, relationshipType, relatedSpdxElement }) =>
      [spdxElementId, relationshipType, relatedSpdxElement]
        .map((one) => one.replace(/-[0-9a-f]{16}$/, ""))
        .join(" "),
    );
    expect(said).toEqual([
      "SPDXRef-DOCUMENT DESCRIBES SPDXRef-container-team-app",
      "SPDXRef-container-team-app CONTAINS SPDXRef-Package-a",
      "SPDXRef-container-team-app CONTAINS SPDXRef-Package-b",
      "SPDXRef-container-team-app CONTAINS SPDXRef-operating-system-debian",
      "SPDXRef-Package-a DEPENDS_ON SPDXRef-Package-b",
    ]);
  });

  it("takes the given time where the document has none, and says how many lack what", () => {
    const bare = bom([library("a")], { metadata: {} });
    expect(as2(bare).creationInfo).toEqual({ created: "2026-11-27T00:00:00Z", creators: ["Tool: factory"] });
    expect(exportBom(WHOLE, "spdx-2.3", NOW).elements).toBe(
      "NTIA minimum elements of 3 components: 2 without supplier, 1 without identifier",
    );
    expect(exportBom(bom([]), "cyclonedx", NOW)).toEqual({
      pieces: [bom([])],
      elements: "NTIA minimum elements of 0 components: all have them",
    });
  });
});

describe("an SBOM as SPDX 3.0", () => {
  it("says the same as elements of a graph", () => {
    const graph = as3(WHOLE)["@graph"];
    const of = (type: string) => graph.filter((one) => one.type === type);
    expect(of("software_Package")).toMatchObject([
      { name: "team/app", software_primaryPurpose: "container" },
      {
        name: "@scope/a",
        software_packageUrl: "pkg:npm/a@1",
        verifiedUsing: [{ type: "Hash", algorithm: "sha512", hashValue: "ab" }],
        externalIdentifier: [{ externalIdentifierType: "cpe23" }],
      },
      { name: "b" },
      { software_primaryPurpose: "operatingSystem" },
    ]);
    expect(of("Organization")).toMatchObject([
      {
        name: "Us (all)",
        externalIdentifier: [{ externalIdentifierType: "email", identifier: "us@example.org" }],
      },
    ]);
    expect(of("Annotation")).toMatchObject([
      { statement: "factory:fragment: core@0.1.0\nfactory:layer: sha256:2" },
    ]);
    expect(of("Relationship").map(({ relationshipType }) => relationshipType)).toEqual([
      "hasDeclaredLicense",
      "hasDeclaredLicense",
      "contains",
      "dependsOn",
    ]);
    const [first] = of("simplelicensing_LicenseExpression");
    const [text] = of("simplelicensing_SimpleLicensingText");
    expect(first).toMatchObject({ simplelicensing_customIdToUri: [{ value: text?.spdxId }] });
  });
});

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constantFrom(
    "<script>",
    "\u001b[2J",
    "a b",
    "(",
    "\u202e",
    "x".repeat(300),
    "LicenseRef-a",
    "",
    "../..",
  ),
);
const license = fc.oneof(
  fc.record({ license: fc.record({ name: text }) }),
  fc.constantFrom({ license: { id: "MIT" } }, { expression: "LicenseRef-a AND (MIT OR LicenseRef-b.c)" }),
);
const component = fc.record(
  {
    type: fc.constantFrom("library", "application", "odd"),
    name: text,
    version: text,
    group: text,
    purl: text,
    description: text,
    author: text,
    supplier: fc.record({ name: text, contact: fc.array(fc.record({ email: text }), { maxLength: 2 }) }),
    licenses: fc.array(license, { maxLength: 3 }),
    properties: fc.array(fc.record({ name: text, value: text }), { maxLength: 2 }),
  },
  { requiredKeys: ["type", "name"] },
);
const documents = fc
  .uniqueArray(component, { maxLength: 8, selector: JSON.stringify })
  .map((some) => some.map((one, at) => ({ ...one, "bom-ref": `ref-${at}` })))
  .chain((components) =>
    fc.array(fc.tuple(fc.nat(9), fc.array(fc.nat(9), { maxLength: 3 })), { maxLength: 6 }).map((needs) =>
      bom(components, {
        dependencies: needs.map(([ref, to]) => ({
          ref: `ref-${ref}`,
          dependsOn: to.map((at) => `ref-${at}`),
        })),
      }),
    ),
  );

/** References of our own in a licence expression. */
const ownIn = (expression: string) => expression.match(/LicenseRef-[A-Za-z0-9.-]+/g) ?? [];

describe("whatever an SBOM says", () => {
  it("SPDX 2.3 names each component once, and nothing that is not there", () => {
    fc.assert(
      fc.property(documents, (json) => {
        const { packages, relationships, hasExtractedLicensingInfos = [] } = as2(json);
        const components = (JSON.parse(json) as { components: { name: string }[] }).components;
        expect(packages).toHaveLength(components.length + 1);
        const ids = new Set(packages.map(({ SPDXID }) => SPDXID));
        expect(ids.size).toBe(packages.length);
        for (const id of ids) expect(id).toMatch(/^SPDXRef-[A-Za-z0-9.-]+$/);
        for (const { spdxElementId, relatedSpdxElement } of relationships) {
          expect(ids.has(spdxElementId) || spdxElementId === "SPDXRef-DOCUMENT").toBe(true);
          expect(ids.has(relatedSpdxElement)).toBe(true);
        }
        const own = new Set(hasExtractedLicensingInfos.map(({ licenseId }) => licenseId));
        expect(own.size).toBe(hasExtractedLicensingInfos.length);
        for (const { licenseDeclared } of packages)
          for (const reference of ownIn(licenseDeclared)) expect(own.has(reference)).toBe(true);
      }),
    );
  });

  it("SPDX 3.0 has an element for all that it refers to, each with an address of its own", () => {
    fc.assert(
      fc.property(documents, (json) => {
        const graph = as3(json)["@graph"];
        const ids = graph.flatMap(({ spdxId }) => spdxId ?? []);
        expect(new Set(ids).size).toBe(ids.length);
        const known = new Set(ids);
        const fields = ["from", "to", "subject", "suppliedBy", "originatedBy", "rootElement", "element"];
        for (const one of graph)
          for (const field of fields)
            for (const id of [one[field] ?? []].flat() as string[]) expect(known.has(id)).toBe(true);
        const last = graph.at(-1);
        expect(last?.type).toBe("SpdxDocument");
        expect(new Set(last?.element as string[])).toEqual(new Set(ids.filter((id) => id !== last?.spdxId)));
      }),
    );
  });

  it("the same document gives the same bytes, each time that it is written", () => {
    fc.assert(
      fc.property(documents, fc.constantFrom("spdx-2.3" as const, "spdx-3.0" as const), (json, format) => {
        const { pieces } = exportBom(json, format, NOW);
        const once = [...pieces].join("");
        expect([...pieces].join("")).toBe(once);
        expect([...exportBom(json, format, NOW).pieces].join("")).toBe(once);
      }),
    );
  });
});

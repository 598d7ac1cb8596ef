import type { Bom, Part, Party } from "./bom-parts.ts";

/** SPDX's word for: nothing says it. */
const UNKNOWN = "NOASSERTION";

const idOf = ({ id }: { id: string }): string => `SPDXRef-${id}`;

/** A type of CycloneDX as SPDX calls it. */
const PURPOSES: Readonly<Record<string, string>> = {
  application: "APPLICATION",
  container: "CONTAINER",
  file: "FILE",
  firmware: "FIRMWARE",
  framework: "FRAMEWORK",
  library: "LIBRARY",
  "operating-system": "OPERATING-SYSTEM",
};

/** Parentheses would end the name: they hold the address. */
const partyText = ({ name, email }: Party): string =>
  `${name.replace(/[()\s]+/g, " ").trim()}${email === undefined ? "" : ` (${email})`}`;

function packageOf(part: Part, { created, annotator }: { created: string; annotator: string }): object {
  const { name, version, purl, cpe, description, supplier, author, license = UNKNOWN, hashes, facts } = part;
  const references = [
    ...(purl === undefined ? [] : [["PACKAGE-MANAGER", "purl", purl]]),
    ...(cpe === undefined ? [] : [["SECURITY", "cpe23Type", cpe]]),
  ];
  return {
    SPDXID: idOf(part),
    name,
    ...(version !== undefined && { versionInfo: version }),
    primaryPackagePurpose: PURPOSES[part.type] ?? "OTHER",
    supplier: supplier ? `Organization: ${partyText(supplier)}` : UNKNOWN,
    ...(author !== undefined && { originator: `Person: ${partyText({ name: author })}` }),
    downloadLocation: UNKNOWN,
    filesAnalyzed: false,
    licenseConcluded: UNKNOWN,
    licenseDeclared: license,
    copyrightText: UNKNOWN,
    ...(description !== undefined && { description }),
    ...(hashes.length > 0 && {
      checksums: hashes.map(([algorithm, checksumValue]) => ({
        algorithm: algorithm.replace("SHA-", "SHA"),
        checksumValue,
      })),
    }),
    ...(references.length > 0 && {
      externalRefs: references.map(([referenceCategory, referenceType, referenceLocator]) => ({
        referenceCategory,
        referenceType,
        referenceLocator,
      })),
    }),
    ...(facts.length > 0 && {
      annotations: [
        { annotationDate: created, annotationType: "OTHER", annotator, comment: facts.join("\n") },
      ],
    }),
  };
}

/** The document as SPDX 2.3 in JSON, in pieces. @param now the time of a document that has none */
export function* spdx2(bom: Bom, now: string): Generator<string> {
  const { serial, tools, root, parts, needs, ownLicenses } = bom;
  const created = bom.created ?? now;
  const creators = tools.map((tool) => `Tool: ${tool}`);
  const about = { created, annotator: creators[0] ?? "Tool: factory" };
  const relation = (spdxElementId: string, relationshipType: string, relatedSpdxElement: string) =>
    JSON.stringify({ spdxElementId, relationshipType, relatedSpdxElement });
  const head = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: root.name,
    documentNamespace: serial,
    creationInfo: { created, creators: creators.length > 0 ? creators : [about.annotator] },
    ...(ownLicenses.size > 0 && {
      hasExtractedLicensingInfos: [...ownLicenses].map(([licenseId, name]) => ({
        licenseId,
        name,
        extractedText: `What the package calls ${JSON.stringify(name)}. Its text was not taken from the image.`,
      })),
    }),
  };
  yield `${JSON.stringify(head).slice(0, -1)},"packages":[`;
  for (const [at, part] of [root, ...parts].entries())
    yield `${at === 0 ? "" : ",\n"}${JSON.stringify(packageOf(part, about))}`;
  yield `],"relationships":[${relation("SPDXRef-DOCUMENT", "DESCRIBES", idOf(root))}`;
  for (const part of parts) yield `,\n${relation(idOf(root), "CONTAINS", idOf(part))}`;
  for (const [from, to] of needs)
    for (const id of to) yield `,\n${relation(idOf({ id: from }), "DEPENDS_ON", idOf({ id }))}`;
  yield "]}";
}

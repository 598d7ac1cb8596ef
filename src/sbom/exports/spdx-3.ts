import type { Bom, Part, Party } from "./bom-parts.ts";

const CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld";

/** A type of CycloneDX as SPDX calls it. */
const PURPOSES: Readonly<Record<string, string>> = {
  application: "application",
  container: "container",
  file: "file",
  firmware: "firmware",
  framework: "framework",
  library: "library",
  "operating-system": "operatingSystem",
};

const CREATION = "_:creation";

/** Gives each text of a kind an element of its own, once. */
function createElements(iri: (id: string) => string, kind: string, make: (text: string) => object) {
  const byText = new Map<string, { id: string; element: object }>();
  return {
    of: (text: string): string => {
      const known = byText.get(text);
      if (known) return known.id;
      const id = iri(`${kind}-${byText.size + 1}`);
      byText.set(text, { id, element: { spdxId: id, creationInfo: CREATION, ...make(text) } });
      return id;
    },
    all: (): object[] => [...byText.values()].map(({ element }) => element),
    ids: (): string[] => [...byText.values()].map(({ id }) => id),
  };
}

/** The document as SPDX 3.0.1 in JSON-LD, in pieces. @param now the time of a document that has none */
export function* spdx3(bom: Bom, now: string): Generator<string> {
  const { serial, root, parts, needs, ownLicenses } = bom;
  const iri = (id: string): string => `${serial}#${id}`;
  const idOf = ({ id }: { id: string }): string => iri(id);
  const ownText = createElements(iri, "LicenseText", (name) => ({
    type: "simplelicensing_SimpleLicensingText",
    name,
    simplelicensing_licenseText: `What the package calls ${JSON.stringify(name)}. Its text was not taken from the image.`,
  }));
  const organizations = createElements(iri, "Organization", (text) => {
    const { name, email } = JSON.parse(text) as Party;
    const mail = { type: "ExternalIdentifier", externalIdentifierType: "email", identifier: email };
    return { type: "Organization", name, ...(email !== undefined && { externalIdentifier: [mail] }) };
  });
  const people = createElements(iri, "Person", (name) => ({ type: "Person", name }));
  const licenses = createElements(iri, "License", (expression) => {
    const own = [...new Set(expression.split(/[\s()]+/))].flatMap((reference) => {
      const name = ownLicenses.get(reference);
      return name === undefined ? [] : [[reference, name] as const];
    });
    return {
      type: "simplelicensing_LicenseExpression",
      simplelicensing_licenseExpression: expression,
      ...(own.length > 0 && {
        simplelicensing_customIdToUri: own.map(([key, name]) => ({
          type: "DictionaryEntry",
          key,
          value: ownText.of(name),
        })),
      }),
    };
  });
  const tool = iri("Tool");
  const document = iri("Document");
  const sbom = iri("Sbom");
  const ids: string[] = [];
  let count = 0;
  const element = (about: { spdxId: string; [key: string]: unknown }): string => {
    ids.push(about.spdxId);
    return `,\n${JSON.stringify(about)}`;
  };
  const relation = (from: string, relationshipType: string, to: readonly string[]): string =>
    element({
      type: "Relationship",
      spdxId: iri(`Relationship-${(count += 1)}`),
      creationInfo: CREATION,
      from,
      relationshipType,
      to,
    });
  const packageOf = (part: Part): string => {
    const { name, version, purl, cpe, description, supplier, author, hashes } = part;
    return element({
      type: "software_Package",
      spdxId: idOf(part),
      creationInfo: CREATION,
      name,
      ...(description !== undefined && { description }),
      ...(version !== undefined && { software_packageVersion: version }),
      ...(purl !== undefined && { software_packageUrl: purl }),
      software_primaryPurpose: PURPOSES[part.type] ?? "other",
      ...(cpe !== undefined && {
        externalIdentifier: [
          { type: "ExternalIdentifier", externalIdentifierType: "cpe23", identifier: cpe },
        ],
      }),
      ...(hashes.length > 0 && {
        verifiedUsing: hashes.map(([algorithm, hashValue]) => ({
          type: "Hash",
          algorithm: algorithm.toLowerCase().replace("sha-", "sha"),
          hashValue,
        })),
      }),
      ...(supplier && { suppliedBy: organizations.of(JSON.stringify(supplier)) }),
      ...(author !== undefined && { originatedBy: [people.of(author)] }),
    });
  };

  const creation = {
    type: "CreationInfo",
    "@id": CREATION,
    specVersion: "3.0.1",
    created: bom.created ?? now,
    createdBy: [tool],
  };
  yield `{"@context":${JSON.stringify(CONTEXT)},"@graph":[${JSON.stringify(creation)}`;
  const name = bom.tools.join(", ") || "factory";
  yield element({ type: "SoftwareAgent", spdxId: tool, creationInfo: CREATION, name });
  for (const part of [root, ...parts]) {
    yield packageOf(part);
    if (part.license !== undefined)
      yield relation(idOf(part), "hasDeclaredLicense", [licenses.of(part.license)]);
    if (part.facts.length > 0)
      yield element({
        type: "Annotation",
        spdxId: iri(`Annotation-${part.id}`),
        creationInfo: CREATION,
        annotationType: "other",
        subject: idOf(part),
        statement: part.facts.join("\n"),
      });
  }
  if (parts.length > 0) yield relation(idOf(root), "contains", parts.map(idOf));
  for (const [from, to] of needs) yield relation(iri(from), "dependsOn", to.map(iri));
  for (const kind of [licenses, ownText, organizations, people]) {
    ids.push(...kind.ids());
    for (const one of kind.all()) yield `,\n${JSON.stringify(one)}`;
  }
  const profileConformance = ["core", "software", "simpleLicensing"];
  const common = { creationInfo: CREATION, profileConformance };
  yield `,\n${JSON.stringify({
    type: "software_Sbom",
    spdxId: sbom,
    ...common,
    software_sbomType: ["analyzed"],
    rootElement: [idOf(root)],
    element: ids,
  })}`;
  yield `,\n${JSON.stringify({
    type: "SpdxDocument",
    spdxId: document,
    ...common,
    name: root.name,
    rootElement: [sbom],
    element: [...ids, sbom],
  })}]}`;
}

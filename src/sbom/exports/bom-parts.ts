import { sha256Hex } from "../../model/digest.ts";
import { uuidOf } from "../content-uuid.ts";

/** Who supplies or wrote something. */
export interface Party {
  name: string;
  email?: string;
}

/** A component of a CycloneDX document, or what the document is about. */
export interface Part {
  /** Letters, digits, `.` and `-`; no other part has it. */
  id: string;
  /** As CycloneDX calls it: `library`, `container`, `operating-system`. */
  type: string;
  name: string;
  version?: string;
  purl?: string;
  cpe?: string;
  description?: string;
  supplier?: Party;
  author?: string;
  /** An SPDX expression; absent if nothing is said. */
  license?: string;
  /** By the algorithm as CycloneDX calls it: `SHA-256`. */
  hashes: readonly (readonly [algorithm: string, value: string])[];
  /** Whatever else is said of it, as `name: value`. */
  facts: readonly string[];
}

/** A CycloneDX document, without what belongs to that format alone. */
export interface Bom {
  /** `urn:uuid:…` */
  serial: string;
  /** ISO 8601 in whole seconds; null if the document has no time. */
  created: string | null;
  /** Name and version of what wrote it, such as `factory-0.1.0`. */
  tools: readonly string[];
  root: Part;
  parts: readonly Part[];
  /** What a part needs, by ids; a part that needs nothing is not here. */
  needs: readonly (readonly [from: string, to: readonly string[]])[];
  /** Licences that are no SPDX: what a package calls each, by its reference. */
  ownLicenses: ReadonlyMap<string, string>;
}

interface Component {
  type: string;
  name: string;
  version?: string;
  group?: string;
  "bom-ref"?: string;
  purl?: string;
  cpe?: string;
  description?: string;
  supplier?: { name?: string; contact?: { email?: string }[] };
  author?: string;
  licenses?: { expression?: string; license?: { id?: string; name?: string } }[];
  hashes?: { alg: string; content: string }[];
  properties?: { name: string; value: string }[];
}

interface Document {
  serialNumber?: string;
  metadata?: {
    timestamp?: string;
    component?: Component;
    tools?: { components?: { name: string; version?: string }[] };
  };
  components?: Component[];
  dependencies?: { ref: string; dependsOn?: string[] }[];
}

const spelled = (text: string): string => text.replace(/[^A-Za-z0-9.-]+/g, "-").slice(0, 60) || "x";

/** What a part is called in other formats: people recognize it, and it is the same each time. */
function idOf({ type, name, ...rest }: Component): string {
  return `${type === "library" ? "Package" : spelled(type)}-${spelled(name)}-${sha256Hex(rest["bom-ref"] ?? name).slice(0, 16)}`;
}

/** The licences of a component as one expression. Each of those in a list holds, as far as the package says. */
function licenseOf({ licenses = [] }: Component, own: Map<string, string>): string | undefined {
  const texts = licenses.map(({ expression, license: { id, name = "" } = {} }) => {
    if (expression !== undefined) return expression;
    if (id !== undefined) return id;
    const reference = `LicenseRef-${spelled(name)}-${sha256Hex(name).slice(0, 8)}`;
    own.set(reference, name);
    return reference;
  });
  for (const [reference] of texts.join(" ").matchAll(/(?<![:A-Za-z0-9.-])LicenseRef-[A-Za-z0-9.-]+/g))
    if (!own.has(reference)) own.set(reference, reference.slice("LicenseRef-".length).replaceAll("-", " "));
  const [only] = texts;
  if (texts.length < 2) return only;
  return texts.map((text) => (/ (AND|OR) /i.test(text) ? `(${text})` : text)).join(" AND ");
}

function partOf(component: Component, own: Map<string, string>): Part {
  const { type, name, group, version, purl, cpe, description, supplier, author } = component;
  const email = supplier?.contact?.find((one) => one.email !== undefined)?.email;
  return {
    id: idOf(component),
    type,
    name: group === undefined || group === "" ? name : `${group}/${name}`,
    version,
    purl,
    cpe,
    description,
    supplier: supplier?.name === undefined ? undefined : { name: supplier.name, email },
    author,
    license: licenseOf(component, own),
    hashes: (component.hashes ?? []).map(({ alg, content }) => [alg, content] as const),
    facts: (component.properties ?? []).map((fact) => `${fact.name}: ${fact.value}`),
  };
}

/** Reads a CycloneDX 1.x document in JSON as Factory and syft write it. @throws SyntaxError where it is no JSON */
export function readBom(json: string): Bom {
  const {
    serialNumber = "",
    metadata = {},
    components = [],
    dependencies = [],
  } = JSON.parse(json) as Document;
  const ownLicenses = new Map<string, string>();
  const idByRef = new Map<string, string>();
  const partIn = (component: Component): Part => {
    const part = partOf(component, ownLicenses);
    idByRef.set(component["bom-ref"] ?? "", part.id);
    return part;
  };
  const about: Component = metadata.component ?? { type: "container", name: "image" };
  const root = partIn(about);
  const parts = components.map(partIn);
  const known = (refs: readonly string[]) => refs.flatMap((ref) => idByRef.get(ref) ?? []);
  return {
    serial: serialNumber || `urn:uuid:${uuidOf(sha256Hex(json))}`,
    created: metadata.timestamp?.replace(/\.\d+Z$/, "Z") ?? null,
    tools: (metadata.tools?.components ?? []).map(({ name, version = "" }) => `${name}-${version}`),
    root,
    parts,
    // What the image has is told by where it is; what it needs is no more than that.
    needs: dependencies.flatMap(({ ref, dependsOn = [] }) => {
      const from = idByRef.get(ref);
      const to = known(dependsOn);
      return from === undefined || from === root.id || to.length === 0 ? [] : [[from, to] as const];
    }),
    ownLicenses,
  };
}

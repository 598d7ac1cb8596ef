import * as Contrib from "@cyclonedx/cyclonedx-library/Contrib/License";
import * as Enums from "@cyclonedx/cyclonedx-library/Enums";
import * as Models from "@cyclonedx/cyclonedx-library/Models";
import * as Serialize from "@cyclonedx/cyclonedx-library/Serialize";
import * as Spec from "@cyclonedx/cyclonedx-library/Spec";
import parseExpression from "spdx-expression-parse";
import { sha256Hex } from "../model/digest.ts";
import { parseReference } from "../model/subject.ts";
import type { Inventory } from "./inventory.ts";
import { purlOf, type Contact, type OperatingSystem, type Package } from "./package.ts";

type Component = Models.Component;

/** The image that a bill of materials is about. */
export interface Subject {
  name: string;
  ref: string;
  /** `sha256:…`, or null where it is not known. */
  digest: string | null;
  manifestDigest: string | null;
  platform: string;
}

export interface BomOptions {
  timestamp: Date | null;
  toolVersion: string;
  /** `urn:uuid:…`; null for none; undefined derives one from the content. */
  serialNumber?: string | null;
}

function rootPurl(subject: Subject): string | null {
  const { repository, base, tag, hosted } = parseReference(subject.ref);
  const byId = subject.ref.startsWith("sha256:") || base === "";
  const qualifiers = {
    arch: subject.platform.split("/").slice(1).join("/"),
    repository_url: hosted && !byId ? repository.toLowerCase() : "",
    tag: byId ? "" : tag,
  };
  const name = (byId ? subject.name : base).toLowerCase();
  return purlOf("oci", { name, version: subject.digest ?? "", qualifiers });
}

function addFacts(component: Component, facts: readonly (readonly [string, string])[]): void {
  for (const [name, value] of facts) {
    if (value !== "") component.properties.add(new Models.Property(`factory:${name}`, value));
  }
}

function supplierOf(contact: Contact) {
  const person = new Models.OrganizationalContact({ name: contact.name, email: contact.email });
  const contacts = new Models.OrganizationalContactRepository(contact.email ? [person] : []);
  return new Models.OrganizationalEntity({ name: contact.name, contact: contacts });
}

function packageComponent(factory: Contrib.Factories.LicenseFactory, one: Package): Component {
  const [only] = one.licenses;
  const licenses =
    one.licenses.length === 1 && only !== undefined
      ? [factory.makeFromString(only)]
      : one.licenses.map((license) => factory.makeDisjunctive(license));
  const component = new Models.Component(Enums.ComponentType.Library, one.name, {
    bomRef: one.purl,
    purl: one.purl,
    group: one.group,
    version: one.version,
    author: one.author,
    supplier: one.supplier && supplierOf(one.supplier),
    scope: one.optional ? Enums.ComponentScope.Optional : undefined,
    licenses: new Models.LicenseRepository(licenses),
  });
  if (one.sha512) component.hashes.set(Enums.HashAlgorithm["SHA-512"], one.sha512);
  const facts = Object.entries(one.facts).map(
    ([name, value]) => [`${one.ecosystem}:${name}`, value] as const,
  );
  addFacts(component, [...facts, ...one.paths.map((path) => ["path", path] as const)]);
  return component;
}

function osComponent(os: OperatingSystem): Component {
  return new Models.Component(Enums.ComponentType.OperatingSystem, os.id, {
    bomRef: `os:${os.distro || os.id}`,
    version: os.version || undefined,
    description: os.title,
  });
}

function rootComponent(subject: Subject): Component {
  const purl = rootPurl(subject) ?? undefined;
  const component = new Models.Component(Enums.ComponentType.Container, subject.name, {
    bomRef: purl ?? `image:${subject.name}`,
    purl,
    version: subject.digest ?? (parseReference(subject.ref).tag || undefined),
  });
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(subject.digest ?? "") ?? [];
  if (hex !== undefined) component.hashes.set(Enums.HashAlgorithm["SHA-256"], hex);
  addFacts(component, [
    ["image:manifest_digest", subject.manifestDigest ?? ""],
    ["image:platform", subject.platform],
    ["image:ref", subject.ref],
  ]);
  return component;
}

/** A UUID (RFC 9562, version 8) that any change to the text changes. */
function uuidOf(text: string): string {
  const hex = sha256Hex(text);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}

/**
 * Writes an inventory as CycloneDX 1.6 JSON. The same arguments give the same bytes: lists keep the inventory's
 * order, since the library's own sorting depends on the locale.
 * @returns the document's text, and how many components it lists
 */
export function writeBom(
  subject: Subject,
  inventory: Inventory,
  options: BomOptions,
): { json: string; components: number } {
  const factory = new Contrib.Factories.LicenseFactory((text) => void parseExpression(text));

  const root = rootComponent(subject);
  const os = inventory.os ? [osComponent(inventory.os)] : [];
  const packages = inventory.packages.map((one) => packageComponent(factory, one));
  const byPurl = new Map(inventory.packages.map((one, at) => [one.purl, packages[at]?.bomRef]));
  for (const [at, one] of inventory.packages.entries()) {
    for (const purl of one.needs) {
      const needed = byPurl.get(purl);
      if (needed) packages[at]?.dependencies.add(needed);
    }
  }
  for (const component of [...os, ...packages]) root.dependencies.add(component.bomRef);

  const tool = new Models.Component(Enums.ComponentType.Application, "factory", {
    version: options.toolVersion,
  });
  const bom = new Models.Bom({
    components: new Models.ComponentRepository([...os, ...packages]),
    metadata: new Models.Metadata({
      timestamp: options.timestamp ?? undefined,
      component: root,
      tools: new Models.Tools({ components: new Models.ComponentRepository([tool]) }),
      lifecycles: new Models.LifecycleRepository([new Models.NamedLifecycle("image inventory")]),
    }),
  });
  // What JsonSerializer does, without its look for references that are not unique: these are purls, each once.
  const document = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6)
    .makeForBom()
    .normalize(bom, { sortLists: false });
  const write = () => `${JSON.stringify(document, null, 2)}\n`;
  // The normalised document has a place for it, whether it is known yet or not.
  document.serialNumber =
    options.serialNumber === undefined ? `urn:uuid:${uuidOf(write())}` : (options.serialNumber ?? undefined);
  return { json: write(), components: os.length + packages.length };
}

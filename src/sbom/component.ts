import * as Enums from "@cyclonedx/cyclonedx-library/Enums";
import * as Models from "@cyclonedx/cyclonedx-library/Models";
import { systemCpe } from "./cpe.ts";
import type { Brought, Found } from "./inventory.ts";
import type { Contact, DeclaredLicense, OperatingSystem } from "./package.ts";

export type Facts = readonly (readonly [name: string, value: string])[];

/** Adds facts as properties, under Factory's own prefix unless the name already has the prefix of the tool that reads it. */
export function addFacts(component: Models.Component, facts: Facts): void {
  for (const [name, value] of facts) {
    if (value !== "") component.properties.add(new Models.Property(name, value));
  }
}

function supplierOf(contact: Contact) {
  const person = new Models.OrganizationalContact({ name: contact.name, email: contact.email });
  const contacts = new Models.OrganizationalContactRepository(contact.email ? [person] : []);
  return new Models.OrganizationalEntity({ name: contact.name, contact: contacts });
}

function licensesOf(declared: DeclaredLicense | null): Models.License[] {
  if (declared === null) return [];
  if ("expression" in declared) return [new Models.LicenseExpression(declared.expression)];
  return declared.each.map((one) =>
    "id" in one ? new Models.SpdxLicense(one.id) : new Models.NamedLicense(one.name),
  );
}

const factsOf = (brought: Brought | undefined): Facts => [
  ["factory:layer", brought?.layer ?? ""],
  ["factory:fragment", brought?.fragment ?? ""],
];

/** A package as a component. */
export function packageComponent(one: Found): Models.Component {
  const component = new Models.Component(Enums.ComponentType.Library, one.name, {
    bomRef: one.purl,
    purl: one.purl,
    cpe: one.cpe,
    group: one.group,
    version: one.version || undefined,
    author: one.author,
    supplier: one.supplier && supplierOf(one.supplier),
    scope: one.optional ? Enums.ComponentScope.Optional : undefined,
    licenses: new Models.LicenseRepository(licensesOf(one.license)),
  });
  if (one.sha1) component.hashes.set(Enums.HashAlgorithm["SHA-1"], one.sha1);
  if (one.sha256) component.hashes.set(Enums.HashAlgorithm["SHA-256"], one.sha256);
  if (one.sha512) component.hashes.set(Enums.HashAlgorithm["SHA-512"], one.sha512);
  addFacts(component, [
    ...Object.entries(one.facts).map(
      ([name, value]) => [name.includes(":") ? name : `factory:${one.ecosystem}:${name}`, value] as const,
    ),
    ["factory:owner", one.owner ?? ""],
    ...factsOf(one.brought),
    ...one.paths.map((path) => ["factory:path", path] as const),
  ]);
  return component;
}

/** The operating system as a component. */
export function systemComponent(os: OperatingSystem, brought?: Brought): Models.Component {
  const component = new Models.Component(Enums.ComponentType.OperatingSystem, os.id, {
    bomRef: `os:${os.distro || os.id}`,
    cpe: systemCpe(os.id, os.version),
    version: os.version || undefined,
    description: os.title,
  });
  addFacts(component, factsOf(brought));
  return component;
}

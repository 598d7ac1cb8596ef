import * as Enums from "@cyclonedx/cyclonedx-library/Enums";
import * as Models from "@cyclonedx/cyclonedx-library/Models";
import * as Serialize from "@cyclonedx/cyclonedx-library/Serialize";
import * as Spec from "@cyclonedx/cyclonedx-library/Spec";
import { createHash } from "node:crypto";
import { FactoryError } from "../errors.ts";
import { parseReference, type Subject, subjectPurl } from "../model/subject.ts";
import { acceptable } from "./accept.ts";
import { createAddresses } from "./addresses.ts";
import { addFacts, packageComponent, systemComponent } from "./component.ts";
import type { Inventory } from "./inventory.ts";
import type { Notes } from "./notes.ts";
import type { Pace } from "./pace.ts";
import { createPartList } from "./part-list.ts";
import { uuidOf } from "./content-uuid.ts";
import { dependencyFrames, framed, loadValidator, type Validate } from "./validate.ts";

/** The image that a bill of materials is about. */
export interface BomSubject {
  /** null if the engine does not give the manifest's digest. */
  subject: Subject | null;
  /** The name of the image in the request: `demo:1`. */
  name: string;
  platform: string;
}

export interface BomOptions {
  timestamp: Date | null;
  toolVersion: string;
  /** `urn:uuid:…`; null for none; undefined derives one from the content. */
  serialNumber?: string | null;
  notes: Notes;
  pace: Pace;
}

type Component = Models.Component;
type Written = { [key: string]: unknown };

function rootComponent({ subject, name, platform }: BomSubject): Component {
  const purl = (subject && subjectPurl(subject)) ?? undefined;
  const digest = subject?.manifest_digest;
  const { tag } = parseReference(name);
  const component = new Models.Component(Enums.ComponentType.Container, subject?.repository ?? name, {
    bomRef: purl ?? `image:${digest ?? name}`,
    purl,
    version: digest ?? (tag || undefined),
  });
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(digest ?? "") ?? [];
  if (hex !== undefined) component.hashes.set(Enums.HashAlgorithm["SHA-256"], hex);
  addFacts(component, [
    ["factory:image:manifest_digest", digest ?? ""],
    ["factory:image:platform", platform],
    ["factory:image:tag", tag],
  ]);
  return component;
}

/** Removes from a component what CycloneDX refuses, with a note. @returns whether the rest is valid */
function accepted(
  component: object,
  name: string,
  { validate, notes }: { validate: Validate; notes: Notes },
) {
  const document = framed("components", component);
  const valid = acceptable(document, "/components/0", validate, (field, value) => {
    notes.add(
      `left out what CycloneDX does not allow in \`${field}\``,
      `${JSON.stringify(value) ?? ""} of ${name}`,
    );
  });
  if (!valid) notes.add("left out what CycloneDX does not allow", name);
  return valid;
}

/** The document without its lists: what it is about, and what wrote it. */
function shellOf(root: Component, { timestamp, toolVersion }: BomOptions): Written {
  const tool = new Models.Component(Enums.ComponentType.Application, "factory", { version: toolVersion });
  const bom = new Models.Bom({
    metadata: new Models.Metadata({
      timestamp: timestamp ?? undefined,
      component: root,
      tools: new Models.Tools({ components: new Models.ComponentRepository([tool]) }),
      lifecycles: new Models.LifecycleRepository([new Models.NamedLifecycle("image inventory")]),
    }),
  });
  const normal = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6).makeForBom();
  // The lists are written separately; the serial number has its place even if it is not known yet.
  const { $schema, bomFormat, specVersion, version, metadata } = normal.normalize(bom, { sortLists: false });
  return { $schema, bomFormat, specVersion, version, serialNumber: undefined, metadata };
}

/**
 * Writes an inventory as strictly valid CycloneDX 1.6 JSON: whatever the schema refuses is left out with a note.
 * The same arguments give the same bytes: lists keep the inventory's order. Each component is made, checked and written
 * before the next, so that no more than the text itself grows with the image.
 * @returns the document's text, and how many components it lists
 * @throws FactoryError INTERRUPTED
 */
export async function writeBom(
  about: BomSubject,
  { os, packages, osBrought }: Pick<Inventory, "os" | "packages" | "osBrought">,
  options: BomOptions,
): Promise<{ json: string; components: number }> {
  const { notes, pace } = options;
  const validate = await loadValidator();
  const root = rootComponent(about);
  const rootRef = root.bomRef.value ?? "";
  const shell = shellOf(root, options);
  const keep = "/metadata/component";
  const valid = acceptable({ ...shell, components: [], dependencies: [] }, keep, validate, (field, value) => {
    notes.add(
      `left out what CycloneDX does not allow in \`${field}\` of the image`,
      JSON.stringify(value) ?? "",
    );
  });
  if (!valid)
    throw new FactoryError("INTERNAL", "CycloneDX does not allow what the SBOM says of the image itself");

  const normal = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6).makeForComponent();
  const hash = createHash("sha256").update(JSON.stringify(shell));
  const components = createPartList("components", hash);
  const dependencies = createPartList("dependencies", hash);
  const refs = new Set<string>();
  const add = (component: Component) => {
    const plain = normal.normalize(component, { sortLists: false });
    const ref = component.bomRef.value ?? "";
    if (!plain || refs.has(ref) || !accepted(plain, ref, { validate, notes })) return;
    refs.add(ref);
    components.add(plain);
  };
  const usual = createAddresses(notes);
  if (os) add(systemComponent(os, osBrought));
  for (const [at, one] of packages.entries()) {
    add(packageComponent({ ...one, supplier: usual(one.supplier) }));
    if (pace.due()) await pace.rest("components written", at, packages.length);
  }

  const depend = async (ref: string, needs: readonly string[]) => {
    const dependsOn = needs.filter((need) => refs.has(need));
    const part = { ref, ...(dependsOn.length > 0 && { dependsOn }) };
    // These are references to existing components: the schema cannot refuse them.
    for (const frame of dependencyFrames(part)) {
      const [problem] = validate(frame);
      if (problem) throw new FactoryError("INTERNAL", `the SBOM's ${problem.path} ${problem.message}`);
      if (pace.due()) await pace.rest("dependencies written", dependencies.count(), refs.size);
    }
    dependencies.add(part);
  };
  await depend(rootRef, [...refs]);
  const needs = new Map(packages.map((one) => [one.purl, one.needs]));
  for (const ref of refs) await depend(ref, needs.get(ref) ?? []);

  const { serialNumber } = options;
  shell.serialNumber =
    serialNumber === undefined ? `urn:uuid:${uuidOf(hash.digest("hex"))}` : (serialNumber ?? undefined);
  const head = JSON.stringify(shell, null, 2).slice(0, -2);
  const json = `${head},\n  ${components.text()},\n  ${dependencies.text()}\n}\n`;
  return { json, components: components.count() };
}

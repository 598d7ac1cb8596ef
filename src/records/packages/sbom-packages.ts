import { PackageURL } from "packageurl-js";
import type { HeldPackage } from "./package-test.ts";

/** The property of a component that names the fragment which brought it. */
const FRAGMENT = "factory:fragment";

/** Types whose namespace is a distribution, and no part of the name. */
const DISTRIBUTED = new Set(["deb", "apk", "rpm", "alpm"]);

interface Component {
  purl?: unknown;
  properties?: unknown;
  components?: unknown;
}

function fragmentOf({ properties }: Component): string | null {
  for (const property of Array.isArray(properties) ? (properties as unknown[]) : []) {
    const { name, value } = (property ?? {}) as { name?: unknown; value?: unknown };
    if (name === FRAGMENT && typeof value === "string") return value;
  }
  return null;
}

function packageOf(component: Component): HeldPackage | undefined {
  if (typeof component.purl !== "string") return undefined;
  let parsed: PackageURL;
  try {
    parsed = PackageURL.fromString(component.purl);
  } catch {
    // Another tool's text: it says nothing of a package.
    return undefined;
  }
  const { type, namespace, name, version, qualifiers } = parsed;
  const own = namespace && !DISTRIBUTED.has(type) ? `${namespace}/${name}` : name;
  const [, source, sourceVersion] = /^([^@]+)(?:@(.*))?$/s.exec(qualifiers?.upstream ?? "") ?? [];
  return {
    type,
    name: own,
    version: version ?? "",
    source: source === undefined ? null : { name: source, version: sourceVersion ?? version ?? "" },
    fragment: fragmentOf(component),
  };
}

/**
 * The packages that a CycloneDX document names, each once, with those that are nested in others. Components without a package URL
 * are no packages.
 * @returns undefined if it is not such a document
 */
export function packagesIn(document: unknown): HeldPackage[] | undefined {
  const { bomFormat, components } = (document ?? {}) as { bomFormat?: unknown; components?: unknown };
  if (bomFormat !== "CycloneDX") return undefined;
  const found = new Map<string, HeldPackage>();
  const open: unknown[] = [components];
  for (let list = open.pop(); list !== undefined || open.length > 0; list = open.pop()) {
    for (const item of Array.isArray(list) ? (list as unknown[]) : []) {
      if (typeof item !== "object" || item === null) continue;
      const held = packageOf(item);
      if (held) found.set(JSON.stringify(held), held);
      if ("components" in item) open.push(item.components);
    }
  }
  return [...found.values()];
}

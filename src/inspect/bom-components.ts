import { listOf, objectOf } from "../sbom/loose-json.ts";

/** A component of a CycloneDX document, as far as it is asked here. */
export interface BomPackage {
  name: string;
  version: string;
  purl: string;
  /** Of what brought it; null if the document does not say. */
  layer: string | null;
  fragment: string | null;
  /** What it says of its licence: SPDX ids, expressions and names. */
  licenses: string[];
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

function licensesOf(component: ReturnType<typeof objectOf>): string[] {
  return listOf(component.licenses)
    .map((one) => {
      const { expression, license } = objectOf(one);
      const { id, name } = objectOf(license);
      return textOf(expression) || textOf(id) || textOf(name);
    })
    .filter((one) => one !== "");
}

/** The packages that a CycloneDX document lists; what has no package URL is none. */
export function packagesIn(bom: unknown): BomPackage[] {
  return listOf(objectOf(bom).components).flatMap((one) => {
    const component = objectOf(one);
    const purl = textOf(component.purl);
    if (purl === "") return [];
    const facts = new Map(
      listOf(component.properties).map((fact) => {
        const { name, value } = objectOf(fact);
        return [textOf(name), textOf(value)] as const;
      }),
    );
    return [
      {
        name: textOf(component.name),
        version: textOf(component.version),
        purl,
        layer: facts.get("factory:layer") ?? null,
        fragment: facts.get("factory:fragment") ?? null,
        licenses: licensesOf(component),
      },
    ];
  });
}

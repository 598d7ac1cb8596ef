import type { Bom, Part } from "./bom-parts.ts";

/**
 * What the NTIA asks of each component of an SBOM ("The Minimum Elements For a Software Bill of Materials", 2021), and whether one
 * lacks it. Who wrote the document, when, and that the image contains its components is always said.
 */
const LACKS: Readonly<Record<string, (part: Part) => boolean>> = {
  supplier: ({ supplier }) => supplier === undefined,
  name: ({ name }) => name === "",
  version: ({ version = "" }) => version === "",
  identifier: ({ purl, cpe, hashes }) => (purl ?? cpe) === undefined && hashes.length === 0,
};

/** How many components lack which of the minimum elements, in one line for people. */
export function minimumElementsText({ parts }: Pick<Bom, "parts">): string {
  const lacking = Object.entries(LACKS).flatMap(([what, lacks]) => {
    const count = parts.filter(lacks).length;
    return count === 0 ? [] : [`${count} without ${what}`];
  });
  const said = lacking.length === 0 ? "all have them" : lacking.join(", ");
  return `NTIA minimum elements of ${parts.length} components: ${said}`;
}

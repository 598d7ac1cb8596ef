import { readBom } from "./bom-parts.ts";
import { minimumElementsText } from "./minimum-elements.ts";
import { spdx2 } from "./spdx-2.ts";
import { spdx3 } from "./spdx-3.ts";

/** The formats that an SBOM can be written in beside CycloneDX. */
const WRITERS = { "spdx-2.3": spdx2, "spdx-3.0": spdx3 };

/** A longer document is not read again only to count what it lacks, in characters. */
const LONGEST_COUNTED = 64 * 1024 * 1024;

/**
 * A CycloneDX document as it is, or in another format: the same document and time give the same bytes.
 * @param now milliseconds since 1970: the time of a document that has none
 * @returns its text in pieces, and what of the minimum elements is missing in it, for people; null where it was not counted
 */
export function exportBom(
  json: string,
  format: "cyclonedx" | keyof typeof WRITERS,
  now: number,
): { pieces: Iterable<string>; elements: string | null } {
  if (format === "cyclonedx") {
    const elements = json.length > LONGEST_COUNTED ? null : minimumElementsText(readBom(json));
    return { pieces: [json], elements };
  }
  const bom = readBom(json);
  const seconds = new Date(now).toISOString().replace(/\.\d+Z$/, "Z");
  // Iterated more than once, it is written anew each time.
  const pieces = { [Symbol.iterator]: () => WRITERS[format](bom, seconds) };
  return { pieces, elements: minimumElementsText(bom) };
}

export type SbomFormat = Parameters<typeof exportBom>[1];

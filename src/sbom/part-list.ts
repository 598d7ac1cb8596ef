import type { Hash } from "node:crypto";
import { FactoryError } from "../errors.ts";

/** A string of V8 has at most 2^29 - 24 characters; the rest of a document is small. */
const MOST_CHARACTERS = 500_000_000;

/** The text of a list in a document. It grows part by part, and is not copied before it is complete. */
export interface PartList {
  /** @throws FactoryError IMAGE_UNREADABLE if the document would be too long for a string */
  add: (part: object) => void;
  count: () => number;
  /** The list as a member of the document's outermost object. */
  text: () => string;
}

/** @param hash gets every part */
export function createPartList(name: string, hash: Hash): PartList {
  let body = "";
  let count = 0;
  return {
    add: (part) => {
      const text = JSON.stringify(part, null, 2).replaceAll("\n", "\n    ");
      if (body.length + text.length > MOST_CHARACTERS) {
        throw new FactoryError(
          "IMAGE_UNREADABLE",
          `the SBOM's ${name} are longer than ${MOST_CHARACTERS} characters`,
          {
            fix: "split the image, or write its SBOM with `--sbom-with syft`",
          },
        );
      }
      hash.update(text);
      body += count === 0 ? text : `,\n    ${text}`;
      count += 1;
    },
    count: () => count,
    text: () => (count === 0 ? `"${name}": []` : `"${name}": [\n    ${body}\n  ]`),
  };
}

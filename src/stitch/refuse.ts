import { FactoryError } from "../errors.ts";
import { manifestOfRef } from "../model/parent.ts";
import { holdsValue, type Instruction, withoutMarks } from "./dockerfile.ts";
import { type Reference, unclearReferences } from "./images.ts";
import { openSources } from "./sources.ts";

/**
 * Refuses a value in a place where it would start an instruction or end a here-document, and an instruction that would
 * continue into what Factory writes after it.
 * @throws FactoryError ARG_UNSAFE, TEMPLATE_INSTRUCTION
 */
export function refuseInstructions(file: string, instructions: readonly Instruction[]): void {
  for (const { keyword, rest, line, shapedByValue, unclear } of instructions) {
    const onbuild = withoutMarks(keyword) === "ONBUILD" && holdsValue(/^\S*/.exec(rest)?.[0] ?? "");
    const text = withoutMarks(`${keyword} ${rest}`).slice(0, 80);
    if (holdsValue(keyword) || onbuild || shapedByValue) {
      throw new FactoryError(
        "ARG_UNSAFE",
        `a value would become part of the Dockerfile's structure: ${text}`,
        {
          where: { file },
          fix: `write the instruction itself, and use the value as one of its words (line ${line} of the rendered text)`,
        },
      );
    }
    if (unclear === undefined) continue;
    const code = holdsValue(rest) ? "ARG_UNSAFE" : "TEMPLATE_INSTRUCTION";
    throw new FactoryError(code, `it is not clear where this instruction ends: ${text}: ${unclear}`, {
      where: { file },
      fix: `correct it (line ${line} of the rendered text)`,
    });
  }
}

/**
 * Refuses what a build would read from outside without any key covering it: an image to which no digest can be appended,
 * and, unless the document says `reuse: never`, what is not pinned.
 * @param reuse what the document says about reuse
 * @throws FactoryError IMAGE_UNCLEAR, SOURCE_UNPINNED
 */
export function refuseSources(
  file: string,
  text: string,
  instructions: readonly Instruction[],
  reuse: "never" | undefined,
): void {
  const [unclear] = unclearReferences(text, instructions);
  if (unclear) {
    const { reference, why } = unclear;
    throw new FactoryError(
      "IMAGE_UNCLEAR",
      `it is not clear which image ${JSON.stringify(reference.name)} is: ${why}`,
      {
        where: { file },
        fix: `write the reference out, such as debian:bookworm-slim (line ${reference.line} of the rendered text)`,
      },
    );
  }
  const [open] = reuse === "never" ? [] : openSources(instructions);
  if (!open) return;
  throw new FactoryError("SOURCE_UNPINNED", `${open.what}, which no key covers`, {
    where: { file },
    fix: `${open.fix}, or say \`reuse: never\` in this document (line ${open.line} of the rendered text)`,
  });
}

/**
 * Refuses the reference of a manifest's image wherever it is not the manifest's own base: no key would cover that image.
 * @param base what `{{base}}` means; undefined for a body, which has none
 * @throws FactoryError IMAGE_UNCLEAR
 */
export function refuseParents(
  file: string,
  references: readonly Reference[],
  base: string | undefined,
): void {
  for (const { name, platform, line } of references) {
    const id = manifestOfRef(name.toLowerCase());
    if (id === null || (name === base && platform === null)) continue;
    const why =
      name === base
        ? `\`--platform=${platform}\`: the image of the manifest ${id} is that of the platform that is built`
        : `only {{base}} may be the image of a manifest`;
    throw new FactoryError(
      "IMAGE_UNCLEAR",
      `it is not clear which image ${JSON.stringify(name)} is: ${why}`,
      {
        where: { file },
        fix:
          name === base
            ? `remove the platform (line ${line} of the rendered text)`
            : `say \`base: {manifest: ID}\` in a manifest, and write {{base}} in the template (line ${line} of the rendered text)`,
      },
    );
  }
}

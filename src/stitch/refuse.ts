import { FactoryError } from "../errors.ts";
import { holdsValue, type Instruction, withoutMarks } from "./dockerfile.ts";
import { unclearReferences } from "./images.ts";
import { openSources } from "./sources.ts";

/**
 * Refuses a value that stands where it would start an instruction or end a here-document, and an instruction that
 * would go on into what Factory writes behind it.
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
          fix: `write the instruction out, and let the value be one of its words (line ${line} of what is rendered)`,
        },
      );
    }
    if (unclear === undefined) continue;
    const code = holdsValue(rest) ? "ARG_UNSAFE" : "TEMPLATE_INSTRUCTION";
    throw new FactoryError(code, `it is not clear where this ends: ${text}: ${unclear}`, {
      where: { file },
      fix: `correct it (line ${line} of what is rendered)`,
    });
  }
}

/**
 * Refuses what a build would read from outside without its being in a key: an image that no digest can be put behind, and,
 * unless nothing is ever reused, what is not pinned.
 * @param reuse what the document says of it
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
      `it cannot be told which image ${JSON.stringify(reference.name)} is: ${why}`,
      {
        where: { file },
        fix: `write the reference out, such as debian:bookworm-slim (line ${reference.line} of what is rendered)`,
      },
    );
  }
  const [open] = reuse === "never" ? [] : openSources(instructions);
  if (!open) return;
  throw new FactoryError("SOURCE_UNPINNED", `${open.what}, and no key would change with it`, {
    where: { file },
    fix: `${open.fix}, or say \`reuse: never\` beside it (line ${open.line} of what is rendered)`,
  });
}

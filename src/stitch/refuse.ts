import { FactoryError } from "../errors.ts";
import { holdsValue, type Instruction, withoutMarks } from "./dockerfile.ts";

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

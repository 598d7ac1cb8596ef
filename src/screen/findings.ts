import type { FactoryError, Finding, Place } from "../errors.ts";
import { visible, visibleLines } from "../model/visible.ts";
import type { Palette } from "./palette.ts";

function placeText({ file, line, col }: Place): string {
  return [file, line, line === undefined ? undefined : col].filter((part) => part !== undefined).join(":");
}

/** A finding or an error in three lines: what, where, how to fix it. */
export function findingText({ code, what, where, fix }: Finding, color: Palette): string {
  const lines = [`${color.red("error")} ${color.bold(code)}: ${visibleLines(what)}`];
  if (where) lines.push(`  at ${color.cyan(visible(placeText(where)))}`);
  if (fix) lines.push(`  ${color.dim("fix:")} ${visibleLines(fix)}`);
  return lines.join("\n");
}

/** An error as text for a person. */
export function errorText(error: FactoryError, color: Palette): string {
  const { code, message: what, where, fix, findings } = error;
  if (findings && findings.length > 1) {
    return [...findings.map((finding) => findingText(finding, color)), `${findings.length} findings`].join(
      "\n",
    );
  }
  return findingText({ code, what, where, fix }, color);
}

/** An error as the document of `--json`. */
export function errorJson(error: FactoryError): unknown {
  const { code, message: what, where, fix, findings } = error;
  return { error: { code, what, where: where ?? null, fix: fix ?? null }, ...(findings ? { findings } : {}) };
}

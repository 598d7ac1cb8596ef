import { resolve } from "node:path";
import { FactoryError } from "../errors.ts";
import { countsOf, countsText, type Matrix, STATES } from "../model/proof-matrix.ts";
import { outputHolds, writeOutput } from "../files/write-output.ts";
import { readRegions, updateRegions } from "../files/marked-regions.ts";
import { matrixMarkdown } from "../screen/matrix-markdown.ts";
import { badgeSvg, matrixSvg } from "../screen/matrix-svg.ts";
import { matrixLines } from "../screen/matrix-text.ts";
import { paletteOf } from "../screen/palette.ts";
import type { CommandResult, Context } from "./context.ts";
import { matrixFor, statesFor } from "./matrix-cells.ts";

interface Written {
  output?: string;
  check?: boolean;
  locked?: boolean;
}

interface ShownMatrix extends Written {
  manifestId: string;
  rows?: string;
  cols?: string;
  per?: string;
  format?: "table" | "markdown" | "svg" | "json";
}

/** Writes a text to a file, or with `check` says whether it is there. */
async function written(
  context: Context,
  text: string,
  { output, check = false }: { output: string; check?: boolean },
  json: unknown,
): Promise<CommandResult> {
  const file = resolve(context.cwd, output);
  const whole = `${text}\n`;
  if (check) {
    const isCurrent = outputHolds(file, whole);
    const said = isCurrent ? `${output} is up to date` : `${output} differs from what is known today`;
    return {
      text: said,
      json: { ...(json as object), changed: isCurrent ? [] : [output] },
      exitCode: isCurrent ? 0 : 1,
    };
  }
  await writeOutput(file, [whole], context.signal);
  return { text: output, json };
}

function textOf(matrix: Matrix, format: ShownMatrix["format"], context: Context, toFile: boolean): string {
  if (format === "json") return JSON.stringify(matrix, null, 2);
  if (format === "markdown") return matrixMarkdown(matrix);
  if (format === "svg") return matrixSvg(matrix);
  const { columns, color } = context;
  return [
    ...matrixLines(matrix, toFile ? { columns: undefined, color: paletteOf(false) } : { columns, color }),
  ].join("\n");
}

function needOutput({ output, check }: Written): void {
  if (check && (output === undefined || output === "-"))
    throw new FactoryError("USAGE", "--check compares a file, and none is named", {
      fix: "name it with -o FILE",
    });
}

/** `factory records matrix`: what is known to work, by the values of two axes. */
export async function recordsMatrix(context: Context, options: ShownMatrix): Promise<CommandResult> {
  const { rows, cols, output, format, check } = options;
  needOutput(options);
  if (rows === undefined || cols === undefined)
    throw new FactoryError("USAGE", `no ${rows === undefined ? "--rows" : "--cols"} are named`, {
      fix: "name an axis for each, such as --rows core --cols light",
    });
  const matrix = await matrixFor(context, { ...options, rows, cols });
  const toFile = output !== undefined && output !== "-";
  const text = textOf(matrix, format, context, toFile);
  if (toFile) return written(context, text, { output, check }, matrix);
  const isContent = format !== undefined && format !== "table";
  return { text, isContent, json: isContent && format !== "json" ? { [format]: text, ...matrix } : matrix };
}

/** The badge of a product, and what it says. */
async function badgeOf(
  context: Context,
  product: string,
  locked: boolean,
): Promise<{ text: string; svg: string; counts: object }> {
  const catalog = await context.catalog();
  const { manifest_id } = catalog.product(product).document;
  const { states } = await statesFor(context, manifest_id, locked);
  const counts = countsOf(states);
  const text = countsText(counts);
  return {
    text,
    svg: badgeSvg(product, text, STATES.find((state) => counts[state] > 0) ?? "unknown"),
    counts,
  };
}

/** `factory records badge`: a picture that says how much of a product is proven. */
export async function recordsBadge(
  context: Context,
  options: Written & { product: string },
): Promise<CommandResult> {
  const { product, output, check, locked = false } = options;
  needOutput(options);
  const { svg, text, counts } = await badgeOf(context, product, locked);
  const json = { product_id: product, text, counts };
  if (output !== undefined && output !== "-") return written(context, svg, { output, check }, json);
  return { text: svg, isContent: true, json: { ...json, svg } };
}

/** `factory records readme`: keeps the marked tables of a Markdown file current. */
export async function recordsReadme(
  context: Context,
  file: string | undefined,
  { check = false, locked = false }: Written,
): Promise<CommandResult> {
  const name = file ?? "README.md";
  const path = resolve(context.cwd, name);
  const made = new Map<string, string>();
  for (const { key, values } of readRegions(path, name)) {
    if (made.has(key)) continue;
    const { manifest_id: manifestId = "", rows = "", cols = "", per } = values;
    made.set(key, matrixMarkdown(await matrixFor(context, { manifestId, rows, cols, per, locked })));
  }
  const changed = updateRegions(path, name, made, !check);
  const json = { file: name, regions: made.size, changed: changed ? [name] : [] };
  if (!changed) return { text: `${name} is up to date`, json };
  if (check) return { text: `${name} differs from what is known today`, json, exitCode: 1 };
  return { text: name, json };
}

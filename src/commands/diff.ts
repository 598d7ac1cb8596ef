import { resolve } from "node:path";
import { writeOutput } from "../files/write-output.ts";
import { type Differences, diffSides } from "../inspect/diff-sides.ts";
import { type Missing, readSide, type Side, treesOf } from "../inspect/side.ts";
import { reportHtml, reportMarkdown, reportText } from "../screen/sections.ts";
import type { CommandResult, Context } from "./context.ts";
import { diffReport } from "./diff-report.ts";
import { withSubjects } from "./inspect.ts";

interface DiffOptions {
  platform?: string;
  format?: "text" | "json" | "markdown" | "html";
  output?: string;
}

/** How many rows of a table are shown in each format, and how many files are in the document. */
const SHOWN = { text: 20, markdown: 50, html: 5000 };
const LISTED = 10_000;

function sideJson({ what, record, image, platform }: Side): object {
  return {
    subject: what,
    record_id: record?.record_id ?? null,
    cell_id: record?.cell_id ?? null,
    commit: record?.source.commit ?? null,
    status: record?.result.status ?? null,
    digest: image?.digest ?? record?.image?.manifest_digest ?? null,
    platform,
  };
}

function jsonOf(a: Side, b: Side, found: Differences): object {
  const { files, ...rest } = found;
  const own = files && {
    ...files,
    list: files.list.slice(0, LISTED),
    left_out: Math.max(0, files.list.length - LISTED),
  };
  return { a: sideJson(a), b: sideJson(b), ...rest, files: own };
}

/** `factory diff A B`: what changed between two records, cells or images. */
export async function diff(
  context: Context,
  names: { a: string; b: string },
  { platform, format = "text", output }: DiffOptions,
): Promise<CommandResult> {
  const missing: Missing[] = [];
  const [a, b, found] = await withSubjects(context, async (deps) => {
    const one = await readSide(names.a, { platform, name: "a", missing }, deps);
    const two = await readSide(names.b, { platform, name: "b", missing }, deps);
    const trees = await treesOf(one, two, deps);
    return [one, two, diffSides(one, two, { trees, missing })] as const;
  });
  const json = jsonOf(a, b, found);
  const report = diffReport(a, b, found);
  const toFile = output !== undefined && output !== "-";
  const columns = toFile ? undefined : context.columns;
  const text =
    format === "json"
      ? JSON.stringify(json, null, 2)
      : format === "markdown"
        ? reportMarkdown(report, SHOWN.markdown)
        : format === "html"
          ? reportHtml(report, SHOWN.html)
          : reportText(report, { columns, most: SHOWN.text });
  if (!toFile) return { text, json, isContent: format !== "text" };
  await writeOutput(resolve(context.cwd, output), [`${text}\n`], context.signal);
  return { text: output, json };
}

import { relative, resolve } from "node:path";
import { STARTER } from "../adopt/starter.ts";
import { writeWorkspace } from "../files/new-workspace.ts";
import { listed } from "../model/visible.ts";
import type { CommandResult, Context } from "./context.ts";

/** `factory init [DIR]`: a small workspace that validates, plans and runs. */
export function init(context: Context, dir: string): Promise<CommandResult> {
  const folder = resolve(context.cwd, dir);
  const { written, kept } = writeWorkspace(folder, STARTER, { keep: true });
  const { bold, yellow } = context.color;
  const shown = relative(context.cwd, folder);
  const next = ["factory validate", "factory plan", "factory run --all"];
  const hides = kept.includes(".gitignore") ? ["add .factory/ and factory.local.yaml to .gitignore"] : [];
  return Promise.resolve({
    text: [
      `${bold(shown === "" ? "." : shown)}: ${written.length} files`,
      ...written.map((path) => `  ${path}`),
      ...(kept.length > 0 ? [`${yellow("kept")} what was there: ${listed(kept)}`, ...hides] : []),
      "next:",
      ...(shown === "" ? [] : [`  cd ${shown}`]),
      ...next.map((line) => `  ${line}`),
    ].join("\n"),
    json: { workspace: folder, files: written, kept },
  });
}

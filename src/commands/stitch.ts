import { relative, resolve } from "node:path";
import { insideWorkspace } from "../files/own-folders.ts";
import { isStream, outputHolds, writeOutput } from "../files/write-output.ts";
import { baseText } from "../model/parent.ts";
import { loweredText } from "../stitch/choice.ts";
import { stitch as render } from "../stitch/stitch.ts";
import type { CommandResult, Context } from "./context.ts";
import { pairs } from "./pairs.ts";

interface StitchOptions {
  manifestId: string;
  set?: string[];
  arg?: string[];
  output?: string;
  check?: boolean;
}

/** `factory stitch`: a manifest as a Dockerfile, with a Dockerfile.dockerignore beside it. */
export async function stitch(context: Context, options: StitchOptions): Promise<CommandResult> {
  const catalog = await context.catalog();
  const choice = { set: pairs("--set", options.set), args: pairs("--arg", options.arg) };
  const stitched = render(catalog, options.manifestId, choice);
  const { manifest_id, template, base, images, fragments, recipe_key, build_key, verdict_key } = stitched;
  const { dockerfile, dockerignore } = stitched;

  const toStdout = options.output === "-";
  const file =
    options.output === undefined || toStdout
      ? insideWorkspace(catalog.root, `.factory/stitch/${manifest_id}/Dockerfile`)
      : resolve(context.cwd, options.output);
  const path = toStdout ? null : relative(context.cwd, file);
  const json = {
    manifest_id,
    template,
    base,
    images,
    fragments,
    ...(stitched.lowered.length > 0 && { lowered: stitched.lowered }),
    args: stitched.args,
    recipe_key,
    build_key,
    verdict_key,
    path,
    dockerfile,
  };
  const chosen = fragments.map(({ name, version }) => `${name}@${version}`).join(", ");
  const why = stitched.lowered.map((one) => `\n             ${loweredText(one)}`).join("");

  if (options.check) {
    const changed = [
      ...(outputHolds(file, dockerfile) ? [] : [file]),
      ...(outputHolds(`${file}.dockerignore`, dockerignore) ? [] : [`${file}.dockerignore`]),
    ].map((one) => relative(context.cwd, one));
    return {
      text:
        changed.length === 0
          ? `${path ?? relative(context.cwd, file)} is up to date`
          : changed.map((one) => `${one} differs from what would be rendered`).join("\n"),
      json: { ...json, path: relative(context.cwd, file), changed },
      exitCode: changed.length === 0 ? 0 : 1,
    };
  }
  if (toStdout) return { text: dockerfile.trimEnd(), isContent: true, json };
  // Without its Dockerfile.dockerignore a Dockerfile would send the whole workspace to the builder, so that file is written first.
  if (!isStream(file)) await writeOutput(`${file}.dockerignore`, [dockerignore], context.signal);
  await writeOutput(file, [dockerfile], context.signal);
  return {
    text: `${path}\n  fragments  ${chosen}${why}\n  base       ${baseText(base.ref)}\n  recipe key ${recipe_key}`,
    json,
  };
}

import { resolve } from "node:path";
import { writeOutput } from "../files/write-output.ts";
import type { CommandResult, Context } from "./context.ts";

interface SbomOptions {
  output?: string;
  platform?: string;
  sbomWith?: "factory" | "syft";
}

/** `factory sbom IMAGE`: a CycloneDX document of what is in an image that the engine has. */
export async function sbom(context: Context, image: string, options: SbomOptions): Promise<CommandResult> {
  const world = await context.world();
  const {
    json: text,
    components,
    warnings,
  } = await world.makeSbom(
    { ref: image, digest: null, platform: options.platform, name: image },
    { sbomWith: options.sbomWith ?? "factory", signal: context.signal, onProgress: context.say },
  );
  for (const warning of warnings) context.say(`warning: ${warning}`);
  context.say(`${components} components`);
  // The text already is the JSON document: a large one is not parsed and written again.
  const json = { json: null, jsonPieces: () => [text.trimEnd()] };
  if (options.output === undefined || options.output === "-")
    return { text: text.trimEnd(), isContent: true, ...json };
  await writeOutput(resolve(context.cwd, options.output), [text], context.signal);
  return { text: options.output, ...json };
}

import { resolve } from "node:path";
import { FactoryError } from "../errors.ts";
import { writeOutput } from "../files/write-output.ts";
import { openStore } from "../pipeline/open-store.ts";
import type { Recipe } from "../sbom/layer-origin.ts";
import type { CommandResult, Context } from "./context.ts";

interface SbomOptions {
  output?: string;
  platform?: string;
  sbomWith?: "factory" | "syft";
}

/** What an image of the engine was built from, if a record of this workspace tells. */
async function recipeFor(context: Context, image: string, platform?: string): Promise<Recipe | undefined> {
  const world = await context.world();
  try {
    const { root } = await context.catalog({ fetch: false });
    const { Id, RepoDigests } = await world.docker.inspectImage(image, { platform, signal: context.signal });
    const digests = [Id, ...(RepoDigests ?? []).map((one) => one.slice(one.indexOf("@") + 1))];
    const { recipeOf, recordProving } = await import("../inspect/told.ts");
    const told = await recordProving(digests, platform, openStore(root));
    const found = told && recipeOf(told);
    return found && "recipe" in found ? found.recipe : undefined;
  } catch (error) {
    // Without a workspace, or with one that is damaged, the SBOM says what the image alone says.
    if (error instanceof FactoryError && error.code !== "INTERRUPTED") return undefined;
    throw error;
  }
}

/** `factory sbom IMAGE`: a CycloneDX document of what is in an image that the engine has. */
export async function sbom(context: Context, image: string, options: SbomOptions): Promise<CommandResult> {
  const world = await context.world();
  const { platform, sbomWith = "factory" } = options;
  const recipe = sbomWith === "factory" ? await recipeFor(context, image, platform) : undefined;
  const {
    json: text,
    components,
    warnings,
  } = await world.makeSbom(
    { ref: image, digest: null, platform, name: image, recipe },
    { sbomWith, signal: context.signal, onProgress: context.say },
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

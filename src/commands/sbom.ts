import { resolve } from "node:path";
import { FactoryError } from "../errors.ts";
import { writeOutput } from "../files/write-output.ts";
import { openStore } from "../pipeline/open-store.ts";
import type { SbomFormat } from "../sbom/exports/exports.ts";
import type { Recipe } from "../sbom/layer-origin.ts";
import type { CommandResult, Context } from "./context.ts";

interface SbomOptions {
  output?: string;
  platform?: string;
  sbomWith?: "factory" | "syft";
  format?: SbomFormat;
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

function* withNewline(pieces: Iterable<string>): Generator<string> {
  yield* pieces;
  yield "\n";
}

/** `factory sbom IMAGE`: a CycloneDX document of what is in an image that the engine has. */
export async function sbom(context: Context, image: string, options: SbomOptions): Promise<CommandResult> {
  const world = await context.world();
  const { platform, sbomWith = "factory", format = "cyclonedx" } = options;
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
  const { exportBom } = await import("../sbom/exports/exports.ts");
  // The text already is the JSON document: a large one is not parsed and written again.
  const { pieces, elements } = exportBom(text.trimEnd(), format, context.now());
  if (elements !== null) context.say(elements);
  const json = { json: null, jsonPieces: () => pieces };
  if (options.output === undefined || options.output === "-")
    return { text: [...pieces].join(""), isContent: true, ...json };
  await writeOutput(resolve(context.cwd, options.output), withNewline(pieces), context.signal);
  return { text: options.output, ...json };
}

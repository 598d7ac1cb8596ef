import type { ImageContents, OwnedPackage } from "../model/image-contents.ts";
import { entryOwners, type Recipe } from "../sbom/layer-origin.ts";
import type { Docker } from "../tools/docker.ts";
import { packagesIn } from "./bom-components.ts";

/**
 * Where the bytes and packages of an image of the engine come from, by the recipe that it was built from.
 * @param about `sbom` gives a CycloneDX document of this very image, made by the same recipe; it is asked for once, if at all
 */
export function contentsOf(
  about: {
    image: string;
    platform: string | undefined;
    recipe: Recipe;
    sbom: () => Promise<string>;
    filesOf?: string | null;
    signal: AbortSignal | undefined;
  },
  { docker }: { docker: Pick<Docker, "history"> },
): ImageContents {
  const { image, platform, recipe, sbom, filesOf = null, signal } = about;
  let packages: Promise<OwnedPackage[]> | undefined;
  const read = async () =>
    packagesIn(JSON.parse(await sbom())).map(({ name, version, fragment, licenses }) => ({
      name,
      version,
      // `core@0.1.0`, BASE or TEMPLATE.
      owner: fragment?.replace(/@.*$/, "") ?? null,
      licenses,
    }));
  return {
    layers: async () => {
      const history = await docker.history(image, { platform, signal });
      const steps = history.map(({ created_by, bytes }) => ({ created_by, empty: bytes === 0 }));
      const owners = entryOwners(recipe, steps);
      if (!owners) return { error: "the image's history does not have the steps of the Dockerfile" };
      return history.map(({ bytes }, at) => ({ owner: owners[at] ?? "", bytes }));
    },
    packages: () => (packages ??= read()),
    filesOf,
  };
}

import { layerInstructions, layerOwners, type Recipe } from "../sbom/layer-origin.ts";
import { listOf, objectOf } from "../sbom/loose-json.ts";

/** A layer as it is stored and pulled. */
export interface LayerSize {
  /** From 1; the first is the base's. */
  layer: number;
  /** As `core@0.1.0`, `base` or `template`; null if it is not known. */
  owner: string | null;
  digest: string;
  bytes: number;
}

/** The chains of layers that BuildKit's provenance (mode=max) tells of, one after each step. */
function chainsIn(provenance: unknown): { digest: string; size: number }[][] {
  const { predicate, runDetails, metadata } = objectOf(provenance);
  const details = objectOf(objectOf(predicate).runDetails ?? runDetails);
  const all = { ...objectOf(metadata), ...objectOf(details.metadata) };
  return Object.entries(all)
    .filter(([name]) => /buildkit/i.test(name))
    .flatMap(([, about]) => Object.values(objectOf(objectOf(about).layers)).flatMap(listOf))
    .map((chain) =>
      listOf(chain).map((one) => {
        const { digest, size } = objectOf(one);
        return {
          digest: typeof digest === "string" ? digest : "",
          size: typeof size === "number" ? size : -1,
        };
      }),
    );
}

/**
 * The layers of a record's image, as BuildKit stored them. The image's history is not in the evidence: its last layers are those of the
 * Dockerfile's steps, in their order.
 * @param layers how many the image has @returns null if the provenance does not tell of one such chain
 */
export function layerSizes(provenance: unknown, layers: number, recipe: Recipe): LayerSize[] | null {
  const chains = new Map(
    chainsIn(provenance)
      .filter(
        (chain) => chain.length === layers && chain.every(({ digest, size }) => digest !== "" && size >= 0),
      )
      .map((chain) => [chain.map(({ digest }) => digest).join(" "), chain]),
  );
  const [chain, other] = [...chains.values()];
  if (!chain || other || layers === 0) return null;
  const steps = layerInstructions(recipe.dockerfile);
  if (steps.length > layers) return null;
  const base = Array.from({ length: layers - steps.length }, () => ({ created_by: "", empty: false }));
  const owners = layerOwners(recipe, { history: [...base, ...steps], layers: chain });
  return chain.map(({ digest, size }, at) => ({
    layer: at + 1,
    owner: owners[at] ?? null,
    digest,
    bytes: size,
  }));
}

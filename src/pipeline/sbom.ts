import { FactoryError } from "../errors.ts";
import type { PlannedCell } from "../plan/cell.ts";
import type { Recipe } from "../sbom/layer-origin.ts";
import { type Attempt, imageOf, type Stage, type StageDeps } from "./stage.ts";

/** Codes of failures that have nothing to do with the inventory. */
const ELSEWHERE = new Set(["INTERRUPTED", "WRITE_FAILED"]);

/** What a cell's image is built from. */
export function builtFrom({ render, cell: { fragments } }: PlannedCell): Recipe {
  const named = Object.entries(fragments).map(([name, version]) => ({ name, version }));
  return { dockerfile: render().dockerfile, fragments: named };
}

/** The SBOM of an attempt's image: the same one for all that ask. @throws as `makeSbom` */
export function sbomOf(
  attempt: Attempt,
  deps: Pick<StageDeps, "makeSbom">,
  signal: AbortSignal,
): Promise<{ json: string; warnings: string[] }> {
  const { digest, layout } = imageOf(attempt);
  const { planned } = attempt;
  const { platform, tags } = planned.cell;
  const make = () => {
    const image = { ref: digest, digest, platform, name: tags[0] ?? "", layout };
    return deps.makeSbom({ ...image, recipe: builtFrom(planned) }, signal);
  };
  return (attempt.sbom ??= make());
}

/** Takes the inventory of the image from its own layers. */
export const sbom: Stage = {
  name: "sbom",
  part: "proof",
  needs: ["build"],
  evidence: { sbom: "application/vnd.cyclonedx+json" },
  classes: { sbom: "error" },
  run: async ({ attempt, signal, keep }, deps) => {
    const { digest, layout, inspected } = imageOf(attempt);
    // The smoke tests wait for this answer of the engine, and would wait for what is computed here meanwhile.
    await inspected.catch(() => undefined);
    try {
      const made = await sbomOf(attempt, deps, signal);
      if (layout !== undefined) deps.layers?.keep(layout, digest);
      await keep("sbom", made.json);
      attempt.trail.notes.push(...made.warnings);
      return null;
    } catch (error) {
      if (!(error instanceof FactoryError) || ELSEWHERE.has(error.code)) throw error;
      return { status: "error", class: "sbom", what: error.message, log_excerpt: [] };
    }
  },
};

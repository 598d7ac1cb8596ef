import { FactoryError } from "../errors.ts";
import { imageOf, type Stage } from "./stage.ts";

/** Codes of failures that have nothing to do with the inventory. */
const ELSEWHERE = new Set(["INTERRUPTED", "WRITE_FAILED"]);

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
    const { platform, tags, fragments: versions } = attempt.planned.cell;
    const fragments = Object.entries(versions).map(([name, version]) => ({ name, version }));
    try {
      const recipe = { dockerfile: attempt.planned.render().dockerfile, fragments };
      const image = { ref: digest, digest, platform, name: tags[0] ?? "", layout, recipe };
      const made = await deps.makeSbom(image, signal);
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

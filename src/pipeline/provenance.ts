import { subjectOf } from "../model/subject.ts";
import { imageOf, type Stage } from "./stage.ts";
import { statementOf } from "./statement.ts";

/** Evidence of the build that the statement names. */
const BYPRODUCTS = ["inputs", "dockerfile", "bake_file", "build_log", "buildkit_provenance"];

/** States what the image is made of. BuildKit's own provenance, which knows each of its steps, stands beside it. */
export const provenance: Stage = {
  name: "provenance",
  part: "image",
  needs: ["build"],
  evidence: { provenance: "application/vnd.in-toto+json" },
  exact: ["provenance"],
  classes: {},
  run: async ({ attempt, keep }) => {
    const { planned, settings, trail } = attempt;
    const { manifest_digest, built } = imageOf(attempt);
    if (!built) throw new Error("there is no provenance for an image that this attempt did not build");
    const { tags, platform } = planned.cell;
    const kept = BYPRODUCTS.flatMap((kind) => {
      const one = trail.evidence[kind];
      return one ? [[kind, one] as const] : [];
    });
    const statement = statementOf(
      {
        subject: subjectOf(tags[0] ?? "", manifest_digest, platform),
        inputs: planned.inputs,
        keys: planned.keys,
      },
      {
        ...built,
        tools: await settings.tools,
        source: settings.source,
        secrets: planned.keys.secrets,
        kept: Object.fromEntries(kept),
      },
    );
    await keep("provenance", `${JSON.stringify(statement, null, 2)}\n`);
    return null;
  },
};

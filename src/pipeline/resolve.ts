import { BUILD_CLASSES } from "../builder/classify.ts";
import { isListed, sourceFiles } from "../model/source-files.ts";
import type { Fault, Stage } from "./stage.ts";

/** A base that cannot be fetched proves nothing about the cell, whatever the builder says. */
const CLASSES = Object.fromEntries(BUILD_CLASSES.map((name) => [name, "error" satisfies Fault] as const));

/** The bases of all cells are resolved together before the first attempt; here a base that failed ends its cell, and so does a parent that is not proven. */
export const resolve: Stage = {
  name: "resolve",
  part: "cell",
  needs: [],
  evidence: { inputs: "application/json" },
  exact: ["inputs", "source_files"],
  mayLeave: { source_files: "text/plain" },
  classes: { ...CLASSES, blocked: "error" },
  run: async ({ attempt: { planned, base, origin }, keep }) => {
    const { sources } = planned.keys;
    if (isListed(sources)) await keep("source_files", sourceFiles(planned.render().contents));
    await keep("inputs", `${JSON.stringify(planned.inputs, null, 2)}\n`);
    if (origin && "blocked" in origin)
      return { status: "error", class: "blocked", what: origin.blocked, log_excerpt: [] };
    if (!base?.error) return null;
    const { class: name, message } = base.error;
    return { status: "error", class: name, what: `base image: ${message}`, log_excerpt: [message] };
  },
};

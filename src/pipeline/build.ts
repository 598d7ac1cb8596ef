import { buildCell, type BuildOutcome } from "../builder/build.ts";
import { hasMaterial } from "../builder/metadata.ts";
import { BUILD_CLASSES, type BuildClass, OWN_FAULT } from "../builder/classify.ts";
import type { Failure, Fault, Stage } from "./stage.ts";
import { bakeFileOf, layoutOf } from "./stitch.ts";

function faultOf(name: BuildClass): Fault {
  return OWN_FAULT.has(name) ? "fail" : "error";
}

function failureOf(outcome: Extract<BuildOutcome, { status: "failed" }>): Failure {
  const { class: name, message, log_tail } = outcome;
  return { status: faultOf(name), class: name, what: message, log_excerpt: log_tail };
}

/** Builds the image into the engine's store: one bake per cell, so that no neighbour's failure ends it. */
export const build: Stage = {
  name: "build",
  part: "image",
  needs: ["stitch"],
  evidence: { build_log: "text/plain", buildkit_provenance: "application/json" },
  provesFail: ["build_log"],
  classes: Object.fromEntries(BUILD_CLASSES.map((name) => [name, faultOf(name)] as const)),
  run: async ({ attempt, signal, keep, progress, part, log, warn }, deps) => {
    const { planned, folder, settings, trail, held, origin } = attempt;
    const { cell } = planned;
    const started = deps.clock.date();
    const lines: string[] = [];
    // The image as an OCI layout too: its SBOM is read from there, and layers that are known are not copied again.
    const layout = deps.layers ? layoutOf(attempt) : undefined;
    if (layout !== undefined) deps.layers?.lend(layout);
    const targets = [...attempt.prefixes, cell.target];
    const secrets = await deps.secrets.handOver(targets.map((target) => ({ target, planned })));
    const outcome = await buildCell(
      {
        root: settings.root,
        bakeFile: bakeFileOf(attempt),
        targets,
        target: cell.target,
        image: held,
        platform: cell.platform,
        workDir: folder,
        secrets,
        retries: settings.retries,
        signal,
        onProgress: ({ step, steps, cached, stage, current }) =>
          progress({
            step,
            steps,
            cached,
            detail: [stage, current].filter(Boolean).join(": "),
          }),
        onPart: part,
      },
      {
        buildx: deps.buildx,
        docker: deps.docker,
        sleep: deps.sleep,
        every: deps.every,
        random: deps.random,
        mask: deps.secrets.mask,
        appendLog: (line) => {
          lines.push(line);
          log(line);
        },
      },
    ).finally(() => keep("build_log", `${lines.join("\n")}\n`));
    trail.cache = outcome.cache;
    trail.retries = outcome.retries;
    if (outcome.status === "failed") return failureOf(outcome);
    if (outcome.withoutCache) {
      const what = "the cache registry stopped answering: built without it";
      warn(`${cell.cell_id}: ${what}`);
      trail.notes.push(what);
    }
    // It names the proxies that docker hands to builds, with their users and passwords.
    await keep("buildkit_provenance", `${JSON.stringify(outcome.provenance, null, 2)}\n`);
    const { digest, manifest_digest } = outcome;
    if (origin && "digest" in origin && !hasMaterial(outcome.provenance, origin.digest)) {
      const what = `the builder did not start from ${origin.digest}, the proven image of ${cell.parent}`;
      return { status: "error", class: "builder", what, log_excerpt: [] };
    }
    const inspected = deps.docker.inspectImage(digest, { platform: cell.platform, signal });
    // Whoever asks for it sees its failure; without that, one that nobody asks for would be unhandled.
    inspected.catch(() => undefined);
    const built = { started, finished: deps.clock.date() };
    attempt.image = { held, digest, manifest_digest, inspected, built, layout };
    return null;
  },
};

import { join } from "node:path";
import { type BuildDeps, buildCell } from "../builder/build.ts";
import { type StoredImage, storedUnder } from "../compare/stored-image.ts";
import { FactoryError } from "../errors.ts";
import { openBlobFolder } from "../files/blob-folder.ts";
import { makeFolder } from "../files/folders.ts";
import { type FileOrigin, recoverFiles, refuseOutside } from "../files/recover-files.ts";
import { writeWhole } from "../files/write-whole.ts";
import { brief, listed } from "../model/visible.ts";
import { isCommit } from "../model/commit.ts";
import { parentRef } from "../model/parent.ts";
import type { RetryPolicy } from "../model/retries.ts";
import type { RunSecrets } from "../pipeline/stage.ts";
import { bakeAnnotations } from "../plan/formats/bake-annotations.ts";
import { createHclWriter } from "../plan/formats/hcl.ts";
import type { RecordStore } from "../records/store.ts";
import { dockerfileOf } from "../stitch/finish.ts";
import { withNetwork } from "../stitch/network.ts";
import type { Buildx } from "../tools/buildx.ts";
import type { Missing, Recorded } from "./recorded.ts";
import { secretsIn } from "./recorded-secrets.ts";

export interface RebuildDeps extends Omit<BuildDeps, "appendLog" | "mask"> {
  buildx: Pick<Buildx, "bake" | "platforms">;
  secrets: RunSecrets;
  store: Pick<RecordStore, "list" | "get">;
  retries: RetryPolicy;
  /** Whether steps of the record get the secrets that they ask for. */
  mayUseSecrets: boolean;
  signal: AbortSignal;
  /** Absolute, and this rebuild's own. */
  folder: string;
  /** The workspace. */
  root: string;
  /**
   * Writes top-level files and folders of the workspace as a commit has them into a folder; says why it cannot.
   * @returns null if it could
   */
  exportCommit: (commit: string, names: readonly string[], into: string) => Promise<string | null>;
  /** A line about what is happening. */
  onProgress: (text: string) => void;
}

/** The image that was built again, or what is missing for that. */
export type Rebuilt = { image: StoredImage; layout: string; dockerfile: string } | { missing: Missing[] };

const TARGET = "again";

/** What runs pass to builds. A record could name any variable, such as one that leads to another engine. */
const EPOCH = "SOURCE_DATE_EPOCH";

/** The recorded environment of a build: an empty value means none, since what this machine passes on is no recorded input. */
function environmentOf({ inputs }: Recorded): Record<string, string> {
  const { [EPOCH]: epoch = "" } = inputs.environment;
  return { [EPOCH]: /^\d{1,12}$/.test(epoch) ? epoch : "" };
}

/** Where the files of a build may be: the workspace, and the commit that was recorded. */
async function originsOf(
  { record, files }: Recorded,
  { folder, root, exportCommit }: RebuildDeps,
): Promise<{ origins: FileOrigin[]; why: string }> {
  const workspace = { title: "the workspace", root };
  const { commit } = record.source;
  if (files.length === 0) return { origins: [workspace], why: "" };
  if (!isCommit(commit))
    return {
      origins: [workspace],
      why: "the workspace does not have it as it was, and the record names no commit",
    };
  const short = commit.slice(0, 12);
  const names = [...new Set(files.map(({ path }) => path.split("/", 1)[0] ?? ""))];
  const into = join(folder, "commit");
  makeFolder(into);
  const failure = await exportCommit(commit, names, into);
  if (failure !== null)
    return {
      origins: [workspace],
      why: `the workspace does not have it as it was, and the commit ${short} cannot be read: ${failure}`,
    };
  const dirty = record.source.dirty === true ? ", and the workspace was not as committed" : "";
  const origins = [workspace, { title: `the commit ${short}`, root: into }];
  return { origins, why: `neither the workspace nor the commit ${short} has it as it was${dirty}` };
}

/** How bake finds the image of the parent; null if no record here names it. */
async function parentContext(
  { inputs }: Recorded,
  { store }: RebuildDeps,
): Promise<{ contexts: Record<string, string> } | Missing> {
  const { parent, images } = inputs;
  if (!parent) return { contexts: {} };
  const ref = parentRef(parent.manifest_id);
  const digest = images.find((one) => one.ref === ref)?.digest ?? null;
  const { records } = await store.list({ manifestId: parent.manifest_id });
  const own = records.find((one) => digest !== null && one.digest === digest);
  if (!own || digest === null)
    return {
      what: `the image of ${parent.manifest_id} (${digest ?? "unknown"})`,
      why: "no record here names it",
    };
  const { image } = await store.get(own.record_id);
  return { contexts: { [`${ref}@${digest}`]: `docker-image://${image?.ref}@${digest}` } };
}

/**
 * Builds an image again, from its recorded inputs alone and without any cache, as an OCI layout: the engine gets no image.
 * @throws FactoryError ENGINE_PLATFORM, FILE_OUTSIDE, SECRET_*, WRITE_FAILED, INTERRUPTED, DOCKER_MISSING
 */
export async function rebuild(recorded: Recorded, deps: RebuildDeps): Promise<Rebuilt> {
  const { inputs, record, files } = recorded;
  const { folder, secrets, signal, onProgress } = deps;
  refuseOutside(files);
  const able = await deps.buildx.platforms();
  if (!able.includes(inputs.platform))
    throw new FactoryError("ENGINE_PLATFORM", `the engine cannot build ${inputs.platform}`, {
      fix: `it builds ${able.join(", ")}: register an emulator, or use a builder with such a node`,
    });
  const context = join(folder, "files");
  makeFolder(context);
  const { origins, why } = await originsOf(recorded, deps);
  const lost = await recoverFiles(files, { origins, into: context, signal });
  const parent = await parentContext(recorded, deps);
  const missing: Missing[] = lost.map((what) => ({ what, why }));
  const plain = dockerfileOf(inputs);
  const needs = secretsIn(plain, inputs);
  const odd = Object.keys(inputs.environment).filter((name) => name !== EPOCH);
  if (odd.length > 0)
    missing.push({ what: `the environment ${listed(odd)}`, why: "no run passes that to a build" });
  if (needs.length > 0 && !deps.mayUseSecrets)
    missing.push({
      what: `the secrets ${listed(needs.map(({ id }) => id))}`,
      why: "a record can come from elsewhere: its steps get secrets only with `--secrets`",
    });
  if (!("contexts" in parent)) missing.push(parent);
  if (missing.length > 0 || !("contexts" in parent)) return { missing };

  const dockerfile = withNetwork(plain, await secrets.network());
  writeWhole(join(folder, "Dockerfile"), dockerfile, false);
  writeWhole(join(folder, "Dockerfile.dockerignore"), "", false);
  const layout = join(folder, "rebuilt");
  const hcl = createHclWriter();
  hcl.block("target", TARGET, {
    context: "files",
    dockerfile: "../Dockerfile",
    contexts: parent.contexts,
    platforms: [inputs.platform],
    annotations: bakeAnnotations(recorded.annotations, "manifest"),
    attest: ["type=provenance,disabled=true"],
    output: ["type=oci,dest=rebuilt,tar=false"],
  });
  writeWhole(join(folder, "docker-bake.hcl"), hcl.text(), false);
  const planned = {
    cell: { cell_id: record.cell_id },
    inputs,
    keys: { secrets: needs },
    render: () => ({ files: inputs.files, contents: [] }),
  };
  const handed = await secrets.handOver([{ target: TARGET, planned }]);
  const outcome = await buildCell(
    {
      root: folder,
      bakeFile: "docker-bake.hcl",
      targets: [TARGET],
      target: TARGET,
      image: TARGET,
      platform: inputs.platform,
      workDir: folder,
      secrets: {
        ...handed,
        set: [...handed.set, `${TARGET}.no-cache=true`],
        env: { ...handed.env, ...environmentOf(recorded) },
      },
      retries: deps.retries,
      signal,
      onProgress: ({ step, steps, stage, current }) =>
        onProgress(
          `building again: step ${step} of ${steps}: ${brief([stage, current].filter(Boolean).join(": "))}`,
        ),
    },
    { ...deps, mask: secrets.mask, appendLog: () => undefined },
  );
  if (outcome.status === "failed") {
    const bases = inputs.images.map(({ ref, digest }) => (digest === null ? ref : `${ref}@${digest}`));
    const what = outcome.class === "base" ? `an image that it is built from: ${listed(bases)}` : "the build";
    return { missing: [{ what, why: `${outcome.message} (${outcome.class})` }] };
  }
  const blobs = openBlobFolder(layout);
  const image = storedUnder("the image that was built again", outcome.manifest_digest, blobs);
  return { image, layout, dockerfile: plain };
}

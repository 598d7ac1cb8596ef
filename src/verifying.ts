import type { BaseRef, BaseResolution } from "./builder/base.ts";
import { FactoryError } from "./errors.ts";
import { parseReference } from "./model/image-reference.ts";
import type { VerifyBundle } from "./proof/signed-statements.ts";
import type { Shared } from "./shared-registries.ts";
import type { Docker } from "./tools/docker.ts";
import type { Exec } from "./tools/exec.ts";
import type { WorkspaceThen } from "./workspace-at.ts";

/** What verifying an image asks of the world. */
export interface Verifying {
  /** Asks cosign. @throws FactoryError TOOL_MISSING, INTERRUPTED */
  verifyBundle: VerifyBundle;
  /** The digest that an image's tag names in its registry now; null if that cannot be told. @throws FactoryError INTERRUPTED */
  digestNow: (image: BaseRef) => Promise<string | null>;
  /**
   * What the layers of an image unpack to, lowest first: as the engine has it, else as its registry says.
   * @returns null if neither has it, or can be asked
   */
  diffIdsOf: (image: { ref: string; digest: string; platform: string }) => Promise<readonly string[] | null>;
  /**
   * The workspace as it was at a commit, in a temporary folder; `unknown` says why there is none.
   * @throws FactoryError TOOL_MISSING
   */
  workspaceAtCommit: (root: string, commit: string) => Promise<WorkspaceThen>;
  /** Whether a commit comes after what is checked out; no where git cannot tell. @throws FactoryError INTERRUPTED */
  isAhead: (root: string, commit: string) => Promise<boolean>;
  /** See src/tools/git.ts; null too where git cannot tell. @throws FactoryError INTERRUPTED */
  commitNamed: (root: string, ref: string) => Promise<string | null>;
}

/** Gives null where something cannot be told, which is an answer too. */
async function orNull<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FactoryError && error.code !== "INTERRUPTED") return null;
    throw error;
  }
}

export function verifying(around: {
  exec: Exec;
  docker: Pick<Docker, "inspectImage">;
  baseDigests: (
    refs: readonly BaseRef[],
    options: { pull: boolean; signal?: AbortSignal },
  ) => Promise<ReadonlyMap<string, BaseResolution>>;
  registries: Shared["registries"];
  signal: () => AbortSignal;
}): Verifying {
  const { exec, docker, registries } = around;
  const known = new Map<string, Promise<string | null>>();
  return {
    verifyBundle: async (bundle, what, signer) => {
      const { createCosign } = await import("./tools/cosign.ts");
      return createCosign(exec).verify(bundle, what, signer, around.signal());
    },
    digestNow: (image) => {
      const key = `${image.ref} ${image.platform}`;
      let asked = known.get(key);
      if (!asked) {
        const signal = around.signal();
        const ask = () => around.baseDigests([image], { pull: true, signal });
        asked = orNull(ask).then((found) => [...(found ?? []).values()][0]?.digest ?? null);
        known.set(key, asked);
      }
      return asked;
    },
    diffIdsOf: async ({ ref, digest, platform }) => {
      const signal = around.signal();
      const [name = ""] = ref.split("@", 1);
      const place = await orNull(() => Promise.resolve(parseReference(name)));
      if (!place) return null;
      const short = name.slice(0, name.length - (place.tag === null ? 0 : place.tag.length + 1));
      const held = await orNull(() => docker.inspectImage(`${short}@${digest}`, { platform, signal }));
      const layers = held?.RootFS?.Layers;
      if (layers) return layers;
      const { servedDiffIds } = await import("./proof/diff-ids.ts");
      const { repository } = await registries();
      // It is asked once: an image that nobody has is a normal answer.
      const again = <T>(work: () => Promise<T>) => work();
      return orNull(() => servedDiffIds({ client: repository(place), again, signal }, digest, platform));
    },
    workspaceAtCommit: async (root, commit) => {
      const { workspaceAtCommit } = await import("./workspace-at.ts");
      return workspaceAtCommit(exec, root, commit, registries);
    },
    isAhead: async (root, commit) => {
      const { isAhead } = await import("./tools/git.ts");
      return (await orNull(() => isAhead(exec, root, commit))) ?? false;
    },
    commitNamed: async (root, ref) => {
      const { commitNamed } = await import("./tools/git.ts");
      return orNull(() => commitNamed(exec, root, ref));
    },
  };
}

import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { cacheTrouble } from "./cache-trouble.ts";
import { detectCi, runsInCi } from "./ci/detect.ts";
import type { DoctorDeps } from "./doctor/deps.ts";
import { abandonedRunFolders } from "./files/run-folder.ts";
import type { Mask } from "./model/mask.ts";
import { listRecords } from "./records/list-records.ts";
import type { Buildx } from "./tools/buildx.ts";
import type { Docker } from "./tools/docker.ts";
import type { Exec } from "./tools/exec.ts";
import { gitIn } from "./tools/git.ts";
import type { Lease } from "./tools/lease.ts";
import { dockerCredentials } from "./tools/oci/credentials.ts";
import { createRegistry } from "./tools/oci/repository-client.ts";

/** How long a registry may take for one answer: all of the doctor takes little longer. */
const PATIENCE = { answerMs: 3000, stallMs: 3000 };

/** What the doctor asks of the world. */
export function doctoring(around: {
  env: NodeJS.ProcessEnv;
  exec: Exec;
  docker: Docker;
  buildx: Buildx;
  mask: Mask;
  lease: Lease;
}): Omit<DoctorDeps, "now" | "sweep"> {
  const { env, exec, docker, buildx, mask, lease } = around;
  const ci = detectCi(env).title;
  return {
    env,
    node: process.versions.node,
    engine: docker.info,
    isLocal: docker.isLocal,
    buildx,
    exec,
    git: (folder, words) => gitIn(exec, folder)(words, { ok: [0, 128], timeoutMs: 3000 }),
    repository: createRegistry({
      credentialsOf: dockerCredentials({ env, exec }),
      now: Date.now,
      mask,
      patience: PATIENCE,
    }),
    cacheTrouble: (root, place) => cacheTrouble({ env, docker, buildx, mask, root })(place),
    room: async (path) => {
      try {
        const { bavail, bsize, ffree, files } = await statfs(path);
        return { bytes: bavail * bsize, files: files > 0 ? { free: ffree, all: files } : null };
      } catch {
        return null;
      }
    },
    temporary: tmpdir(),
    ci: ci ?? (runsInCi(env) ? "another system, as $CI says" : null),
    abandoned: (root) => abandonedRunFolders(root, lease.stateOf, Date.now()).length,
    records: async (root) => {
      const { total, unreadable } = await listRecords(root, { limit: 1 });
      return { total, unreadable: unreadable.length, first: unreadable[0]?.what ?? null };
    },
  };
}

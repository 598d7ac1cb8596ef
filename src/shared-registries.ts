import { randomUUID } from "node:crypto";
import type { Registries } from "./library/fetch-library.ts";
import { compareText } from "./model/compare.ts";
import type { RepositoryName } from "./model/image-reference.ts";
import type { Mask } from "./model/mask.ts";
import type { RetryPolicy } from "./model/retries.ts";
import type { SigningSettings } from "./model/signing.ts";
import type { LockDeps } from "./publish/publisher-lock.ts";
import type { RegistryDeps, TagReference } from "./publish/registry-deps.ts";
import type { AttachProofDeps, ProofSigner } from "./proof/attach-deps.ts";
import type { ImageAt } from "./proof/attach-proof.ts";
import type { RecordRemote } from "./records/remote/remote.ts";
import type { WholeRecord } from "./records/travel.ts";
import type { Exec } from "./tools/exec.ts";
import type { PackageClient } from "./tools/github/package-client.ts";
import type { ScanReport } from "./scan/scan-report.ts";
import type { Registries as Docker } from "./tools/oci/registries.ts";
import type { Retrying } from "./tools/oci/retrying.ts";

/** What machines share through registries. */
export interface Shared {
  /** Registries, as libraries ask them. A try that is repeated is told to people. */
  registries: () => Promise<Registries>;
  /** The records in a repository, `oci://HOST/REPOSITORY`. */
  recordRemote: (remote: string) => Promise<RecordRemote>;
  /**
   * Attaches what proves an image to it, signed if it is said with what, with its signatures in other repositories; see
   * src/proof/attach-proof.ts.
   */
  attachProof: (
    image: ImageAt,
    records: readonly WholeRecord[],
    options: { signing: SigningSettings | null; from?: readonly RepositoryName[] },
  ) => Promise<number | null>;
  /** Attaches a scan's report to its image, signed if it is said with what; see src/scan/attached-scans.ts. */
  attachScan: (
    image: ImageAt,
    scan: { report: ScanReport; text: Buffer },
    signing: SigningSettings | null,
  ) => Promise<number | null>;
  /**
   * The package behind a repository of ghcr.io, as GitHub's API has it; see src/tools/github/.
   * @throws FactoryError USAGE, PACKAGE_TOKEN_MISSING, REGISTRY_LOGIN
   */
  githubPackage: (repository: string) => Promise<PackageClient>;
  /** @param options `waitMs`: how long to wait for another publisher */
  publishing: (options: { waitMs: number }) => Promise<Publishing>;
}

/** Registries, as those who move tags ask them. */
export interface Publishing extends RegistryDeps {
  /**
   * Does something while nobody else moves tags of the repositories that these are in.
   * @throws FactoryError PUBLISHER_BUSY, PUBLISHER_SLOW
   */
  alone: <T>(tags: readonly TagReference[], work: (own: RegistryDeps) => Promise<T>) => Promise<T>;
}

const SECOND = 1000;

export function sharedRegistries(around: {
  /** Who this is, for others: the address of a CI job, or nothing. */
  by: string;
  env: NodeJS.ProcessEnv;
  every: LockDeps["every"];
  exec: Exec;
  mask: Mask;
  registries: () => Promise<Docker>;
  sleep: Retrying["sleep"];
  /** What is done about such a failure, by now: factory.yaml says it. */
  retries: () => RetryPolicy;
  say: (line: string) => void;
  signal: () => AbortSignal;
}): Shared {
  const { sleep, retries, say } = around;
  const registries: Shared["registries"] = async () => {
    const [{ open }, { retrying }] = await Promise.all([
      around.registries(),
      import("./tools/oci/retrying.ts"),
    ]);
    const signal = around.signal();
    const onRetry = (error: Error, ms: number) =>
      say(`warning: ${error.message}; trying again in ${Math.ceil(ms / SECOND)} s`);
    return {
      repository: open,
      again: (work) => retrying(work, { policy: retries(), sleep, random: Math.random, onRetry, signal }),
      signal,
    };
  };
  const signerOf = async (signing: SigningSettings): Promise<ProofSigner> => {
    const [{ createCosign }, { ownSigner }] = await Promise.all([
      import("./tools/cosign.ts"),
      import("./proof/own-signer.ts"),
    ]);
    return ownSigner(createCosign(around.exec), signing, around.signal());
  };
  const attachDeps = async (
    signing: SigningSettings | null,
    from: readonly RepositoryName[],
  ): Promise<AttachProofDeps> => {
    const [{ repository, again, signal }, { attachReferrers }, signer] = await Promise.all([
      registries(),
      import("./tools/oci/attach-referrers.ts"),
      signing === null ? null : signerOf(signing),
    ]);
    const waits = { again, sleep, random: Math.random, signal };
    const attach: AttachProofDeps["attach"] = (client, subject, manifests) =>
      attachReferrers(client, subject, manifests, waits);
    return { repository, again, signer, from, signal, attach };
  };
  return {
    registries,
    attachProof: async (image, records, { signing, from = [] }) => {
      const [{ attachProof }, deps] = await Promise.all([
        import("./proof/attach-proof.ts"),
        attachDeps(signing, from),
      ]);
      return attachProof(image, records, deps);
    },
    attachScan: async (image, scan, signing) => {
      const [{ attachReport }, deps] = await Promise.all([
        import("./scan/attached-scans.ts"),
        attachDeps(signing, []),
      ]);
      return attachReport(image, scan, deps);
    },
    recordRemote: async (remote) => {
      const [{ repository, again, signal }, { openRemote }, { parseReference }] = await Promise.all([
        registries(),
        import("./records/remote/remote.ts"),
        import("./model/image-reference.ts"),
      ]);
      let next = Date.now() + SECOND;
      const onProgress = (done: number, of: number): void => {
        if (Date.now() < next) return;
        next = Date.now() + SECOND;
        say(`records: ${done} of ${of}`);
      };
      const client = repository(parseReference(remote));
      return openRemote({ client, again, signal, sleep, random: Math.random, onProgress });
    },
    githubPackage: async (repository) => {
      const [{ githubApi }, { githubAccess }, { openPackage }, { dockerCredentials }] = await Promise.all([
        import("./ci/github.ts"),
        import("./tools/github/github-access.ts"),
        import("./tools/github/package-client.ts"),
        import("./tools/oci/credentials.ts"),
      ]);
      const { env, exec, mask } = around;
      const credentialsOf = dockerCredentials({ env, exec, signal: around.signal() });
      const access = await githubAccess({ said: githubApi(env), credentialsOf, mask });
      return openPackage(repository, { access, mask, now: Date.now });
    },
    publishing: async ({ waitMs }) => {
      const [{ repository, again, signal }, { copyImage }, { attachReferrers }] = await Promise.all([
        registries(),
        import("./tools/oci/copy-image.ts"),
        import("./tools/oci/attach-referrers.ts"),
      ]);
      const until = (signal: AbortSignal): RegistryDeps => ({
        repository,
        again,
        signal,
        copy: async (digest, places) => {
          const deps = { open: repository, again, signal, sleep, random: Math.random };
          await copyImage({ ...places, digest }, {}, deps);
        },
        attach: (to, subject, manifests) =>
          attachReferrers(repository(to), subject, manifests, { again, sleep, random: Math.random, signal }),
      });
      const alone: Publishing["alone"] = async (tags, work) => {
        const { whilePublishing } = await import("./publish/publisher-lock.ts");
        // In one order for everybody: nobody waits for one who waits for it.
        const names = new Map(
          tags.map(({ host, repository }) => [`${host}/${repository}`, { host, repository }]),
        );
        const ordered = [...names].sort(([a], [b]) => compareText(a, b));
        const nonce = randomUUID();
        const take = ([first, ...rest]: typeof ordered, signal: AbortSignal): ReturnType<typeof work> => {
          if (!first) return work(until(signal));
          const [name, at] = first;
          const { by, every } = around;
          const clock = () => performance.now();
          const lock = { client: repository(at), name, again, sleep, every, clock, nonce, by, waitMs, say };
          return whilePublishing({ ...lock, signal }, (own) => take(rest, own));
        };
        return take(ordered, signal);
      };
      return { ...until(signal), alone };
    },
  };
}

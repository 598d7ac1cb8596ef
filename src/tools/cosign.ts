import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { makeFolderIn, removeTree } from "../files/folders.ts";
import { writeWhole } from "../files/write-whole.ts";
import { KEYLESS, type SigningSettings } from "../model/signing.ts";
import type { Exec, ExecResult } from "./exec.ts";

/** Whose signatures count. */
export interface Signer {
  /** The public key itself, or a file with it, or what cosign takes in its place. */
  pem?: string;
  key?: string;
  /** Who a keyless signature has to be of. */
  identity?: { issuer: string; subject: string };
  transparencyLog: boolean;
}

export interface Cosign {
  /**
   * Signs an in-toto statement. @returns the bundle
   * @throws FactoryError TOOL_MISSING, SIGNING_FAILED, INTERRUPTED
   */
  sign: (statement: Uint8Array, key: SigningSettings, signal?: AbortSignal) => Promise<Buffer>;
  /** The public key of a key. @throws as `sign` */
  publicKey: (key: string, signal?: AbortSignal) => Promise<string>;
  /**
   * Whether a bundle is signed by a signer and about an image. @param what `digest`: of the image; `predicateType`: of the statement
   * @returns why not, in cosign's words; null if it is
   * @throws FactoryError TOOL_MISSING, INTERRUPTED
   */
  verify: (
    bundle: Uint8Array,
    what: { digest: string; predicateType: string },
    signer: Signer,
    signal?: AbortSignal,
  ) => Promise<string | null>;
}

/** Long enough for a person's browser in a keyless flow, or for a slow KMS. */
const TIMEOUT_MS = 180_000;
const SHOWN = 300;

/** cosign's last words, in a line. */
function words({ stderr, timedOut }: ExecResult): string {
  if (timedOut) return "cosign did not answer in time";
  const lines = stderr.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("WARNING"));
  const said = lines.at(-1)?.replace(/^error during command execution: |^Error: /, "") ?? "it said nothing";
  return said.length <= SHOWN ? said : `${said.slice(0, SHOWN)}…`;
}

function fixFor(said: string): string {
  if (/decrypt|password|ioctl|terminal/i.test(said)) return "set COSIGN_PASSWORD to the password of the key";
  if (/no such file|reading key/i.test(said))
    return "name an existing key, made by `cosign generate-key-pair`: `signing.key` in factory.yaml or FACTORY_SIGNING_KEY";
  return "sign with cosign by hand to see more; nothing was attached, and `factory records push` tries again";
}

export function createCosign(exec: Exec): Cosign {
  const run = async (argv: readonly string[], signal?: AbortSignal): Promise<ExecResult> => {
    const result = await exec("cosign", argv, { timeoutMs: TIMEOUT_MS, signal });
    if (result.aborted) throw new FactoryError("INTERRUPTED", "interrupted while cosign ran");
    return result;
  };
  const must = async (argv: readonly string[], what: string, signal?: AbortSignal): Promise<ExecResult> => {
    const result = await run(argv, signal);
    if (result.exitCode === 0) return result;
    const said = words(result);
    throw new FactoryError("SIGNING_FAILED", `${what}: ${said}`, { fix: fixFor(said) });
  };
  const inFolder = async <T>(use: (folder: string) => Promise<T>): Promise<T> => {
    const folder = makeFolderIn(tmpdir(), "factory-cosign-");
    try {
      return await use(folder);
    } finally {
      removeTree(folder);
    }
  };
  /** Without a log, cosign is given a configuration without services: else it would ask for one over the network. */
  const offline = async (folder: string, kind: "signing-config" | "trusted-root", signal?: AbortSignal) => {
    const file = join(folder, `${kind}.json`);
    await must([kind, "create", "--out", file], `a ${kind} cannot be made`, signal);
    return [`--${kind}`, file];
  };

  return {
    sign: (statement, { key, transparencyLog }, signal) =>
      inFolder(async (folder) => {
        const [file, bundle] = [join(folder, "statement.json"), join(folder, "bundle.json")];
        writeWhole(file, statement, false);
        const services = transparencyLog
          ? []
          : [
              ...(await offline(folder, "signing-config", signal)),
              ...(await offline(folder, "trusted-root", signal)),
            ];
        const by = key === KEYLESS ? [] : ["--key", key];
        await must(
          ["attest-blob", "--yes", ...by, ...services, "--statement", file, "--bundle", bundle],
          "the image cannot be signed",
          signal,
        );
        return readFileSync(bundle);
      }),

    publicKey: async (key, signal) =>
      (await must(["public-key", "--key", key], "the public key cannot be read", signal)).stdout,

    verify: (bundle, { digest, predicateType }, { pem, key, identity, transparencyLog }, signal) =>
      inFolder(async (folder) => {
        const [file, own] = [join(folder, "bundle.json"), join(folder, "key.pub")];
        writeWhole(file, bundle, false);
        if (pem !== undefined) writeWhole(own, pem, false);
        const log = transparencyLog
          ? []
          : ["--insecure-ignore-tlog=true", ...(await offline(folder, "trusted-root", signal))];
        const by =
          identity === undefined
            ? ["--key", pem === undefined ? (key ?? "") : own]
            : [`--certificate-oidc-issuer=${identity.issuer}`, `--certificate-identity=${identity.subject}`];
        const about = ["--digestAlg", "sha256", "--digest", digest.slice("sha256:".length)];
        const argv = ["verify-blob-attestation", ...by, ...log, "--bundle", file, "--type", predicateType];
        const result = await run([...argv, ...about], signal);
        return result.exitCode === 0 ? null : words(result);
      }),
  };
}

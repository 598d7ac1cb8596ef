import { resolve } from "node:path";
import type { Policy } from "../schemas/types.ts";
import type { Signer } from "../tools/cosign.ts";

/** Whose signatures a policy counts. @param root of the workspace, which files of keys are named from */
export function signersOf({ signature }: Policy, root: string): Signer[] {
  const { keys = [], identities = [], transparency_log } = signature ?? {};
  return [
    ...keys.map((key) => ({
      key: key.includes("://") ? key : resolve(root, key),
      transparencyLog: transparency_log ?? false,
    })),
    // What the identity of a job signed is only proven by the log that it stands in.
    ...identities.map((identity) => ({ identity, transparencyLog: transparency_log ?? true })),
  ];
}

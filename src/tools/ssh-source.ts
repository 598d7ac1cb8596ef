import { statSync } from "node:fs";
import type { DeclaredSource, Obtained } from "../model/secret.ts";
import { quoted } from "../model/visible.ts";
import { readSecretFile, realPath, refuseSecret, secretText } from "./secret-file.ts";
import type { SourceDeps } from "./secret-source.ts";

/**
 * The socket of an agent, or the key, that a source names.
 * @throws FactoryError as obtainSecret
 */
export function obtainSsh(name: string, declared: DeclaredSource, { env, root }: SourceDeps): Obtained {
  const { source, where } = declared;
  const variable = source.env;
  const file = variable === undefined ? source.file : env[variable];
  if (file === undefined || file === "")
    throw refuseSecret(
      name,
      `$${variable} is not set`,
      "start an agent (`ssh-agent`), or name a key with `file:`",
      where,
    );
  const real = realPath(
    name,
    file,
    variable === undefined ? declared : { ...declared, mayLeave: true },
    root,
  );
  if (real.includes(","))
    throw refuseSecret(
      name,
      `${quoted(real)} has a comma`,
      "BuildKit's client takes it for two paths: rename it",
      where,
    );
  const stats = statSync(real);
  if (stats.isSocket()) return { value: "", path: real };
  const from = variable === undefined ? quoted(file) : `what $${variable} names`;
  const key = secretText(name, from, readSecretFile(name, from, real, declared), declared);
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key))
    throw refuseSecret(
      name,
      `${from} is neither the socket of an agent nor a private key`,
      "name one of these",
      where,
    );
  const body = Buffer.from(key.replace(/-----[^-]*-----/g, ""), "base64");
  if (key.includes("ENCRYPTED") || body.includes("bcrypt"))
    throw refuseSecret(
      name,
      `${from} is locked by a passphrase`,
      "add it to an agent (`ssh-add`), and use that",
      where,
    );
  return { value: key, path: real };
}

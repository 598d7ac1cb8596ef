import { type Obtained, type SecretKind, secretVariable } from "../model/secret.ts";
import type { BakeOptions } from "../tools/buildx.ts";

/** What a bake needs to hand secrets to its targets. */
export type Handover = Required<Pick<BakeOptions, "env" | "set" | "read" | "ssh">>;

/** A secret with its value. */
export interface ObtainedSecret extends Obtained {
  kind: SecretKind;
  id: string;
}

/** A field of a line of comma-separated values. */
function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A path of SSH has no comma: BuildKit's client would take it for two. */
function settingOf({ kind, id, path }: ObtainedSecret): string {
  if (kind === "ssh") return `${id}=${path}`;
  if (path === null) return ["type=env", `id=${id}`, `env=${secretVariable(id)}`].join(",");
  return ["type=file", `id=${id}`, field(`src=${path}`)].join(",");
}

/**
 * Hands secrets to the targets of a bake, to each its own. Values are only in the environment of the process that bakes:
 * in no argument, and in no file.
 */
export function handOver(
  targets: readonly { target: string; secrets: readonly ObtainedSecret[] }[],
): Handover {
  const env: Record<string, string> = {};
  const read = new Set<string>();
  let ssh = false;
  const set: string[] = [];
  for (const { target, secrets } of targets) {
    for (const one of secrets) {
      const isKey = one.kind === "ssh";
      set.push(`${target}.${isKey ? "ssh" : "secrets"}=${settingOf(one)}`);
      ssh ||= isKey;
      if (one.path !== null) read.add(one.path);
      else if (!isKey) env[secretVariable(one.id)] = one.value;
    }
  }
  return { env, set, read: [...read], ssh };
}

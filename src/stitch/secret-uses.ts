import { posix } from "node:path";
import type { SecretKind } from "../model/secret.ts";
import { type Instruction, withoutMarks } from "./dockerfile.ts";
import { csvFields, takeFlags } from "./words.ts";

/** A mount of a secret in a RUN. */
export interface SecretUse {
  kind: SecretKind;
  id: string;
  /** Whether it becomes an environment variable. */
  asVariable: boolean;
  /** The line of its instruction, from 1. */
  line: number;
}

/** The options of a mount, by lower-case name; a later one replaces an earlier one, as in BuildKit. */
function optionsOf(mount: string): Map<string, string> {
  return new Map(
    csvFields(mount).map((field): [string, string] => {
      const [name = "", value = ""] = field.split(/=(.*)/s);
      return [name.trim().toLowerCase(), value];
    }),
  );
}

/** The id that BuildKit takes a secret by (dispatchSecret and dispatchSSH in frontend/dockerfile/dockerfile2llb). */
function idOf(kind: SecretKind, options: ReadonlyMap<string, string>): string {
  const source = options.get("source") ?? options.get("src") ?? "";
  const id = source || options.get("id") || "";
  if (kind === "ssh") return id || "default";
  return (
    id || posix.basename(options.get("target") ?? options.get("dst") ?? options.get("destination") ?? "")
  );
}

function usesOf(rest: string, line: number): SecretUse[] {
  return takeFlags(withoutMarks(rest)).flags.flatMap((flag): SecretUse[] => {
    const [, mount] = /^--mount=(.*)$/s.exec(flag) ?? [];
    if (mount === undefined) return [];
    const options = optionsOf(mount);
    const kind = (options.get("type") ?? "").toLowerCase();
    if (kind !== "secret" && kind !== "ssh") return [];
    return [{ kind, id: idOf(kind, options), asVariable: options.has("env"), line }];
  });
}

/** The secrets that instructions mount, in order; those of ONBUILD too. */
export function secretUses(instructions: readonly Instruction[]): SecretUse[] {
  return instructions.flatMap(({ keyword, rest, line }) => {
    const [, inner = "", innerRest = ""] =
      keyword === "ONBUILD" ? (/^\s*(\S+)\s*([\s\S]*)$/.exec(rest) ?? []) : ["", keyword, rest];
    return withoutMarks(inner).toUpperCase() === "RUN" ? usesOf(innerRest, line) : [];
  });
}

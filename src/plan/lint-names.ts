import { quoted } from "../model/visible.ts";
import type { Finding } from "../errors.ts";
import { grouped } from "../model/count.ts";

/** Two owners of one name; `more` counts further ones. */
export interface Clash {
  first: string;
  second: string;
  more: number;
}

/** Keeps the first owner of each name, and who else claims it. */
export function createOwners() {
  const owners = new Map<string, string>();
  const clashes = new Map<string, Clash>();
  return {
    /** By name, in the order in which they were found. */
    clashes,
    /** @param once whether a second claim by the same owner is a clash too */
    claim: (name: string, owner: string, once: boolean): void => {
      const first = owners.get(name);
      if (first === undefined) owners.set(name, owner);
      else if (once || first !== owner) {
        const clash = clashes.get(name);
        if (clash) clash.more += 1;
        else clashes.set(name, { first, second: owner, more: 0 });
      }
    },
  };
}

/** The parts of an image reference: a `:` after the last `/` starts the tag. */
export function splitRef(ref: string): { repository: string; tag: string } {
  const at = ref.lastIndexOf(":");
  if (at <= ref.lastIndexOf("/")) return { repository: ref, tag: "" };
  return { repository: ref.slice(0, at), tag: ref.slice(at + 1) };
}

/** How long names may be: for tags and repositories the registries' limits, for ids and targets what Factory promises. */
const LIMITS = { tag: 128, repository: 255, "cell id": 100, "bake target": 100 } as const;

export type NameKind = keyof typeof LIMITS;

/** Keeps the names that are over their limit, each once, however many owners it has. */
export function createLengthCheck() {
  const tooLong = new Map<string, { kind: NameKind; name: string; of: string; more: number }>();
  return {
    /** @param of who has the name */
    check: (kind: NameKind, name: string, of: string): void => {
      if (name.length <= LIMITS[kind]) return;
      const known = tooLong.get(`${kind} ${name}`);
      if (known) known.more += 1;
      else tooLong.set(`${kind} ${name}`, { kind, name, of, more: 0 });
    },
    findings: (): Finding[] =>
      [...tooLong.values()].map(({ kind, name, of, more }) => ({
        code: "NAME_TOO_LONG",
        what: `the ${kind} ${quoted(name)} of ${of}${more > 0 ? ` and ${grouped(more)} more` : ""} has ${name.length} characters; the limit is ${LIMITS[kind]}`,
        fix:
          kind === "repository"
            ? "choose a shorter repository in factory.yaml, or shorten the manifest's name"
            : "shorten the names of the manifest or its fragments",
      })),
  };
}

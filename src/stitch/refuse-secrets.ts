import type { FolderEntry } from "../catalog/catalog.ts";
import { FactoryError } from "../errors.ts";
import type { SecretKind, SecretNeed } from "../model/secret.ts";
import { compareText } from "../model/compare.ts";
import { quoted } from "../model/visible.ts";
import type { Fragment, Template } from "../schemas/types.ts";
import { type Instruction, withoutMarks } from "./dockerfile.ts";
import { exposedSecrets } from "./exposed.ts";
import { type SecretUse, secretUses } from "./secret-uses.ts";
import { addsGit } from "./sources.ts";

type Document = FolderEntry<Pick<Fragment | Template, "secrets" | "ssh">>;

const FIELD = { secret: "secrets", ssh: "ssh" } as const satisfies Record<SecretKind, keyof Fragment>;

/** Secrets that BuildKit itself takes for a git repository that ADD reads. */
const OF_GIT = /^GIT_AUTH_(TOKEN|HEADER)(\.|$)/;

function undeclared({ kind, id, line }: SecretUse, { dockerfile, document }: Document): FactoryError {
  const field = FIELD[kind];
  const all = [...(document[field] ?? []), id];
  return new FactoryError(
    "SECRET_UNDECLARED",
    `a step mounts the ${kind === "ssh" ? "SSH key" : "secret"} ${quoted(id)}, which this document does not declare`,
    {
      where: { file: dockerfile.file },
      fix: `add \`${field}: [${all.join(", ")}]\` beside it (line ${line} of the rendered text)`,
    },
  );
}

/** What BuildKit takes by itself for an ADD of a git repository, of all that a document declares. */
function usesOfGit({ document }: Document, instructions: readonly Instruction[]): SecretUse[] {
  const [add] = instructions.filter(({ keyword, rest }) => keyword === "ADD" && addsGit(withoutMarks(rest)));
  if (!add) return [];
  const use = (kind: SecretKind, id: string) => ({ kind, id, asVariable: false, line: add.line });
  return [
    ...(document.secrets ?? []).filter((id) => OF_GIT.test(id)).map((id) => use("secret", id)),
    ...(document.ssh ?? []).filter((id) => id === "default").map((id) => use("ssh", id)),
  ];
}

/** Whether a document names a secret: with some values, a part that uses it may not be rendered. */
function mentions({ dockerfile: { text } }: Document, kind: SecretKind, id: string): boolean {
  if (kind === "ssh" && id === "default") return /type=ssh|^\s*ADD\b/im.test(text);
  if (kind === "secret" && OF_GIT.test(id)) return /^\s*ADD\b/im.test(text);
  return text.includes(id);
}

/**
 * The secrets that a document's instructions use.
 * @throws FactoryError SECRET_UNDECLARED, SECRET_UNUSED, SECRET_EXPOSED
 */
export function secretsOf(document: Document, instructions: readonly Instruction[]): SecretUse[] {
  const { file } = document.dockerfile;
  const uses = secretUses(instructions);
  for (const use of uses)
    if (!(document.document[FIELD[use.kind]] ?? []).includes(use.id)) throw undeclared(use, document);
  for (const kind of ["secret", "ssh"] as const) {
    for (const [at, id] of (document.document[FIELD[kind]] ?? []).entries()) {
      if (mentions(document, kind, id)) continue;
      throw new FactoryError("SECRET_UNUSED", `${quoted(id)} is declared, but ${file} does not use it`, {
        where: document.place([FIELD[kind], at]),
        fix: `remove it, or use it: RUN --mount=type=${kind}${id === "default" && kind === "ssh" ? "" : `,id=${id}`} …`,
      });
    }
  }
  const [exposed] = exposedSecrets(instructions);
  if (exposed) {
    throw new FactoryError("SECRET_EXPOSED", exposed.what, {
      where: { file },
      fix: `${exposed.fix} (line ${exposed.line} of the rendered text)`,
    });
  }
  return [...uses, ...usesOfGit(document, instructions)];
}

/** What a whole Dockerfile needs, sorted by kind and id, from the uses of each of its documents. */
export function secretNeeds(
  documents: readonly { label: string; uses: readonly SecretUse[] }[],
): readonly SecretNeed[] {
  const needs = new Map<string, { kind: SecretKind; id: string; asVariable: boolean; by: Set<string> }>();
  for (const { label, uses } of documents) {
    for (const { kind, id, asVariable } of uses) {
      const need = needs.get(`${kind} ${id}`) ?? { kind, id, asVariable: false, by: new Set<string>() };
      need.asVariable ||= asVariable;
      need.by.add(label);
      needs.set(`${kind} ${id}`, need);
    }
  }
  return Object.freeze(
    [...needs]
      .sort(([a], [b]) => compareText(a, b))
      .map(([, need]) => Object.freeze({ ...need, by: [...need.by].sort(compareText) })),
  );
}

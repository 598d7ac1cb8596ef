import { splitSharedId } from "../catalog/names.ts";
import { FactoryError } from "../errors.ts";
import type { DeclaredSource, SecretNeed, SecretSettings } from "../model/secret.ts";
import { quoted } from "../model/visible.ts";

/** A secret as messages name it. */
export function titleOf({ kind, id }: SecretNeed): string {
  return kind === "ssh" ? `the SSH key ${quoted(id)}` : `the secret ${quoted(id)}`;
}

/** Who asks for a secret. */
export function neededBy({ by }: SecretNeed): string {
  return `needed by ${by.join(", ")}`;
}

/** Where a secret comes from. @throws FactoryError SECRET_UNKNOWN if nobody says so, or it is not for those that ask */
export function sourceOf(need: SecretNeed, settings: SecretSettings): DeclaredSource {
  const { kind, id, by } = need;
  const field = kind === "ssh" ? "ssh" : "secrets";
  const declared = Object.hasOwn(settings[field], id) ? settings[field][id] : undefined;
  if (!declared) {
    const way =
      kind === "ssh" ? "{env: SSH_AUTH_SOCK}" : "{env: NAME}, {file: PATH} or {command: [PROGRAM, …]}";
    throw new FactoryError(
      "SECRET_UNKNOWN",
      `nothing says where ${titleOf(need)} comes from (${neededBy(need)})`,
      {
        where: { file: "factory.yaml" },
        fix: `add \`${field}: {${id}: …}\` to factory.yaml or factory.local.yaml: ${way}`,
      },
    );
  }
  const { only, where } = declared;
  // What was written elsewhere gets a secret only if its name is given.
  const mayAsk = (name: string) => only?.includes(name) ?? splitSharedId(name).library === null;
  const refused = by.filter((label) => !mayAsk(label.replace(/@.*$/, "")));
  if (refused.length === 0) return declared;
  throw new FactoryError("SECRET_UNKNOWN", `${titleOf(need)} is not for ${refused.join(", ")}`, {
    where,
    fix: `add ${refused.map((label) => label.replace(/@.*$/, "")).join(", ")} to its \`for:\`, if that is right`,
  });
}

import type { Inputs } from "../model/inputs.ts";
import type { SecretNeed } from "../model/secret.ts";
import { parseDockerfile } from "../stitch/dockerfile.ts";
import { secretNeeds } from "../stitch/refuse-secrets.ts";
import { secretUses } from "../stitch/secret-uses.ts";

/** The secrets that the steps of a recorded Dockerfile mount, with the fragments or the template that they are of. */
export function secretsIn(dockerfile: string, { fragments, template }: Inputs): readonly SecretNeed[] {
  let label = `${template.id}@${template.version}`;
  const documents = parseDockerfile(dockerfile).map((instruction) => {
    const [, stage = ""] = /\sAS\s+(\S+)\s*$/i.exec(instruction.rest) ?? [];
    if (instruction.keyword === "FROM") {
      const own = fragments.find(({ name }) => name === stage);
      label = own ? `${own.name}@${own.version}` : `${template.id}@${template.version}`;
    }
    return { label, uses: secretUses([instruction]) };
  });
  return secretNeeds(documents);
}

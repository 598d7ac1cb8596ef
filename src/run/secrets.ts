import { handOver, type ObtainedSecret } from "../builder/handover.ts";
import { errorOf, FactoryError, type Finding } from "../errors.ts";
import { listed } from "../files/listing.ts";
import { sha256 } from "../model/digest.ts";
import type { SecretNeed } from "../model/secret.ts";
import type { RunSecrets, SecretCell } from "../pipeline/stage.ts";
import { type Network, obtainNetwork } from "./obtain-network.ts";
import type { SecretDeps } from "./secret-deps.ts";
import { neededBy, sourceOf, titleOf } from "../stitch/secret-sources.ts";

/** The error with who needs the secret. */
function withNeed(error: FactoryError, need: SecretNeed): Finding {
  return {
    code: error.code,
    what: error.message.includes("needed by") ? error.message : `${error.message} (${neededBy(need)})`,
    where: error.where,
    fix: error.fix,
  };
}

/** Needs of several cells, each once, with all who ask. */
function together(cells: readonly SecretCell[]): SecretNeed[] {
  const needs = new Map<string, SecretNeed>();
  for (const { keys } of cells) {
    for (const need of keys.secrets) {
      const key = `${need.kind} ${need.id}`;
      const before = needs.get(key);
      needs.set(key, {
        ...need,
        asVariable: need.asVariable || (before?.asVariable ?? false),
        by: [...new Set([...(before?.by ?? []), ...need.by])],
      });
    }
  }
  return [...needs.values()];
}

/** A file of a fragment or a source that has one of these hashes. */
function fileWith(
  hashes: readonly string[],
  { files, contents }: ReturnType<SecretCell["render"]>,
): string | undefined {
  const own = files.find((one) => hashes.includes(one.sha256));
  if (own) return own.path;
  const wanted = hashes.map((hash) => hash.slice("sha256:".length));
  for (const source of contents) {
    // A listing may be long: its bytes are searched before its lines are read.
    const holds = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
      wanted.some((hex) => Buffer.from(buffer, byteOffset, byteLength).includes(hex));
    if (!source.pieces.some(holds)) continue;
    for (const { path, sha256: hash } of listed(source.path, source)) if (hashes.includes(hash)) return path;
  }
  return undefined;
}

/** Refuses a value that stands in a Dockerfile, an argument or a test, or is what a file that is copied holds. */
function exposure({ cell, inputs, render }: SecretCell, need: SecretNeed, value: string): Finding[] {
  const own = value.trim();
  if (own.length < 8) return [];
  const file = fileWith([value, own, `${own}\n`].map(sha256), render());
  const stands = JSON.stringify(inputs).includes(JSON.stringify(own).slice(1, -1));
  if (!file && !stands) return [];
  const where = file
    ? `the file ${file}, which is copied into`
    : "the Dockerfile, the arguments or the tests of";
  return [
    {
      code: "SECRET_EXPOSED",
      what: `the value of ${titleOf(need)} is in ${where} ${cell.cell_id}`,
      fix: "take it out there; what is no secret needs no secret",
    },
  ];
}

/** The secrets of one run. */
export function openSecrets(deps: SecretDeps): RunSecrets {
  const { settings, obtain, mask, note } = deps;
  const known = new Map<string, Promise<ObtainedSecret>>();

  const get = async (need: SecretNeed): Promise<ObtainedSecret> => {
    const { kind, id } = need;
    const name = titleOf(need);
    const obtained = await obtain(kind, name, sourceOf(need, settings()));
    const { value } = obtained;
    if (value !== "" && !mask.hide(value))
      note(`warning: ${name} has fewer than 8 characters, so it cannot be masked in logs`);
    if (need.asVariable && /\n$/.test(value))
      note(`warning: ${name} ends in a line break, which the variable that holds it in a step will have too`);
    return { kind, id, ...obtained };
  };
  const once = (need: SecretNeed): Promise<ObtainedSecret> => {
    const key = `${need.kind} ${need.id}`;
    let value = known.get(key);
    if (!value) known.set(key, (value = get(need)));
    return value;
  };

  let asked: Promise<Network> | undefined;
  const network = () => (asked ??= obtainNetwork(deps));

  const require = async (cells: readonly SecretCell[]): Promise<void> => {
    const findings: Finding[] = [];
    if (cells.length > 0) findings.push(...(await network()).findings);
    for (const need of together(cells)) {
      try {
        const { value } = await once(need);
        const asking = cells.filter(({ keys }) =>
          keys.secrets.some(({ id, kind }) => id === need.id && kind === need.kind),
        );
        if (value !== "") findings.push(...asking.flatMap((cell) => exposure(cell, need, value)).slice(0, 1));
      } catch (error) {
        if (!(error instanceof FactoryError) || error.code === "INTERRUPTED") throw error;
        findings.push(...(error.findings ?? [withNeed(error, need)]));
      }
    }
    if (findings.length === 0) return;
    const missing = findings.length > 1 && findings.every(({ code }) => code === "SECRET_MISSING");
    if (!missing) throw errorOf(findings);
    throw new FactoryError("SECRET_MISSING", `${findings.length} secrets cannot be had`, { findings });
  };

  return {
    mask,
    require,
    network: async () => (await network()).names,
    handOver: async (targets) => {
      await require(targets.map(({ planned }) => planned));
      const shared = (await network()).secrets;
      const own = targets.map(async ({ target, planned }) => ({
        target,
        secrets: [...shared, ...(await Promise.all(planned.keys.secrets.map(once)))],
      }));
      return handOver(await Promise.all(own));
    },
  };
}

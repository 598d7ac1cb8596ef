import { FactoryError } from "../errors.ts";
import { parseReference, type RepositoryName } from "../model/image-reference.ts";
import { sha256 } from "../model/digest.ts";
import type { DoctorDeps, Workspace } from "./deps.ts";
import { broken, type Diagnosis, ok, warning } from "./diagnosis.ts";

/** A repository that the workspace uses, and what for. */
interface Used {
  repository: RepositoryName;
  text: string;
  uses: string[];
}

/** The repositories of a workspace that have a host: others stay in the engine. */
function usedBy({ catalog }: Extract<Workspace, { catalog: unknown }>): Used[] {
  const { repository, cache, records_remote } = catalog.settings();
  const named: [string, string][] = [
    ["images", repository],
    ...(cache?.place.type === "registry" ? [["cache", cache.place.repository] as [string, string]] : []),
    ...(records_remote === null
      ? []
      : [["records", records_remote.replace(/^oci:\/\//, "")] as [string, string]]),
    ...catalog
      .productIds()
      .map((id): [string, string] => [`product ${id}`, catalog.product(id).document.repository]),
  ];
  const used = new Map<string, Used>();
  for (const [use, text] of named) {
    let parsed: RepositoryName;
    try {
      parsed = parseReference(text);
    } catch {
      continue;
    }
    const known = used.get(text) ?? { repository: parsed, text, uses: [] };
    known.uses.push(use);
    used.set(text, known);
  }
  return [...used.values()];
}

/** What asking came to: nothing, or why it failed. */
async function failure(ask: () => Promise<unknown>, absent: boolean): Promise<FactoryError | null> {
  try {
    await ask();
    return null;
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
    return absent && error.code === "REGISTRY_NOT_FOUND" ? null : error;
  }
}

/** Nothing has this digest. */
const NOBODY = `sha256:${"0".repeat(64)}`;

/** One repository: whether it may be read and written, and whether its registry has the API of referrers. */
async function look(
  { repository: open, now }: DoctorDeps,
  used: Used,
  signal: AbortSignal,
): Promise<Diagnosis[]> {
  const { repository, text, uses } = used;
  const what = `${text} (${uses.join(", ")})`;
  const client = open(repository);
  // A repository that does not exist yet is made by the first push.
  const unread = await failure(() => client.tags({ signal }), true);
  if (unread)
    return [
      broken("registry", {
        what: `${what} cannot be read: ${unread.message}`,
        fix: unread.fix ?? `docker login ${repository.host}`,
      }),
    ];
  // A blob that is there would not be sent: this one is new, and belongs to no manifest, so that the registry clears it away.
  const scratch = Buffer.from(`factory doctor ${now()} ${Math.random()}`);
  const blob = { digest: sha256(scratch), size: scratch.length };
  const unwritten = await failure(() => client.putBlob(blob, scratch, { signal }), false);
  if (unwritten)
    return [
      ok("registry", `${what} may be read`),
      warning("registry", {
        what: `${what} may not be written: ${unwritten.message}`,
        fix: unwritten.fix ?? `docker login ${repository.host}`,
      }),
    ];
  const found = await client.referrers(NOBODY, { signal }).catch((error: unknown) => {
    if (error instanceof FactoryError) return null;
    throw error;
  });
  const referrers = found?.kept
    ? "with the API of referrers"
    : "without the API of referrers: tags stand in for it";
  return [ok("registry", `${what} may be read and written, ${referrers}`)];
}

/**
 * Tries both rights in each repository of the workspace: its tags are listed, and a scratch blob of some bytes is stored.
 */
export async function registries(
  deps: DoctorDeps,
  workspace: Workspace,
  signal: AbortSignal,
): Promise<Diagnosis[]> {
  if (!("catalog" in workspace)) return [];
  const used = usedBy(workspace);
  if (used.length === 0) {
    const repository = workspace.catalog.settings().repository;
    return [ok("registry", `${repository} has no host: images stay in the engine`)];
  }
  return (await Promise.all(used.map((one) => look(deps, one, signal)))).flat();
}

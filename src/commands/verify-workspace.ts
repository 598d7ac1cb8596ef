import type { OpenCatalog } from "../catalog/open.ts";
import type { Inputs } from "../model/inputs.ts";
import type { Link } from "../proof/proof-link.ts";
import { recipeLink } from "../proof/recipe-link.ts";
import type { AttachedRecord } from "../proof/verify-image.ts";
import type { Context } from "./context.ts";

/** The document that a record's keys are computed from: `claims` has checked it. */
function inputsIn({ record, evidence }: AttachedRecord): Inputs | null {
  const bytes = evidence.get(record.evidence.inputs?.sha256 ?? "");
  return bytes ? (JSON.parse(Buffer.from(bytes).toString("utf8")) as Inputs) : null;
}

async function commitLink(
  context: Context,
  { root }: OpenCatalog,
  attached: AttachedRecord,
  inputs: Inputs,
): Promise<Link> {
  const { record } = attached;
  const { commit, dirty } = record.source;
  const unchecked = (why: string): Link => ({
    link: "commit",
    platform: record.platform,
    status: "unchecked",
    why,
  });
  if (commit === null) return unchecked("the record names no commit");
  if (dirty !== false) return unchecked(`the workspace had changes that are not in ${commit.slice(0, 12)}`);
  const at = await (await context.world()).workspaceAtCommit(root, commit);
  if ("unknown" in at) return unchecked(at.unknown);
  try {
    return recipeLink("commit", at.catalog, record, inputs);
  } finally {
    at.remove();
  }
}

/** Of each record: whether its manifest, stitched again at its commit and now, gives the same keys. */
export async function workspaceLinks(
  context: Context,
  catalog: OpenCatalog | null,
  records: readonly AttachedRecord[],
  { isNow }: { isNow: boolean },
): Promise<Link[]> {
  const links: Link[] = [];
  for (const one of records) {
    const { platform } = one.record;
    const inputs = inputsIn(one);
    if (!catalog || !inputs) {
      const why = catalog ? "the record has no inputs" : "there is no workspace here to stitch it again";
      links.push({ link: "commit", platform, status: "unchecked", why });
      continue;
    }
    links.push(await commitLink(context, catalog, one, inputs));
    if (isNow) links.push(recipeLink("manifest", catalog, one.record, inputs));
  }
  return links;
}

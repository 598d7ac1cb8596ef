import { resolve } from "node:path";
import type { OpenCatalog } from "../catalog/open.ts";
import { FactoryError } from "../errors.ts";
import { type ImageReference, parseReference, referenceText } from "../model/image-reference.ts";
import { openStore } from "../pipeline/open-store.ts";
import { baseLink } from "../proof/base-link.ts";
import { servedDiffIds } from "../proof/diff-ids.ts";
import type { Link } from "../proof/proof-link.ts";
import { usable } from "../proof/read-bundles.ts";
import { prunedHere } from "../records/pruned-here.ts";
import { type AttachedRecord, verifyImage } from "../proof/verify-image.ts";
import { table } from "../screen/table.ts";
import type { CommandResult, Context } from "./context.ts";
import { policyLinks, rulesFor } from "./verify-policy.ts";
import { tagLinks } from "./verify-tag.ts";
import { workspaceLinks } from "./verify-workspace.ts";

export interface VerifyOptions {
  key?: string[];
  policy?: string;
  past?: boolean;
  locked?: boolean;
}

/** The workspace, if there is one: an image can be verified without. */
async function workspaceIf(context: Context, isNeeded: boolean): Promise<OpenCatalog | null> {
  try {
    return await context.catalog();
  } catch (error) {
    if (!isNeeded && error instanceof FactoryError && error.code === "WORKSPACE_NOT_FOUND") return null;
    throw error;
  }
}

/** Of each record's base: whether the image stands on it. */
async function baseLinks(
  context: Context,
  reference: ImageReference,
  records: readonly AttachedRecord[],
  wantsNow: boolean,
): Promise<Link[]> {
  const world = await context.world();
  const { repository, again, signal } = await world.registries();
  const client = repository(reference);
  return Promise.all(
    records.map(async ({ record }) => {
      const { base, platform, image } = record;
      return baseLink(record, {
        own:
          (await usable(servedDiffIds({ client, again, signal }, image.manifest_digest, platform))) ?? null,
        diffIdsOf: (ref, digest) => world.diffIdsOf({ ref, digest, platform }),
        now: wantsNow ? await world.digestNow({ ref: base.ref, platform }) : undefined,
      });
    }),
  );
}

/** Signed, recorded, proven, made from, standing on, allowed: in this order. */
const ORDER = ["image", "tag", "signature", "record", "evidence", "commit", "manifest", "base", "policy"];

/**
 * `factory verify`: walks from an image to its signatures, records, evidence, the manifest that it was stitched from and its
 * base, and says of each link whether it holds.
 */
export async function verify(
  context: Context,
  image: string,
  options: VerifyOptions,
): Promise<CommandResult> {
  const reference = parseReference(image);
  const { digest: wanted } = reference;
  const named = { ...reference, tag: wanted === null ? (reference.tag ?? "latest") : reference.tag };
  const [catalog, world] = await Promise.all([
    workspaceIf(context, options.policy !== undefined),
    context.world(),
  ]);
  const rules = catalog && rulesFor(catalog, named, options.policy);
  const keys = (options.key ?? []).map((key) => ({
    key: key.includes("://") ? key : resolve(context.cwd, key),
    transparencyLog: false,
  }));
  const { repository, again, signal } = await world.registries();
  const client = repository(reference);
  const verified = await verifyImage(wanted ?? named.tag ?? "latest", {
    client,
    again,
    signal,
    store: openStore(catalog?.root ?? context.cwd),
    signers: [...keys, ...(rules?.signers ?? [])],
    verify: world.verifyBundle,
    prunedHere: catalog ? prunedHere(catalog.root) : () => null,
  });
  const { records, digest } = verified;
  const isNow = catalog !== null && !options.past;
  const links = [
    ...verified.links,
    ...(await tagLinks(context, named, verified, {
      catalog,
      product: isNow ? (rules?.product ?? null) : null,
      isNow,
      locked: options.locked,
    })),
    ...(await workspaceLinks(context, catalog, records, { isNow })),
    ...(await baseLinks(context, reference, records, isNow)),
    ...(rules ? await policyLinks(context, rules, verified) : []),
  ];
  const place = ({ link }: Link) => ORDER.indexOf(link);
  links.sort((a, b) => place(a) - place(b));
  const broken = links.filter(({ status }) => status === "broken").length;
  const unchecked = links.filter(({ status }) => status === "unchecked").length;
  const { green, red, yellow } = context.color;
  const colours = { ok: green, broken: red, unchecked: yellow };
  const rows = links.map(({ link, platform = "", status, why }) => [
    link,
    platform,
    colours[status](status),
    why,
  ]);
  const ref = referenceText({ ...reference, tag: null, digest });
  return {
    text: `${table(["LINK", "PLATFORM", "STATUS", "WHY"], rows, context.columns)}\n\n${ref}: ${links.length - broken - unchecked} ok, ${broken} broken, ${unchecked} unchecked`,
    json: { image: ref, links, record_ids: records.map(({ record }) => record.record_id) },
    exitCode: broken > 0 ? 1 : 0,
  };
}

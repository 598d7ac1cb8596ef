import { rcompare, valid } from "semver";
import type { Library } from "../catalog/catalog.ts";
import { FactoryError } from "../errors.ts";
import { type ImageReference, parseReference, referenceText } from "../model/image-reference.ts";
import { quoted } from "../model/visible.ts";
import type { Registries } from "./fetch-library.ts";

/** The reference of an artifact by its digest: what a tag means now, or the digest that is given. @throws FactoryError REGISTRY_*, REFERENCE_INVALID */
export async function pinned(
  reference: ImageReference,
  { repository, again, signal }: Registries,
): Promise<ImageReference> {
  if (reference.digest !== null) return reference;
  const { tag } = reference;
  const text = quoted(referenceText(reference));
  if (tag === null) {
    throw new FactoryError("REFERENCE_INVALID", `${text} has neither a tag nor a digest`, {
      fix: "add the tag that is to be followed, such as `:1.0`",
    });
  }
  const digest = await again(() => repository(reference).headManifest(tag, { signal }));
  if (digest !== null) return { ...reference, digest };
  throw new FactoryError("LIBRARY_MISSING", `there is no ${text}`, {
    fix: "correct the tag, or push the library with `factory library push`",
  });
}

/** What there is of a library now. */
export interface Available {
  /** The digest that its tag means; null if it has none, or it is gone. */
  digest: string | null;
  /** The highest version among the tags that is above its own; null if there is none. */
  newer: string | null;
}

const asVersion = (tag: string): string | null => valid(/^\d+\.\d+$/.test(tag) ? `${tag}.0` : tag);

/** What a registry has of an artifact's library. @throws FactoryError REGISTRY_* */
export async function available(
  { source }: Library,
  { repository, again, signal }: Registries,
): Promise<Available> {
  const { tag, ...name } = parseReference(source.oci ?? "");
  if (tag === null) return { digest: null, newer: null };
  const client = repository(name);
  const digest = await again(() => client.headManifest(tag, { signal }));
  const own = asVersion(tag);
  if (own === null) return { digest, newer: null };
  const tags = (await again(() => client.tags({ signal }))).flatMap((one) => {
    const version = asVersion(one);
    return version !== null && !version.includes("-") && rcompare(version, own) < 0 ? [{ one, version }] : [];
  });
  const [highest] = tags.sort((a, b) => rcompare(a.version, b.version));
  return { digest, newer: highest?.one ?? null };
}

import { manifestOfRef } from "../model/parent.ts";
import type { FactoryRecord } from "../schemas/types.ts";
import type { Link } from "./proof-link.ts";

export interface BaseLinkDeps {
  /** What the layers of the record's image unpack to, lowest first; null where that cannot be told. */
  own: readonly string[] | null;
  /** The same of an image by its digest; null where nobody has it. */
  diffIdsOf: (ref: string, digest: string) => Promise<readonly string[] | null>;
  /** What the base's tag names now; null if that cannot be told, undefined if nobody wants to know. */
  now: string | null | undefined;
}

/** Whether an image stands on the base that its record names, and whether that is what the base's tag names now. */
export async function baseLink(
  { base, platform }: FactoryRecord,
  { own, diffIdsOf, now }: BaseLinkDeps,
): Promise<Link> {
  const made = (status: Link["status"], why: string): Link => ({ link: "base", platform, status, why });
  const { ref, digest } = base;
  if (ref === "scratch") return made("ok", "scratch");
  const parent = manifestOfRef(ref);
  if (parent !== null)
    return made(
      "unchecked",
      `it starts from the image of ${parent}, ${digest ?? "of unknown digest"}: verify that by itself`,
    );
  if (digest === null) return made("unchecked", `the record does not say which ${ref} it was`);
  if (typeof now === "string" && now !== digest)
    return made("broken", `${ref} is ${now} by now, and the image was built from ${digest}`);
  const layers = await diffIdsOf(ref, digest);
  if (own === null || layers === null)
    return made("unchecked", `nobody here has ${ref}@${digest}, so its layers cannot be compared`);
  if (layers.some((id, at) => own[at] !== id))
    return made("broken", `the image does not begin with the layers of ${ref}@${digest}`);
  if (now === null)
    return made("unchecked", `it stands on ${ref}@${digest}; what that tag names now is not known`);
  return made(
    "ok",
    `it stands on ${ref}@${digest}${now === undefined ? "" : ", which that tag still names"}`,
  );
}

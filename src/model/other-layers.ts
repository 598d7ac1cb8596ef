import type { Repacked } from "./inputs.ts";

/** How the files of an image are to be put into other layers, as documents and the command line say it. */
export interface OtherLayers {
  with: Repacked["with"];
  /** How large a layer may be, packed, in bytes; for docker-repack. */
  target_size: number;
  /** What the tag has behind that of the cell. */
  tag_suffix: string;
}

/**
 * Why an image in other layers is not given to others; null if it is.
 * @param saving the share of packed bytes that it saves; below 0 where it is larger
 * @param least what a policy asks for
 */
export function tooLittle(saving: number, least: number): string | null {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  if (saving >= least) return null;
  const asked = least > 0 ? `the policy asks for ${percent(least)}` : "a larger one is not published";
  return saving < 0
    ? `it is ${percent(-saving)} larger, and ${asked}`
    : `it saves ${percent(saving)}, and ${asked}`;
}

/** @param kept_back what `tooLittle` says */
export const notPushed = (kept_back: string): string => `not pushed: ${kept_back}`;

/** What is taken where nobody says anything else. */
export const OTHER_LAYERS = { target_size: "50MB", tag_suffix: "-repacked" } as const;

/** The image that other layers are made from. */
export interface OriginalImage {
  record_id: string;
  image: { digest: string; manifest_digest: string };
}

/**
 * What ties an image in other layers to the one that they were made from. It is part of the verdict key of its record: whatever can
 * change the layers is in it, and what cannot is not.
 * @param how.version of docker-repack; null for BuildKit, whose layers have the same files in any version
 */
export function tieTo(
  { record_id, image: { digest, manifest_digest } }: OriginalImage,
  how: Pick<OtherLayers, "with" | "target_size"> & { version: string | null },
): Repacked {
  const tie = { record_id, digest, manifest_digest, with: how.with };
  if (how.with === "zstd") return tie;
  return { ...tie, target_size: how.target_size, ...(how.version !== null && { version: how.version }) };
}

/** Whether an image that is tied so was made from this one, in the way that is asked for, whatever version of a program did it. */
export function isTiedTo(
  tie: Repacked,
  original: OriginalImage,
  how: Pick<OtherLayers, "with" | "target_size">,
): boolean {
  const asked = tieTo(original, { ...how, version: tie.version ?? null });
  return (Object.keys({ ...tie, ...asked }) as (keyof Repacked)[]).every((name) => tie[name] === asked[name]);
}

/** One step from an image's digest to what it was made of. */
export interface Link {
  /** `image`, `tag`, `signature`, `record`, `evidence`, `commit`, `manifest`, `base` or `policy`. */
  link: string;
  /** Missing where it is about the image as a whole. */
  platform?: string;
  status: "ok" | "broken" | "unchecked";
  why: string;
}

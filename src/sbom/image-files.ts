import type { ImagePath } from "./paths.ts";

/** The kept files of an image, as a container would see them. */
export interface ImageFiles {
  /** The paths of the kept files, sorted; each names the file itself, not a symlink to it. */
  paths: ImagePath[];
  /** The paths of all symlinks, sorted. */
  links: ImagePath[];
  /** The bytes at a path, following symlinks within the image; null if nothing was kept. */
  read: (path: ImagePath) => Buffer | null;
  /** Where a path leads after all symlinks; null if they loop. */
  resolve: (path: ImagePath) => ImagePath | null;
  /** Targets of interesting hard links that were not kept. */
  missing: ImagePath[];
}

import type { ImagePath } from "./paths.ts";

/** What a file had in it from some layer on. */
export interface Content {
  bytes: Buffer;
  /** The place of that layer, from 0. */
  layer: number;
}

/** The kept files of an image, as a container would see them. */
export interface ImageFiles {
  /** The paths of the kept files but programs, sorted; each names the file itself, not a symlink to it. */
  paths: ImagePath[];
  /** The paths of the programs of which something was kept (`programIn`), sorted. */
  programs: ImagePath[];
  /** The paths of all symlinks, sorted. */
  links: ImagePath[];
  /** The bytes at a path, following symlinks within the image; null if nothing was kept. */
  read: (path: ImagePath) => Buffer | null;
  /**
   * The contents that the file at a path has had since it is there, oldest first: one where no layer changed it. Empty if
   * nothing was kept.
   */
  contents: (path: ImagePath) => readonly Content[];
  /** Where a path leads after all symlinks; null if they loop. */
  resolve: (path: ImagePath) => ImagePath | null;
  /** Targets of interesting hard links that were not kept. */
  missing: ImagePath[];
}

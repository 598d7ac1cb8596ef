import type { ImageFiles } from "./image-files.ts";
import type { Notes } from "./notes.ts";
import type { Pace } from "./pace.ts";
import type { OperatingSystem, Package } from "./package.ts";
import type { ImagePath } from "./paths.ts";

/** How much of a file is kept, and what happens to a larger one. */
export interface Interest {
  /** bytes */
  limit: number;
  /** `fail`: the inventory would be wrong without it. `skip`: left out, with a warning. `cut`: its head says all. */
  beyond: "fail" | "skip" | "cut";
  /**
   * The part that is kept: `head` ends before the first empty line; `paths` are the lines that name a file which is itself
   * of interest, or a program; `program` is what its compiler says of it (`Program`), read as it goes by. Default: all of it.
   */
  part?: "head" | "paths" | "program";
  /**
   * What is kept in the place of the bytes; null for nothing. Whatever the bytes are, it neither throws nor keeps more than
   * it needs.
   */
  reduce?: (bytes: Buffer, about: Reducing) => Buffer | null | Promise<Buffer | null>;
}

/** What a reduction may use beside the bytes. */
export interface Reducing {
  path: ImagePath;
  notes: Notes;
  /** Whether a file is of interest itself, or may be a program. */
  matters: (path: ImagePath) => boolean;
}

/** What a cataloger may use beside the files. */
export interface About {
  os: OperatingSystem | null;
  notes: Notes;
  pace: Pace;
}

/** One kind of package: which files show its packages, and how they are read. */
export interface Cataloger {
  /**
   * What to keep of the file at a path; null if this cataloger does not need it. It is called for every entry of every
   * layer, so it looks at the name first.
   * @param base the last part of the path
   */
  wants: (path: ImagePath, base: string) => Interest | null;
  /** Raised whenever `wants` changes: then layers that were cached before are read again. */
  shape: number;
  /** The packages, in any order. @throws FactoryError INTERRUPTED */
  catalog: (files: ImageFiles, about: About) => Promise<Package[]>;
  /** Files of interest that these packages brought along, each with the purl of its package. */
  owned?: (files: ImageFiles, packages: readonly Package[], pace: Pace) => Promise<Map<ImagePath, string>>;
}

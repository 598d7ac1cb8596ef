/** Where BuildKit keeps caches: each prefix of a chain on each platform has a ref of its own there. */
export type CachePlace =
  | { type: "registry"; repository: string }
  /** The cache of GitHub Actions; a ref is a scope. */
  | { type: "gha" }
  | {
      type: "s3";
      bucket: string;
      region: string;
      /** What the names of all objects begin with: empty, or with `/` at its end. */
      prefix: string;
      /** null for Amazon's own. */
      endpoint_url: string | null;
      use_path_style: boolean;
    }
  /** A folder of the workspace, from its root; a ref is a folder in there. */
  | { type: "local"; folder: string };

/** When a cache is written: by every run, or only by those that push. */
export type CacheWrite = "always" | "pushes";

/** The cache of a workspace. */
export interface CacheSettings {
  place: CachePlace;
  write: CacheWrite;
}

/** A cache as it is used: read, and written or not. */
export interface CacheUse {
  place: CachePlace;
  writes: boolean;
}

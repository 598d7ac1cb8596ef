import type { CacheSettings } from "../model/cache-place.ts";
import type { Manifest } from "../model/manifest.ts";
import type { RetryPolicy } from "../model/retries.ts";
import type { SigningSettings } from "../model/signing.ts";
import type {
  Fragment,
  LibrarySource,
  Lock,
  Plan,
  Policy,
  Pool,
  Product,
  Template,
} from "../schemas/types.ts";
import type { Place } from "../errors.ts";
import type { LibraryContent } from "./library-content.ts";
import type { Scheme } from "./schemes/scheme.ts";
import type { SecretSettings } from "../model/secret.ts";

/**
 * The place of a value in a document's file, by its path of keys: `["fragments", "core"]`. Falls back to the nearest
 * parent.
 */
export type PlaceOf = (path: readonly (string | number)[]) => Place;

/** One checked document of the workspace. */
export interface Entry<T> {
  document: T;
  /** The file's path, relative to the workspace, with `/`. */
  file: string;
  place: PlaceOf;
  /** Other documents that it takes something from: what a manifest extends. factory.yaml is not named. */
  also?: readonly string[];
}

/**
 * A fragment or template: its document, its folder (relative to the workspace, with links resolved) and the text of its
 * Dockerfile.hbs.
 */
export interface FolderEntry<T> extends Entry<T> {
  folder: string;
  /** The library that it is from; missing for the workspace's own. */
  library?: LibraryOf;
  dockerfile: { file: string; text: string };
}

/** The library that a fragment or template is from. */
export interface LibraryOf {
  name: string;
  /** The fragments in it, as they are called there. */
  fragments: readonly string[];
}

/** A library as factory.yaml declares it: its source is either a path or an artifact. */
export interface Library {
  name: string;
  source: LibrarySource;
  where: Place;
}

/** The settings of factory.yaml, with every default filled in. */
export interface Settings {
  repository: string;
  /** The build cache; null without one. */
  cache: CacheSettings | null;
  /** Base images by name. */
  bases: Readonly<Record<string, string>>;
  smoke: { memory_mb: number; pids: number; timeout_s: number };
  /** How old a passing record may be to be reused, as `30d`; null for any age. */
  max_age: string | null;
  /** `oci://HOST/REPOSITORY`, through which machines share records; null if they do not. */
  records_remote: string | null;
  /** What signs the proof of images; null if nothing does. */
  signing: SigningSettings | null;
  /** What is done about failures that may pass by themselves. */
  retries: RetryPolicy;
}

/**
 * The workspace's documents. Each is read when it is first asked for, and then kept. Ids and versions are checked before
 * they become part of a path. Lists are sorted: ids by code unit, versions by their scheme, lowest first.
 * Each getter throws a FactoryError that carries all findings of the one document.
 */
export interface Catalog {
  /** Absolute, real path of the workspace. */
  root: string;
  /** Called once a second with what is being read, if that takes long. */
  onProgress?: (text: string) => void;
  settings: () => Settings;
  /** Where secrets come from: factory.yaml and factory.local.yaml. */
  secrets: () => SecretSettings;
  /** The libraries that factory.yaml declares, sorted by name. */
  libraries: () => readonly Library[];
  /** What a library holds now. @throws FactoryError LIBRARY_*, FILE_* */
  libraryContent: (library: Library) => LibraryContent;
  /** factory.lock; null if there is none. */
  lock: () => Entry<Lock> | null;
  manifestIds: () => string[];
  /** Whether a manifest is only there to be extended. @throws FactoryError UNKNOWN_MANIFEST */
  isAbstract: (manifestId: string) => boolean;
  /** The ids of all others. */
  imageIds: () => string[];
  planIds: () => string[];
  policyIds: () => string[];
  poolIds: () => string[];
  productIds: () => string[];
  fragmentNames: () => string[];
  fragmentVersions: (name: string) => string[];
  /** How the versions of a fragment are compared; semver for one that does not exist. */
  fragmentScheme: (name: string) => Scheme;
  templateIds: () => string[];
  templateVersions: (id: string) => string[];
  /** @throws FactoryError UNKNOWN_MANIFEST with a "did you mean"; MANIFEST_ABSTRACT */
  manifest: (id: string) => Entry<Manifest>;
  /** @throws FactoryError UNKNOWN_PLAN with a "did you mean" */
  plan: (id: string) => Entry<Plan>;
  /** @throws FactoryError UNKNOWN_POLICY with a "did you mean" */
  policy: (id: string) => Entry<Policy>;
  /** @throws FactoryError UNKNOWN_POOL with a "did you mean" */
  pool: (id: string) => Entry<Pool>;
  product: (id: string) => Entry<Product>;
  /** @throws FactoryError UNKNOWN_FRAGMENT with a "did you mean" */
  fragment: (name: string, version: string) => FolderEntry<Fragment>;
  /** @throws FactoryError UNKNOWN_TEMPLATE with a "did you mean" */
  template: (id: string, version: string) => FolderEntry<Template>;
}

/** How the versions of a fragment are written, compared and ranged over. */
export interface Scheme {
  name: "semver" | "pep440" | "calver" | "opaque";
  /** Whether a text, which has the form that folders may have, is a version. */
  isVersion: (text: string) => boolean;
  /** Whether a text is a version or a range. */
  isRange: (text: string) => boolean;
  /** Below 0 if `a` is earlier than `b`; 0 if neither is. */
  compare: (a: string, b: string) => number;
  /**
   * Whether a version is in a range; false for an invalid one.
   * @param prereleases whether pre-releases count like any other version. If not, they count if the range names one
   */
  satisfies: (version: string, range: string, prereleases?: boolean) => boolean;
  isRelease: (version: string) => boolean;
  /** What versions have in common that differ in less than their minor version; null if there is no such thing. */
  minorOf: ((version: string) => string) | null;
  /** Major, minor and what follows, as texts: what a version leaves out is left out, unless the scheme says that it is 0. null if there is no such thing. */
  partsOf: ((version: string) => readonly string[]) | null;
  /** Such as `~0.1` or `">=0.1 <0.3"`. */
  examples: string;
}

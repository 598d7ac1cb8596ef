/** How images are signed. */
export interface SigningSettings {
  /** A file, what cosign takes in its place (`awskms://…`, `env://NAME`), or `keyless`. */
  key: string;
  /** Whether signatures are also written to a transparency log, which everybody can read. */
  transparencyLog: boolean;
}

/** In place of a key: the identity of a CI job. */
export const KEYLESS = "keyless";

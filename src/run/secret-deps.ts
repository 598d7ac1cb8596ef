import type { Mask } from "../model/mask.ts";
import type { DeclaredSource, Obtained, SecretKind, SecretSettings } from "../model/secret.ts";

/** What obtaining secrets asks of the world. */
export interface SecretDeps {
  settings: () => SecretSettings;
  /** @param name for messages @throws FactoryError SECRET_MISSING, FILE_OUTSIDE, INTERRUPTED */
  obtain: (kind: SecretKind, name: string, declared: DeclaredSource) => Promise<Obtained>;
  /** Whether a variable of the environment has a value. */
  isSet: (variable: string) => boolean;
  mask: Mask;
  /** A line for people. */
  note: (text: string) => void;
}

import type { Place } from "../errors.ts";
import type { SecretSource } from "../schemas/types.ts";

/** `secret`: a value, as `RUN --mount=type=secret` gets it; `ssh`: an agent or a key, as `RUN --mount=type=ssh` does. */
export type SecretKind = "secret" | "ssh";

/** A secret that a Dockerfile uses, and who asks for it. */
export interface SecretNeed {
  readonly kind: SecretKind;
  readonly id: string;
  /** Whether a step gets it as the value of an environment variable. */
  readonly asVariable: boolean;
  /** The documents that ask for it, as `core@0.1.0`, sorted. */
  readonly by: readonly string[];
}

/** Where a value comes from, as a document of the workspace says it. */
export interface DeclaredSource {
  source: SecretSource;
  /** Names of the fragments and templates that may ask for it; null for all of the workspace's own. */
  only: readonly string[] | null;
  /** Whether a relative path in it may lead out of the workspace. */
  mayLeave: boolean;
  where: Place;
}

/** Where all values come from: factory.yaml, with the entries of factory.local.yaml in place of its own. */
export interface SecretSettings {
  secrets: Readonly<Record<string, DeclaredSource>>;
  ssh: Readonly<Record<string, DeclaredSource>>;
  network: Readonly<Partial<Record<NetworkName, DeclaredSource>>>;
}

/** What a step needs to reach the network. */
export type NetworkName = "http" | "https" | "no" | "ca";

/** The variable from which a bake file takes the value of a secret. */
export function secretVariable(id: string): string {
  return `FACTORY_SECRET_${id}`;
}

/** A value as it was obtained. */
export interface Obtained {
  /** The value; "" for the socket of an agent. */
  value: string;
  /** The real path of the file that BuildKit's client has to read itself; null where it gets the value. */
  path: string | null;
}

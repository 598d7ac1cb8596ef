import type { DeclaredSource, NetworkName, SecretSettings } from "../model/secret.ts";
import type { GuardedSource, Local } from "../schemas/types.ts";
import type { Entry } from "./catalog.ts";

/** The file beside factory.yaml that belongs to one machine. */
export const LOCAL_FILE = "factory.local.yaml";

type Document = Pick<Local, "secrets" | "ssh" | "network">;

function declared(
  { for: only, ...source }: GuardedSource,
  { file, place }: Entry<Document>,
  path: readonly string[],
): DeclaredSource {
  return { source, only: only ?? null, mayLeave: file === LOCAL_FILE, where: place(path) };
}

function declaredIn(
  field: "secrets" | "ssh",
  documents: readonly Entry<Document>[],
): Record<string, DeclaredSource> {
  const all: Record<string, DeclaredSource> = {};
  for (const entry of documents) {
    for (const [id, source] of Object.entries(entry.document[field] ?? {})) {
      const one = declared(source, entry, [field, id]);
      // Who may ask for it is for everyone to see: another source does not open it to more.
      all[id] = { ...one, only: one.only ?? all[id]?.only ?? null };
    }
  }
  return all;
}

/** What these documents say: a later one replaces what an earlier one says of the same id or name. */
export function secretSettings(documents: readonly Entry<Document>[]): SecretSettings {
  const network: Partial<Record<NetworkName, DeclaredSource>> = {};
  for (const entry of documents) {
    const { proxy = {}, ca } = entry.document.network ?? {};
    for (const name of ["http", "https", "no"] as const) {
      const source = proxy[name];
      if (source) network[name] = declared(source, entry, ["network", "proxy", name]);
    }
    if (ca) network.ca = declared(ca, entry, ["network", "ca"]);
  }
  return {
    secrets: declaredIn("secrets", documents),
    ssh: declaredIn("ssh", documents),
    network,
  };
}

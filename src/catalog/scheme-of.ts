import type { Fragment } from "../schemas/types.ts";
import { FactoryError } from "../errors.ts";
import { quoted } from "../model/visible.ts";
import { loadDocument, type Loaded } from "./document.ts";
import { hasVersionForm } from "./names.ts";
import { listFolder, readText } from "./read.ts";
import { type Scheme, SCHEMES } from "./schemes/schemes.ts";

/** What can be read; nothing if it cannot: whoever needs the version says what is wrong with it. */
function ifReadable<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof FactoryError) return [];
    throw error;
  }
}

function versionFolders(root: string, folder: string): string[] {
  const items = ifReadable(() => listFolder(root, folder));
  return items.flatMap((item) => (item.kind === "folder" && hasVersionForm(item.name) ? [item.name] : []));
}

/** The contract of the fragment's first version, by code unit, that can be read. */
function firstContract(root: string, folder: string): { file: string; text: string } | undefined {
  for (const version of versionFolders(root, folder)) {
    const file = `${folder}/${version}/fragment.yaml`;
    const [text] = ifReadable(() => [readText(root, file)]);
    if (text !== undefined) return { file, text };
  }
  return undefined;
}

/**
 * The scheme of a fragment's versions: what the first of them says, since all have to say the same. Most say nothing, and
 * then nothing is parsed.
 * @param folder of a fragment that exists
 */
export function schemeOf(root: string, folder: string): Scheme {
  const contract = firstContract(root, folder);
  if (!contract?.text.includes("scheme")) return SCHEMES.semver;
  const { scheme } = loadDocument("fragment", root, contract.file, {}).sound;
  return SCHEMES[scheme ?? "semver"];
}

/** A version of a fragment, with a finding if it has another scheme than the others. */
export function withOneScheme<L extends Loaded<unknown>>(loaded: L, scheme: Scheme): L {
  const own = (loaded.sound as Loaded<Fragment>["sound"]).scheme ?? "semver";
  const couldBeRead = Object.keys(loaded.sound as object).length > 0;
  if (own === scheme.name || !couldBeRead) return loaded;
  return {
    ...loaded,
    entry: undefined,
    findings: [
      ...loaded.findings,
      {
        code: "SCHEME_MIXED",
        what: `its versions are ${own}, but another version of this fragment says ${quoted(scheme.name)}`,
        where: loaded.place(["scheme"]),
        fix: `say \`scheme: ${scheme.name}\` in all of its versions, or the other one in all of them`,
      },
    ],
  };
}

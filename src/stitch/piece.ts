import type { Catalog, FolderEntry } from "../catalog/catalog.ts";
import { canonicalJson, digestOf, sha256 } from "../model/digest.ts";
import type { Fragment, Value } from "../schemas/types.ts";
import type { ContextFile } from "./files.ts";
import { type Body, fragmentBody } from "./fragment-body.ts";
import { testsJson } from "./keys.ts";
import { quotedValue } from "./labels.ts";
import { keep, numberTexts, ofCatalog } from "./memo.ts";
import { linked, type Named } from "./prefixes.ts";

/** What a fragment gives to an image's keys. */
export interface Share {
  /** The fragment as records name it, with the digest of all that it gives to the image. */
  named: Named;
  /** Its files as canonical JSON, without the brackets. */
  filesJson: string;
}

/** A fragment with the values of its arguments: the same piece in each cell that chooses them. Never changed. */
export interface Piece {
  readonly entry: FolderEntry<Fragment>;
  /** Its folder, with a `/` at the end. */
  readonly folder: string;
  readonly args: Readonly<Record<string, Value>>;
  /** Numbers that stand for its values; for its name and slot, with a body that holds something, and with one that does not. */
  readonly valuesNumber: number;
  readonly filledNumber: number;
  readonly emptyNumber: number;
  /** `core@0.1.0`, as it stands between a label's quotes. */
  readonly label: string;
  /** @throws FactoryError TEMPLATE_*, ARG_UNDECLARED, ARG_UNSAFE, FILE_* */
  readonly body: () => Body;
  /**
   * What it gives to the keys.
   * @param keepsModes whether permission bits of files can reach the image
   */
  readonly share: (keepsModes: boolean) => Share;
  /** Its tests as canonical JSON, without the brackets, and a number that stands for them; 0 where there is none. */
  readonly tests: () => { json: string; number: number };
}

/** A function that is called until it gives something: that is kept. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Digest of what a fragment gives to an image: its contract without tests and texts, its Dockerfile.hbs, its files. */
function fragmentDigest(
  { document, dockerfile }: FolderEntry<Fragment>,
  files: readonly ContextFile[],
): string {
  const { name, version, args, requires, conflicts, platforms } = document;
  return digestOf({
    scheme: "factory/fragment/1",
    name,
    version,
    args: args ?? {},
    requires: requires ?? {},
    conflicts: conflicts ?? {},
    platforms: platforms ?? null,
    dockerfile: sha256(dockerfile.text),
    files,
  });
}

function makeShare(
  catalog: Catalog,
  entry: FolderEntry<Fragment>,
  args: Readonly<Record<string, Value>>,
  files: readonly ContextFile[],
): Share {
  const { name, version } = entry.document;
  const named = linked(catalog, { name, version, digest: fragmentDigest(entry, files) }, args);
  return { named, filesJson: files.map((file) => canonicalJson(file)).join(",") };
}

function makePiece(
  catalog: Catalog,
  entry: FolderEntry<Fragment>,
  args: Readonly<Record<string, Value>>,
  argsKey: string,
): Piece {
  const { numberOf } = numbersOf(catalog);
  const { name, version, slot = name, smoke } = entry.document;
  const body = once(() => fragmentBody(catalog, entry, args));
  const withModes = once(() => makeShare(catalog, entry, args, body().files));
  const withoutModes = once(() =>
    makeShare(
      catalog,
      entry,
      args,
      body().files.map((one) => ({ ...one, mode: null })),
    ),
  );
  return {
    entry,
    folder: `${entry.folder}/`,
    args: Object.freeze(args),
    valuesNumber: numberOf(argsKey),
    filledNumber: numberOf(`+${name}/${slot}`),
    emptyNumber: numberOf(`-${name}/${slot}`),
    label: quotedValue(`${name}@${version}`),
    body,
    share: (keepsModes) => (keepsModes ? withModes() : withoutModes()),
    tests: once(() => {
      const json = testsJson(name, smoke);
      return { json, number: json === "" ? 0 : numberOf(json) };
    }),
  };
}

const numbersOf = ofCatalog(numberTexts);
const piecesOf = ofCatalog(() => new WeakMap<FolderEntry<Fragment>, Map<string, Piece>>());

/**
 * The piece of a fragment and its values. Nothing is rendered or read yet.
 * @param args checked, in the order of their declarations
 */
export function pieceOf(
  catalog: Catalog,
  entry: FolderEntry<Fragment>,
  args: Readonly<Record<string, Value>>,
): Piece {
  const pieces = piecesOf(catalog);
  let ofEntry = pieces.get(entry);
  if (!ofEntry) pieces.set(entry, (ofEntry = new Map<string, Piece>()));
  const argsKey = JSON.stringify(args);
  return keep(ofEntry, argsKey, () => makePiece(catalog, entry, { ...args }, argsKey));
}

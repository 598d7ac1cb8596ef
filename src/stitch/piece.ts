import type { Catalog, FolderEntry } from "../catalog/catalog.ts";
import { canonicalJson, digestOf, sha256 } from "../model/digest.ts";
import { listJson } from "../model/inputs.ts";
import { declaredTests, hashedTests } from "../model/suite.ts";
import type { Fragment, Value } from "../schemas/types.ts";
import { type Body, fragmentBody } from "./fragment-body.ts";
import { keep, ofCatalog } from "./memo.ts";
import { scriptHashes } from "./scripts.ts";
import type { DeclaredSource } from "./source.ts";

type Values = Readonly<Record<string, Value>>;

/** A fragment as records name it, with the digest of everything that it adds to the image. */
export type FragmentDigest = Readonly<{ name: string; version: string; digest: string }>;

/** A fragment with the values of its arguments: the same piece in each cell that chooses them. Never changed. */
export interface Piece {
  readonly entry: FolderEntry<Fragment>;
  /** Its folder, with a `/` at the end. */
  readonly folder: string;
  readonly args: Values;
  /** Its name and values as one text. */
  readonly argsKey: string;
  /** `core@0.1.0` */
  readonly label: string;
  /** The template's slot that it fills. */
  readonly slot: string;
  /** Its stage's name and slot, which are unique within a template, and what it starts from. */
  readonly stage: string;
  /** Name, version and values as canonical JSON: a link of prefixes. @throws FactoryError as body does */
  readonly linkJson: () => string;
  /** Its tests as canonical JSON, without the brackets. @throws FactoryError FILE_* for a script */
  readonly testsJson: () => string;
  /** @throws FactoryError TEMPLATE_*, ARG_UNDECLARED, ARG_UNSAFE, FILE_*, IMAGE_UNCLEAR, SOURCE_*, COPY_UNDECLARED */
  readonly body: () => Body;
  readonly digest: () => FragmentDigest;
  /** Its files as canonical JSON, without the brackets. */
  readonly filesJson: () => string;
}

/** Calls a function until it succeeds, and keeps the result. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Digest of what a fragment adds to an image: its contract without tests and texts, its Dockerfile.hbs, its files. */
function fragmentDigest({ document, dockerfile }: FolderEntry<Fragment>, { files }: Body): FragmentDigest {
  const { name, version, scheme, from, args, requires, conflicts, platforms, bases, reuse, secrets, ssh } =
    document;
  const digest = digestOf({
    scheme: "factory/fragment/2",
    name,
    version,
    args: args ?? {},
    requires: requires ?? {},
    conflicts: conflicts ?? {},
    platforms: platforms ?? null,
    reuse: reuse ?? null,
    ...(bases && { bases }),
    ...(secrets && { secrets }),
    ...(ssh && { ssh }),
    ...(scheme && { versions: scheme }),
    ...(from && { from }),
    dockerfile: sha256(dockerfile.text),
    files,
  });
  return Object.freeze({ name, version, digest });
}

function makePiece(
  catalog: Catalog,
  entry: FolderEntry<Fragment>,
  { args, argsJson, sources }: { args: Values; argsJson: string; sources: readonly DeclaredSource[] },
): Piece {
  const { name, version, slot = name, from, smoke } = entry.document;
  const body = once(() => fragmentBody(catalog, entry, args, sources));
  return {
    entry,
    folder: `${entry.folder}/`,
    args: Object.freeze(args),
    argsKey: `${name} ${argsJson}`,
    label: `${name}@${version}`,
    slot,
    stage: `${name}/${slot}${from === undefined ? "" : ` ${from}`}`,
    linkJson: once(() => {
      // A value without a JSON form is refused when it is rendered, with its place.
      body();
      return canonicalJson({ name, version, args });
    }),
    testsJson: once(() =>
      listJson(
        hashedTests(declaredTests(name, smoke, entry.folder), scriptHashes(catalog, entry, entry.folder)),
      ),
    ),
    body,
    digest: once(() => fragmentDigest(entry, body())),
    filesJson: once(() => listJson(body().files)),
  };
}

const piecesOf = ofCatalog(() => new Map<FolderEntry<Fragment>, Map<string, Piece>>());

/**
 * The piece of a fragment, its values and its sources. Nothing is rendered or read yet.
 * @param args checked, in the order of their declarations
 */
export function pieceOf(
  catalog: Catalog,
  entry: FolderEntry<Fragment>,
  args: Values,
  sources: readonly DeclaredSource[] = [],
): Piece {
  const ofEntry = keep(piecesOf(catalog), entry, () => new Map<string, Piece>());
  const argsJson = JSON.stringify(args);
  const key = sources.length === 0 ? argsJson : `${argsJson} ${JSON.stringify(sources)}`;
  return keep(ofEntry, key, () => makePiece(catalog, entry, { args: { ...args }, argsJson, sources }));
}

import { canonicalJson, sha256Hex } from "../model/digest.ts";
import type { Piece } from "./piece.ts";

/** A beginning of the chain that ends in a fragment: `--target` builds the image up to it. */
export interface Prefix {
  fragment: string;
  version: string;
  /**
   * 12 hex digits that name the work up to here, for cache refs and prefix targets: over the base's reference and the
   * names, versions and arguments of the chain. They name, they do not prove: BuildKit itself compares contents.
   */
  id: string;
}

/** Pieces in a row on a base. Cells that begin in the same way share the beginnings of their chains, and what was made of them. */
export interface Chain {
  /** All its beginnings, shortest first. */
  readonly prefixes: readonly Prefix[];
  behind?: Map<Piece, Chain>;
  /** The base and the links of the chain as the start of canonical JSON. */
  readonly json: string;
}

/**
 * The empty chain on a base.
 * @param builders the links of the builders that its stages may copy from, as canonical JSON
 */
export function emptyChain(base: string, builders: readonly string[] = []): Chain {
  const before = builders.length === 0 ? "" : `,"builders":[${builders.join(",")}]`;
  return { prefixes: [], json: `{"base":${canonicalJson(base)}${before},"chain":[` };
}

/** A chain with one more piece. */
function lengthen(chain: Chain, piece: Piece): Chain {
  const known = chain.behind?.get(piece);
  if (known) return known;
  const json = `${chain.json}${chain.prefixes.length === 0 ? "" : ","}${piece.linkJson()}`;
  const { name: fragment, version } = piece.entry.document;
  const id = sha256Hex(`${json}],"scheme":"factory/prefix/1"}`).slice(0, 12);
  const prefix = Object.freeze({ fragment, version, id });
  const made: Chain = { prefixes: Object.freeze([...chain.prefixes, prefix]), json };
  (chain.behind ??= new Map<Piece, Chain>()).set(piece, made);
  return made;
}

/** The chain of all the pieces. */
export function chainOf(start: Chain, pieces: readonly Piece[]): Chain {
  return pieces.reduce(lengthen, start);
}

import type { Catalog } from "../catalog/catalog.ts";
import { canonicalJson } from "../model/digest.ts";
import type { Value } from "../schemas/types.ts";
import { joinPrefixId } from "./keys.ts";
import { keep, ofCatalog } from "./memo.ts";

/** A fragment's place in the chain: `--target` builds the image up to it. */
export interface Prefix {
  fragment: string;
  version: string;
  /** 12 hex digits that name the chain up to here (see prefixId). */
  id: string;
}

/** A fragment as records name it, with the digest of all that it gives to the image. */
export type Named = Readonly<{ name: string; version: string; digest: string }>;

/** A chain, with a number that tells it apart from every other one. */
interface Step {
  number: number;
  prefix: Prefix;
}

/** Chains by the number of their beginning and that of their last link. */
type Steps = Map<string, Step>;

/** A link of chains. */
interface Link {
  /** Name, version and values of the fragment as canonical JSON. */
  json: string;
  number: number;
  steps: Steps;
}

/** Chains that are kept at once. What is emitted asks for those of all cells, again and again. */
const LIMIT = 200_000;

const stepsOf = ofCatalog((): Steps => new Map());
const links = new WeakMap<Named, Link>();
let count = 0;

/** The fragment, known with its values: chains can be made of it. */
export function linked(catalog: Catalog, named: Named, args: Readonly<Record<string, Value>>): Named {
  const { name, version } = named;
  const json = canonicalJson({ name, version, args });
  links.set(named, { json, number: (count += 1), steps: stepsOf(catalog) });
  return Object.freeze(named);
}

/** Each beginning of a chain, shortest first. */
function prefixesOf(ref: string, chain: readonly Named[]): Prefix[] {
  const refJson = canonicalJson(ref);
  let beginning = refJson;
  let chainJson = "";
  return chain.map((named) => {
    const { json, number, steps } = links.get(named) as Link;
    chainJson += chainJson === "" ? json : `,${json}`;
    const make = (): Step => {
      const id = joinPrefixId(refJson, chainJson);
      const prefix = Object.freeze({ fragment: named.name, version: named.version, id });
      return { number: (count += 1), prefix };
    };
    const step = keep(steps, `${beginning},${number}`, make, LIMIT);
    beginning = String(step.number);
    return step.prefix;
  });
}

interface Chain {
  base: Readonly<{ ref: string }>;
  fragments: readonly Named[];
}

/** The object with the prefixes of its linked fragments. They are shared: a chain of the same links has the same ones. */
export function withPrefixes<T extends Chain>(keys: T): T & { readonly prefixes: Prefix[] } {
  return Object.assign(keys, { prefixes: prefixesOf(keys.base.ref, keys.fragments) });
}

import { type Carried, writeStep } from "./carry.ts";
import { freeName, idOf } from "./ids.ts";
import { type Atom, isWork, type Segment } from "./share.ts";

/** A fragment that is proposed. */
export interface Proposed {
  name: string;
  summary: string;
  order: number;
  slot: "builders" | "steps";
  /** The image that a builder starts from. */
  from?: string;
  /** The text of its Dockerfile.hbs. */
  body: string;
  /** Its arguments; without a default, each manifest gives a value. */
  args: readonly { name: string; default?: string }[];
  /** Values that manifests give, by the manifest's id and the argument's name. */
  values: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readsContext: boolean;
  secrets: readonly string[];
  ssh: readonly string[];
  /** What it takes from outside that nothing pins. */
  open: readonly string[];
}

/** What a fragment is made of. */
interface Made {
  name: string;
  order: number;
  slot: Proposed["slot"];
  from?: string;
  members: readonly { id: string; steps: readonly Carried[] }[];
}

const RESERVED = new Set(["base", "image", "scratch", "context", "platform"]);

/** A name for a fragment that starts with a letter and is not taken yet. */
export function fragmentName(wanted: string, taken: Set<string>): string {
  const id = idOf(wanted) || "steps";
  const name = freeName(/^[a-z]/.test(id) ? id : `image-${id}`, new Set([...taken, ...RESERVED]));
  taken.add(name);
  return name;
}

/** The words that ids have in common, without numbers in front. */
export function commonWords(ids: readonly string[]): string {
  const each = ids.map((id) => id.split("-"));
  const [first = [], ...rest] = each;
  const words = first.filter((word) => rest.every((one) => one.includes(word)));
  return (ids.length === 1 ? first : words.slice(words.findIndex((word) => /^[a-z]/.test(word)))).join("-");
}

/** The parts of a last segment: what is there before its own files come, those files, and how it starts. */
function parts(atoms: readonly Atom[]): { suffix: string; from: number; to: number }[] {
  const work = atoms.findLastIndex(isWork) + 1;
  const files = atoms.findIndex(({ steps }) => steps.some(({ reads }) => reads));
  const app = files < 0 || files > work ? work : files;
  return [
    { suffix: "system", from: 0, to: app },
    { suffix: "files", from: app, to: work },
    { suffix: "start", from: work, to: atoms.length },
  ].filter(({ from, to }) => to > from);
}

/** Cuts a segment where a fragment may end, and where a stage of the original starts. */
export function cutSegment({ members, isLast }: Segment): { suffix: string; from: number; to: number }[] {
  const atoms = members[0]?.atoms ?? [];
  const cuts = isLast ? parts(atoms) : [{ suffix: "", from: 0, to: atoms.length }];
  return cuts.flatMap(({ suffix, from, to }) => {
    const seams = atoms.flatMap(({ opens }, at) => (opens && at > from && at < to ? [at] : []));
    return [from, ...seams].map((start, at) => ({ suffix, from: start, to: seams[at] ?? to }));
  });
}

const TYPED = /^(version|hash|number|port)$/;

/** Proposes a fragment: its text is that of the first member, with an argument wherever members differ. */
export function propose({ name, order, slot, from, members }: Made): Proposed {
  const first = members[0]?.steps ?? [];
  const args: { name: string; default?: string }[] = [];
  const values = new Map<string, Record<string, string>>(members.map(({ id }) => [id, {}]));
  const known = new Map<string, string>();
  const used = new Set<string>();
  const argOf = (at: number, hole: number): string | undefined => {
    const own = first[at]?.holes[hole];
    if (!own) return undefined;
    const each = members.map(({ steps }) => steps[at]?.holes[hole]?.value ?? "");
    const isSame = each.every((value) => value === each[0]);
    if (isSame && !own.isDefault) return undefined;
    // A version that follows another one is the same argument; two variables are two, even if they are equal.
    const tuple = JSON.stringify(each);
    const isNamed = !TYPED.test(own.name);
    const key = isNamed ? `${own.name} ${tuple}` : tuple;
    const there = known.get(key);
    if (there !== undefined) return there;
    const arg = freeName(own.name, used).replaceAll("-", "_");
    used.add(freeName(own.name, used));
    known.set(key, arg);
    if (!known.has(tuple)) known.set(tuple, arg);
    args.push({ name: arg, ...(isSame && { default: each[0] ?? "" }) });
    if (!isSame)
      for (const [place, { id }] of members.entries()) (values.get(id) ?? {})[arg] = each[place] ?? "";
    return arg;
  };
  const body = first.map((step, at) => writeStep(step, (hole) => argOf(at, hole))).join("\n");
  const ids = members.map(({ id }) => id);
  return {
    name,
    summary: ids.length === 1 ? `Of ${ids[0]}` : `Shared by ${ids.length} images`,
    order,
    slot,
    ...(from !== undefined && { from }),
    body: body === "" ? "# nothing but the image that it starts from\n" : `${body}\n`,
    args,
    values,
    readsContext: first.some(({ paths }) => paths.length > 0),
    secrets: [...new Set(first.flatMap(({ secrets }) => secrets))].sort(),
    ssh: [...new Set(first.flatMap(({ ssh }) => ssh))].sort(),
    open: first.flatMap(({ open }) => open ?? []),
  };
}

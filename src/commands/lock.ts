import { join, relative } from "node:path";
import { baseKey } from "../builder/base.ts";
import { LOCK_FILE } from "../catalog/open.ts";
import { writeWhole } from "../files/write-whole.ts";
import { entriesOf, isEdited, type LockEntries, type LockValue, lockText } from "../plan/lock/lock.ts";
import { withParents } from "../plan/family.ts";
import { completeLock, keepLock, type LockChange, lockChanges, updateLock } from "../plan/lock/draft.ts";
import type { LockNeed } from "../plan/lock/needs.ts";
import type { CommandResult, Context } from "./context.ts";

interface LockOptions {
  update?: boolean;
  check?: boolean;
  /** Only what these manifests need; the rest of the lock stays as it is. */
  manifestId?: string[];
}

/** How many names a line shows. */
const NAMES = 10;

/** Characters of a digest that people compare. */
const DIGEST = "sha256:".length + 12;

function valueText({ kind }: LockChange, value: LockValue): string {
  if (typeof value !== "string") return value.join(", ");
  return kind === "base" || kind === "library" ? `${value.slice(0, DIGEST)}…` : value;
}

/** `core ~0.1: 0.1.0 → 0.1.1, touches core_smoke, llm_factory` */
function changeText(change: LockChange): string {
  const { kind, name, at, before, after, manifests } = change;
  const subject = {
    template: `template ${name} ${at}`,
    fragment: `${name} ${at}`,
    axis: `axis ${name} (${at})`,
    base: `${name} (${at})`,
    library: `library ${name} (${at})`,
  }[kind];
  if (before === null) return `${subject}: ${after === null ? "" : valueText(change, after)} (new)`;
  if (after === null) return `${subject}: ${valueText(change, before)} (no longer needed)`;
  const more = manifests.length - NAMES;
  const names = `${manifests.slice(0, NAMES).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  return `${subject}: ${valueText(change, before)} → ${valueText(change, after)}, touches ${names || "no manifest"}`;
}

function changeJson({ kind, name, at, before, after, manifests }: LockChange) {
  const field = { template: "range", fragment: "range", axis: "range", base: "platform", library: "origin" };
  return { kind, name, [field[kind]]: at, before, after, manifests };
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

function entries(count: number): string {
  return count === 1 ? "1 entry" : `${count} entries`;
}

/** Asks the builder for all bases at once. */
async function askFor(bases: readonly LockNeed[], context: Context) {
  const refs = bases.map(({ name, at }) => ({ ref: name, platform: at }));
  if (refs.length === 0) return () => undefined;
  const world = await context.world();
  const images = new Set(refs.map(({ ref }) => ref)).size;
  context.say(
    `asking the builder for ${images === 1 ? "the digest of 1 image" : `the digests of ${images} images`}`,
  );
  const answers = await world.baseDigests(refs, { pull: true, signal: context.signal });
  return (base: { ref: string; platform: string }) => answers.get(baseKey(base));
}

/** `factory lock`: writes what ranges and images resolve to to factory.lock. `--check` writes nothing and says what is out of date. */
export async function lock(
  context: Context,
  { update, check, manifestId }: LockOptions,
): Promise<CommandResult> {
  const catalog = await context.catalog({ trust: update || check ? "any" : "kept" });
  const file = join(catalog.root, LOCK_FILE);
  const path = relative(context.cwd, file);
  const { bold, green, red, yellow, dim } = context.color;

  const known = catalog.lock();
  const manifestIds = manifestId && withParents(catalog, manifestId);
  // Only some manifests: what the others need is not resolved, and stays.
  const within = (entries: LockEntries): LockEntries =>
    manifestIds ? new Map([...before, ...entries]) : entries;
  const before: LockEntries = known ? entriesOf(known.document) : new Map();
  const edited = known !== null && isEdited(known.document);
  const editedLine = edited ? [`${path} was edited by hand or merged: its lock_digest did not match`] : [];

  if (check) {
    const [kept, newest] = [keepLock(catalog, before, manifestIds), updateLock(catalog, manifestIds)];
    const answerOf = await askFor([...kept.open, ...newest.open], context);
    const [after, latest] = [within(completeLock(kept, answerOf)), within(completeLock(newest, answerOf))];
    const stale = lockChanges(before, after, kept.needs);
    const outdated = lockChanges(after, latest, newest.needs);
    const isStale = known === null || edited || stale.length > 0;
    const status = isStale ? "stale" : outdated.length > 0 ? "outdated" : "current";
    const verdict = {
      stale: `${red("stale")}: \`factory lock\` would ${known ? "change" : "write"} ${path}`,
      outdated: `${yellow("outdated")}: \`factory lock --update\` would change ${path}`,
      current: `${green("current")}: ${path}, ${entries(after.size)}`,
    }[status];
    return {
      text: [
        ...editedLine,
        ...stale.map((one) => `${red("stale")}     ${changeText(one)}`),
        ...outdated.map((one) => `${yellow("outdated")}  ${changeText(one)}`),
        verdict,
      ].join("\n"),
      json: { lock: path, changes: [...stale, ...outdated].map(changeJson), status },
      exitCode: status === "current" ? 0 : 1,
    };
  }

  const draft = update ? updateLock(catalog, manifestIds) : keepLock(catalog, before, manifestIds);
  const after = within(completeLock(draft, await askFor(draft.open, context)));
  const changes = lockChanges(before, after, draft.needs);
  const status = known !== null && !edited && changes.length === 0 ? "unchanged" : "written";
  if (status === "written") writeWhole(file, lockText(after), false);
  const counts = `${counted(changes.length, "change")}, ${entries(after.size)}`;
  return {
    text: [
      ...editedLine,
      ...changes.map(changeText),
      status === "written" ? `${bold(path)}: ${counts}` : dim(`${path}: unchanged, ${entries(after.size)}`),
    ].join("\n"),
    json: { lock: path, changes: changes.map(changeJson), status },
  };
}

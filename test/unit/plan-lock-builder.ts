import { join } from "node:path";
import { openCatalog } from "../../src/catalog/open.ts";
import {
  type LockEntries,
  type LockEntry,
  entriesOf,
  lockText,
  subjectKey,
} from "../../src/plan/lock/lock.ts";
import { type BaseAnswer, completeLock, keepLock, updateLock } from "../../src/plan/lock/draft.ts";
import { type Files, sha256, writeFiles } from "./workspace.ts";

interface Base {
  ref: string;
  platform: string;
}

/** What a builder says of bases: `day` stands for what a tag points to at some time. Remembers what it was asked. */
export function makeBuilder(day = 1, odd: Readonly<Record<string, BaseAnswer>> = {}) {
  const asked: string[] = [];
  const answerOf = ({ ref, platform }: Base): BaseAnswer => {
    asked.push(`${ref} ${platform}`);
    return odd[`${ref} ${platform}`] ?? { digest: digestOn(day, ref), pinnable: true };
  };
  return { asked, answerOf };
}

/** What a tag points to on a day. */
export function digestOn(day: number, ref: string): string {
  return `sha256:${sha256(`${ref} on day ${day}`)}`;
}

/** The lock that `factory lock` comes to, and what it asks the builder for. */
export function lockedAs(
  root: string,
  { update = false, day = 1 }: { update?: boolean; day?: number } = {},
): { entries: LockEntries; asked: string[] } {
  const catalog = openCatalog(root);
  const lock = catalog.lock();
  const builder = makeBuilder(day);
  const draft = update ? updateLock(catalog) : keepLock(catalog, lock ? entriesOf(lock.document) : new Map());
  return { entries: completeLock(draft, builder.answerOf), asked: builder.asked };
}

/** Locks a workspace as `factory lock` does. Gives the text of factory.lock. */
export function writeLock(root: string, options: { update?: boolean; day?: number } = {}): string {
  const text = lockText(lockedAs(root, options).entries);
  writeFiles(root, { "factory.lock": text });
  return text;
}

/** Changes entries of factory.lock, as if it had been written so; null takes one out. */
export function changeLock(root: string, changes: Readonly<Record<string, LockEntry["value"] | null>>): void {
  const lock = openCatalog(root).lock();
  const entries = new Map(lock ? entriesOf(lock.document) : []);
  for (const [key, value] of Object.entries(changes)) {
    const [kind, name, ...rest] = key.split(" ");
    const subject = { kind: kind as LockEntry["kind"], name: name ?? "", at: rest.join(" ") };
    if (value === null) entries.delete(subjectKey(subject));
    else entries.set(subjectKey(subject), { ...subject, value });
  }
  writeFiles(root, { "factory.lock": lockText(entries) });
}

/** Values by subject: `fragment core ~0.1`. */
export function valuesOf(entries: LockEntries): Record<string, LockEntry["value"]> {
  return Object.fromEntries([...entries].map(([key, { value }]) => [key, value]));
}

/** Files of fragment versions that do nothing. `more` is added to each fragment.yaml. */
export function fragmentFiles(name: string, order: number, versions: readonly string[], more = ""): Files {
  const files: Record<string, string> = {};
  for (const version of versions) {
    const folder = join("fragments", name, version);
    files[`${folder}/fragment.yaml`] =
      `schema_version: 1\nname: ${name}\nversion: ${version}\norder: ${order}\n${more}`;
    files[`${folder}/Dockerfile.hbs`] = `RUN ${name} ${version}\n`;
  }
  return files;
}

/** A plan over the manifest `demo`. */
export function planFile(id: string, body: string, manifest = "demo"): Files {
  return {
    [`control_plane/plans/${id}.yaml`]: `schema_version: 1\nplan_id: ${id}\nmanifest_id: ${manifest}\n${body}`,
  };
}

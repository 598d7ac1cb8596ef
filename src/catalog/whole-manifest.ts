import type { Finding } from "../errors.ts";
import type { Manifest } from "../model/manifest.ts";
import { quoted } from "../model/visible.ts";
import type { ManifestDocument, SmokeTest, Workspace } from "../schemas/types.ts";
import type { PlaceOf } from "./catalog.ts";
import { compareFindings, type Loaded } from "./document.ts";
import { unknownName } from "./references.ts";
import { missingField } from "./missing-field.ts";
import type { Sound } from "./sound.ts";
import type { Path } from "./yaml-value.ts";

/** A manifest as it is used, and the other documents that it takes something from. */
export interface WholeManifest extends Loaded<Manifest> {
  also: readonly string[];
}

/** What a whole manifest is made of, beside its own document. */
interface Others {
  settings: Loaded<Workspace>;
  /** undefined if there is no such manifest. */
  manifest: (id: string) => Loaded<ManifestDocument> | undefined;
  ids: () => readonly string[];
}

/** A document that says something of a manifest; later layers count more. */
interface Layer {
  sound: Sound<Omit<ManifestDocument, "schema_version" | "manifest_id">>;
  /** Where in its file it says that. */
  at: Path;
  place: PlaceOf;
  keyPlace: PlaceOf;
}

/** Fields that a manifest needs from somewhere. */
const NEEDED = ["template", "base", "fragments"] as const;

type Fields = Record<string, unknown>;

const isMap = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function holds(value: unknown, path: Path): boolean {
  let at = value;
  for (const step of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return false;
    at = (at as Fields)[step];
  }
  return true;
}

/** One mapping on top of another; below some of its names also what they hold. */
function onTop(under: Fields, over: Fields, isDeep: (name: string) => boolean): Fields {
  const merged = Object.assign(Object.create(null) as Fields, under);
  for (const [name, value] of Object.entries(over)) {
    const before = merged[name];
    merged[name] =
      isMap(before) && isMap(value) && isDeep(name)
        ? Object.assign(Object.create(null) as Fields, before, value)
        : value;
  }
  return merged;
}

/** The tests of all layers; one with the id of an earlier one takes its place. */
function testsOf(
  layers: readonly Layer[],
): { test: Sound<SmokeTest> | undefined; layer: Layer; index: number }[] {
  const tests: ReturnType<typeof testsOf> = [];
  for (const layer of layers) {
    const inherited = tests.length;
    for (const [index, test] of (layer.sound.smoke ?? []).entries()) {
      const same = tests.findIndex(
        (one, at) => at < inherited && one.test?.id !== undefined && one.test.id === test?.id,
      );
      if (same >= 0) tests[same] = { test, layer, index };
      else tests.push({ test, layer, index });
    }
  }
  return tests;
}

function merged(layers: readonly Layer[]): Sound<ManifestDocument> {
  const last = <K extends keyof Layer["sound"]>(field: K) =>
    layers.findLast(({ sound }) => sound[field] !== undefined)?.sound[field];
  const maps = (field: keyof Layer["sound"], isDeep: (name: string) => boolean) => {
    const own = layers.flatMap(({ sound }) => (isMap(sound[field]) ? [sound[field]] : []));
    return own.length === 0 ? undefined : own.reduce((under, over) => onTop(under, over, isDeep));
  };
  const fragments = maps("fragments", () => false);
  const tests = testsOf(layers);
  const parts = {
    template: last("template"),
    base: last("base"),
    platforms: last("platforms"),
    gpus: last("gpus"),
    fragments,
    // Below the name of a fragment are the arguments of that.
    args: maps("args", (name) => Object.hasOwn(fragments ?? {}, name)),
    sources: maps("sources", () => true),
    smoke: tests.length === 0 ? undefined : tests.map(({ test }) => test),
  };
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
}

/** The manifest that another one extends, and what is wrong with that. */
function extended(own: Loaded<ManifestDocument>, { manifest, ids }: Others) {
  const id = own.sound.extends;
  if (id === undefined) return { found: undefined, findings: [] };
  const found = manifest(id);
  const where = own.place(["extends"]);
  if (!found) {
    const finding = unknownName("UNKNOWN_MANIFEST", `there is no manifest ${quoted(id)}`, id, ids());
    return { found, findings: [{ ...finding, where }] };
  }
  const next = found.sound.extends;
  if (next === undefined) return { found, findings: found.findings };
  const finding: Finding = {
    code: "EXTENDS_NESTED",
    what: `extends ${quoted(id)}, which extends ${quoted(next)} itself`,
    where,
    fix: "extend one that stands by itself: there is only one level",
  };
  return { found: undefined, findings: [finding] };
}

/** What stands for the manifest's id in the paths of inherited sources, so that many manifests may share one declaration. */
const ID = "{manifest_id}";

/** The sources with the manifest's own id in their paths. */
function namedSources(sources: Sound<ManifestDocument>["sources"], id: string): typeof sources {
  if (!sources) return sources;
  const named = Object.entries(sources).map(([name, source]) => {
    const { path } = source ?? {};
    return [name, path?.includes(ID) ? { ...source, path: path.replaceAll(ID, id) } : source] as const;
  });
  return Object.fromEntries(named);
}

/**
 * A manifest with what it does not say itself: from the manifest that it extends, then from `defaults` of factory.yaml.
 * Fragments, arguments and sources are added one by one, tests are added, everything else is replaced. A named base becomes
 * the image that it stands for, and `{manifest_id}` in the paths of sources the id.
 */
export function wholeManifest(own: Loaded<ManifestDocument>, others: Others): WholeManifest {
  const { settings } = others;
  const { found, findings: ofExtends } = extended(own, others);
  const { defaults, bases = {} } = settings.sound;
  const layers: Layer[] = [
    ...(defaults
      ? [{ sound: defaults, at: ["defaults"], place: settings.place, keyPlace: settings.keyPlace }]
      : []),
    ...(found ? [{ ...found, at: [] }] : []),
    { ...own, at: [] },
  ];
  const tests = testsOf(layers);
  const whereIs =
    (kind: "place" | "keyPlace"): PlaceOf =>
    (path) => {
      const [field, index, ...rest] = path;
      const test = field === "smoke" && typeof index === "number" ? tests[index] : undefined;
      if (test) return test.layer[kind]([...test.layer.at, "smoke", test.index, ...rest]);
      const layer = layers.findLast(({ sound }) => holds(sound, path));
      return layer ? layer[kind]([...layer.at, ...path]) : own[kind](path);
    };
  const [place, keyPlace] = [whereIs("place"), whereIs("keyPlace")];

  const { schema_version, manifest_id, summary, planned } = own.sound;
  const sound = Object.assign(Object.create(null) as Sound<ManifestDocument>, {
    schema_version,
    manifest_id,
    ...(summary === undefined ? {} : { summary }),
    ...(planned === undefined ? {} : { planned }),
    ...merged(layers),
  });
  sound.sources = namedSources(sound.sources, manifest_id ?? "");
  if (!sound.sources) delete sound.sources;
  const findings = [...own.findings, ...ofExtends, ...settings.findings];
  // What was refused may have been what is missing: that is said first.
  if (findings.length === 0 && !own.sound.abstract)
    for (const field of NEEDED)
      if (sound[field] === undefined) findings.push(missingField("manifest", [], field, own.place([])));
  const { base } = sound;
  if (typeof base === "object" && "name" in base && base.name !== undefined) {
    const ref = Object.hasOwn(bases, base.name) ? bases[base.name] : undefined;
    if (ref === undefined) {
      const finding = unknownName(
        "UNKNOWN_BASE",
        `\`bases\` of ${settings.file} has no ${quoted(base.name)}`,
        base.name,
        Object.keys(bases),
      );
      findings.push({ ...finding, where: place(["base", "name"]) });
    } else sound.base = ref;
  }
  const also = found ? [found.file] : [];
  const whole = { file: own.file, findings: findings.sort(compareFindings), place, keyPlace, also };
  if (findings.length > 0) return { ...whole, sound: sound as Sound<Manifest> };
  const document = sound as Manifest;
  return { ...whole, sound: document, entry: { document, file: own.file, place, also } };
}

import type { Finding } from "../errors.ts";
import type { Manifest } from "../model/manifest.ts";
import { BASE_FIELDS, tagPaths, VERSION_FIELDS } from "../model/tag-template.ts";
import { quoted } from "../model/visible.ts";
import type { Plan, Product } from "../schemas/types.ts";
import type { Loaded } from "./document.ts";
import type { OpenCatalog } from "./open.ts";
import { namedAxes, unknownName } from "./references.ts";

/** What a product is about, as far as it can be read. */
interface About {
  catalog: OpenCatalog;
  product: Loaded<Product>;
  manifest: Loaded<Manifest>;
  /** The plans whose cells it publishes. */
  plans: readonly Loaded<Plan>[];
}

/** The names of a manifest's fragments that exist. */
function fragmentsOf({ catalog, manifest }: About): string[] {
  const known = new Set(catalog.fragmentNames());
  return Object.keys(manifest.sound.fragments ?? {}).filter((name) => known.has(name));
}

/** The arguments that some version of some fragment declares, alone and with the fragment's name. */
function argsOf(about: About): string[] {
  const { catalog } = about;
  return fragmentsOf(about).flatMap((name) =>
    catalog
      .fragmentVersions(name)
      .flatMap((version) => Object.keys(catalog.loadFolder("fragment", name, version).sound.args ?? {}))
      .flatMap((arg) => [arg, `${name}.${arg}`]),
  );
}

/** Every name that a tag may have in it. A version that is only ever equal to itself has no parts. */
function tagNames(about: About, axes: readonly string[]): string[] {
  const { catalog } = about;
  const versions = fragmentsOf(about).flatMap((name) =>
    (catalog.fragmentScheme(name).partsOf ? VERSION_FIELDS : ["version"]).map((field) => `${name}.${field}`),
  );
  const args = argsOf(about).map((arg) => `args.${arg}`);
  return [...new Set([...versions, ...axes, ...args, ...BASE_FIELDS.map((field) => `base.${field}`)])];
}

/** Findings about what selects the cells of a tag: it names axes, and no platform. */
function whenFindings(
  { product, manifest }: About,
  axes: readonly string[],
  { when, at }: { when: object; at: number },
): Finding[] {
  const fragments = Object.keys(manifest.sound.fragments ?? {});
  const known = [...fragments, ...axes, "base", "args"];
  return Object.keys(when).flatMap((name): Finding[] => {
    if (known.includes(name)) return [];
    const where = product.keyPlace(["tags", at, "when", name]);
    if (name === "platform")
      return [
        {
          code: "SCHEMA",
          what: "a tag is chosen by `platform`, but it stands for the images of all platforms",
          where,
          fix: "remove `platform`",
        },
      ];
    const what = `${quoted(name)} is neither a fragment of the manifest ${manifest.sound.manifest_id ?? ""} nor an axis of its plans`;
    return [{ ...unknownName("UNKNOWN_AXIS", what, name, known), where }];
  });
}

function tagFindings(about: About): Finding[] {
  const { product } = about;
  const axes = [...new Set(about.plans.flatMap((plan) => [...namedAxes(plan.sound)]))];
  const known = tagNames(about, axes);
  return (product.sound.tags ?? []).flatMap((item, at): Finding[] => {
    if (item === undefined) return [];
    const tag = typeof item === "string" ? item : item.tag;
    const when = typeof item === "string" ? undefined : item.when;
    const where = product.place(typeof item === "string" ? ["tags", at] : ["tags", at, "tag"]);
    const wrong = tagPaths(tag ?? "").filter((path) => !known.includes(path));
    return [
      ...wrong.map((path): Finding => {
        const what = `a tag of the product has ${quoted(path)} in it, which no cell has`;
        return { ...unknownName("TAG_UNKNOWN_NAME", what, path, known), where };
      }),
      ...(when ? whenFindings(about, axes, { when, at }) : []),
    ];
  });
}

/**
 * Checks what a product names: its plans have to be over its manifest, and the names in its tags have to be something that
 * cells have.
 * @param manifest its manifest, as far as it could be read; undefined if there is none
 * @param plans every plan of the workspace, as far as it could be read
 */
export function checkProduct(
  catalog: OpenCatalog,
  product: Loaded<Product>,
  manifest: Loaded<Manifest> | undefined,
  plans: ReadonlyMap<string, Loaded<Plan>>,
): Finding[] {
  if (!manifest) return [];
  const over = [...plans].filter(([, { sound }]) => sound.manifest_id === product.sound.manifest_id);
  const ids = over.map(([id]) => id);
  const wanted = product.sound.plans?.filter((id) => id !== undefined);
  const unknown = (wanted ?? []).filter((id) => !ids.includes(id));
  const chosen = over.filter(([id]) => wanted?.includes(id) ?? true).map(([, plan]) => plan);
  return [
    ...unknown.map((id): Finding => {
      const what = `there is no plan ${quoted(id)} over the manifest ${product.sound.manifest_id ?? ""}`;
      const where = product.place(["plans", product.sound.plans?.indexOf(id) ?? 0]);
      return { ...unknownName("UNKNOWN_PLAN", what, id, ids), where };
    }),
    ...tagFindings({ catalog, product, manifest, plans: chosen }),
  ];
}

import { makeFolderIn } from "../files/folders.ts";
import { createMeter } from "../files/meter.ts";
import { grouped } from "../model/count.ts";
import { brief, visible } from "../model/visible.ts";
import { packageText } from "../reproduce/packages.ts";
import { reproduce as reproduceRecord, type Reproduction } from "../reproduce/reproduce.ts";
import { type LayerVerdict, type Outcome, unexplainedBy } from "../reproduce/verdict.ts";
import { byteProgress } from "./byte-progress.ts";
import type { CommandResult, Context } from "./context.ts";

interface ReproduceOptions {
  update?: boolean;
  secrets?: boolean;
}

/** How many paths of a layer are shown, and how many are in the document. */
const SHOWN = 8;
const LISTED = 200;

const TITLES: Record<Outcome, string> = {
  identical: "reproduced: the same image, byte for byte",
  "same-content": "reproduced: the same content, with other times",
  updated: "reproduced but for packages that have other versions by now",
  different: "different",
  incomplete: "not reproduced: something is missing",
};

function exitCodeOf({ outcome, isProven }: Reproduction): 0 | 1 | 2 {
  if (outcome === "different") return 1;
  return outcome === "incomplete" || !isProven ? 2 : 0;
}

function madeBy({ made_by }: LayerVerdict): string {
  if (!made_by) return "the base";
  const { fragment, instruction, line } = made_by;
  return `${visible(fragment ?? "the template")}, line ${line}: ${brief(instruction)}`;
}

function linesOf(layer: LayerVerdict): string[] {
  const { same, differing, times, changes } = layer;
  const others = times > 0 ? `, and ${grouped(times)} in their times alone` : "";
  const what =
    same === "different"
      ? `${grouped(differing)} differ${others}`
      : same === "unknown"
        ? "cannot be compared"
        : `other times (${grouped(times)})`;
  const shown = changes.slice(0, SHOWN).map(({ path, how, package: owner }) => {
    return `    ${visible(path)}  ${how.join(", ")}${owner === null ? "" : ` (${visible(owner)})`}`;
  });
  const more = changes.length > SHOWN ? [`    and ${grouped(changes.length - SHOWN)} more`] : [];
  return [`  layer ${layer.layer}, ${madeBy(layer)}: ${what}`, ...shown, ...more];
}

function textOf(found: Reproduction, { green, red, yellow }: Context["color"]): string {
  const { outcome, layers, config, drift, missing, unpinned, recorded, rebuilt } = found;
  const paint = outcome === "different" ? red : outcome === "incomplete" ? yellow : green;
  const same = layers.filter((one) => one.same === "identical").length;
  const drifted = drift.map(
    (one) =>
      `${visible(packageText(one))}${one.fragment === null ? "" : ` by fragment ${visible(one.fragment)}`}`,
  );
  const unexplained = unexplainedBy(layers).map(
    ({ made_by, paths }) =>
      `not the same each time: ${grouped(paths.length)} by ${visible(made_by)}, such as ${visible(paths[0] ?? "")}`,
  );
  return [
    paint(TITLES[outcome]),
    `  recorded ${recorded}`,
    ...(rebuilt === null ? [] : [`  rebuilt  ${rebuilt}`]),
    ...(layers.length > 0 ? [`  ${same} of ${layers.length} layers are identical`] : []),
    ...layers.filter((one) => one.same !== "identical").flatMap(linesOf),
    ...(config.length > 0 ? [`  the configuration differs: ${config.map(brief).join(", ")}`] : []),
    ...(drifted.length > 0
      ? [`drift of packages: ${drifted.slice(0, 20).join("; ")}${drifted.length > 20 ? " …" : ""}`]
      : []),
    ...unexplained,
    ...unpinned.map((ref) => yellow(`not pinned: ${visible(ref)} may be another image by now`)),
    ...missing.slice(0, 20).map(({ what, why }) => yellow(`missing: ${visible(what)}: ${visible(why)}`)),
    ...(missing.length > 20 ? [yellow(`and ${grouped(missing.length - 20)} more`)] : []),
  ].join("\n");
}

/** `factory reproduce`: builds the image of a record again, and says how it differs. */
export async function reproduce(
  context: Context,
  recordId: string,
  { update = false, secrets = false }: ReproduceOptions,
): Promise<CommandResult> {
  const [catalog, world] = await Promise.all([context.catalog(), context.world()]);
  const { root } = catalog;
  const deps = world.runDeps(catalog, { sbomWith: "factory" });
  const { signal } = context;
  let last = "";
  const tell = createMeter(() => context.say(last));
  try {
    const found = await reproduceRecord(
      recordId,
      { update },
      {
        ...deps,
        root,
        folder: makeFolderIn(deps.folder.path(), "reproduce-"),
        registries: world.registries,
        retries: catalog.settings().retries,
        mayUseSecrets: secrets,
        exportCommit: (commit, names, into) => world.exportCommit(root, commit, names, into),
        makeSbom: (image) => world.makeSbom(image, { sbomWith: "factory", signal }),
        signal,
        onProgress: (text) => {
          last = text;
          tell();
        },
        onBytes: byteProgress(context, "of the images so far"),
      },
    );
    const { isProven, layers, ...about } = found;
    const json = {
      ...about,
      is_proven: isProven,
      layers: layers.map((one) => ({
        ...one,
        changes: one.changes.slice(0, LISTED),
        left_out: Math.max(0, one.changes.length - LISTED),
      })),
    };
    return { text: textOf(found, context.color), json, exitCode: exitCodeOf(found) };
  } finally {
    deps.folder.remove();
  }
}

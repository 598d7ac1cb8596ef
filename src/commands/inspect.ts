import { inspectSubject, openSubject, type SubjectDeps } from "../inspect/find-subject.ts";
import type { FragmentShare, Inspection, LayerShare, Share } from "../inspect/inspect-image.ts";
import { sizeText } from "../model/bytes.ts";
import { grouped } from "../model/count.ts";
import { brief, visible } from "../model/visible.ts";
import { openStore } from "../pipeline/open-store.ts";
import { SEVERITIES } from "../scan/scan-finding.ts";
import { table } from "../screen/table.ts";
import { byteProgress } from "./byte-progress.ts";
import type { CommandResult, Context } from "./context.ts";

/** How many layers and files are shown; the document has all layers. */
const SHOWN_LAYERS = 40;
const SHOWN_FILES = 8;

/** A name for layers whose owner is not known. */
const UNKNOWN = "(not known)";

/** Does something with what the images of this workspace are read with, in a folder that is removed at the end. */
export async function withSubjects<T>(context: Context, work: (deps: SubjectDeps) => Promise<T>): Promise<T> {
  const [{ root }, world] = await Promise.all([context.catalog(), context.world()]);
  const { signal } = context;
  const folder = world.runFolder(root);
  try {
    return await work({
      root,
      folder: folder.path(),
      docker: world.docker,
      registries: world.registries,
      store: openStore(root),
      commitNamed: (ref) => world.commitNamed(root, ref),
      makeSbom: (image) => world.makeSbom(image, { sbomWith: "factory", signal, onProgress: context.say }),
      signal,
      onBytes: byteProgress(context, "read so far"),
    });
  } finally {
    folder.remove();
  }
}

function findingsText(findings: Share["findings"]): string {
  if (!findings) return "-";
  const told = SEVERITIES.flatMap((one) => (findings[one] ? [`${findings[one]} ${one}`] : []));
  return told.length > 0 ? told.slice(0, 2).join(", ") + (told.length > 2 ? " …" : "") : "0";
}

function shareRow(name: string, share: Share): string[] {
  const { layers, bytes, packed_bytes, files, packages, duplicated_bytes, deleted_bytes, findings } = share;
  return [
    name,
    String(layers),
    sizeText(bytes),
    sizeText(packed_bytes),
    grouped(files),
    grouped(packages),
    duplicated_bytes > 0 ? sizeText(duplicated_bytes) : "-",
    deleted_bytes > 0 ? sizeText(deleted_bytes) : "-",
    findingsText(findings),
  ];
}

function textOf({ fragments, layers, wasted, total }: Inspection, { columns, color }: Context): string[] {
  const nameOf = ({ fragment }: FragmentShare | LayerShare) => visible(fragment ?? UNKNOWN);
  const head = [
    "FRAGMENT",
    "LAYERS",
    "SIZE",
    "PACKED",
    "FILES",
    "PACKAGES",
    "DUPLICATED",
    "DELETED",
    "FINDINGS",
  ];
  const shares = [...fragments.map((one) => shareRow(nameOf(one), one)), shareRow("total", total)];
  const rows = layers
    .slice(0, SHOWN_LAYERS)
    .map((one) => [String(one.layer), nameOf(one), sizeText(one.bytes), brief(one.instruction)]);
  const more =
    layers.length > SHOWN_LAYERS ? [`and ${layers.length - SHOWN_LAYERS} more layers: see --json`] : [];
  const files = wasted
    .slice(0, SHOWN_FILES)
    .map(({ path, how, bytes, layer }) => `  ${visible(path)}  ${sizeText(bytes)} ${how}, in layer ${layer}`);
  return [
    table(head, shares, columns),
    "",
    table(["LAYER", "FRAGMENT", "SIZE", "MADE BY"], rows, columns),
    ...more,
    ...(files.length > 0 ? ["", color.yellow("takes space for nothing:"), ...files] : []),
  ];
}

/** `factory inspect`: what each fragment brought into an image. */
export async function inspect(
  context: Context,
  what: string,
  options: { platform?: string },
): Promise<CommandResult> {
  return withSubjects(context, async (deps) => {
    const subject = await openSubject(what, options, deps);
    const { inspection } = await inspectSubject(subject, deps);
    const { told, notes } = subject;
    const { record_id = null, cell_id = null, image } = told?.record ?? {};
    const named = image?.ref ?? what;
    const text = [
      `${visible(named)}  ${inspection.digest}  ${visible(inspection.platform)}`,
      ...(record_id === null ? [] : [`  ${cell_id}, by the record ${record_id}`]),
      "",
      ...textOf(inspection, context),
      ...notes.map((note) => context.color.yellow(`note: ${visible(note)}`)),
    ].join("\n");
    return {
      text,
      json: { subject: what, record_id, cell_id, ref: image?.ref ?? null, ...inspection, notes },
    };
  });
}

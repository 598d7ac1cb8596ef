import { relative, resolve } from "node:path";
import { adopt as make, type Proof } from "../adopt/adopt.ts";
import { type LayerProof, proveLayers } from "../adopt/prove-layers.ts";
import { FactoryError } from "../errors.ts";
import type { CommandResult, Context } from "./context.ts";

interface AdoptOptions {
  out: string;
  prove: "instructions" | "layers";
  context?: string;
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

function proofText({ dockerfile, manifest_id, same, differences }: Proof, { color }: Context): string[] {
  if (same) return [`${color.green("same")}    ${dockerfile} → ${manifest_id}`];
  return [
    `${color.red("differs")} ${dockerfile} → ${manifest_id}`,
    ...differences.flatMap((one) => [
      `  line ${one.line}: ${one.dockerfile ?? "(nothing)"}`,
      `  stitched: ${one.stitched ?? "(nothing)"}`,
    ]),
  ];
}

function layersText(dockerfile: string, proof: LayerProof, { color }: Context): string {
  if (proof.same === null) return `${color.yellow("unproven")} ${dockerfile}: ${proof.why}`;
  if (proof.same) return `${color.green("same")}    ${dockerfile}: ${counted(proof.layers, "layer")}`;
  return `${color.red("differs")} ${dockerfile}: layer ${proof.first} of ${proof.layers}`;
}

/** `factory adopt DOCKERFILE…`: a workspace of them, and whether it says the same. */
export async function adopt(
  context: Context,
  dockerfiles: readonly string[],
  options: AdoptOptions,
): Promise<CommandResult> {
  const paths = dockerfiles.map((file) => ({ file, path: resolve(context.cwd, file) }));
  const twice = paths.find(({ path }, at) => paths.findIndex((one) => one.path === path) !== at);
  if (twice) throw new FactoryError("USAGE", `${twice.file} is named twice`, { fix: "name it once" });
  const out = resolve(context.cwd, options.out);
  const buildContext = options.context === undefined ? null : resolve(context.cwd, options.context);
  const found = make({
    dockerfiles: paths,
    context: buildContext,
    out,
  });
  const { manifests, fragments, proof, notCarried, notes, written } = found;
  const layers = new Map<string, LayerProof>();
  if (options.prove === "layers" && written.length > 0) {
    const { buildLayers } = await context.world();
    for (const manifest of manifests) {
      const original = paths.find(({ file }) => file === manifest.dockerfile);
      if (!original) continue;
      context.say(`building ${manifest.dockerfile} twice`);
      const proven = await proveLayers(
        buildLayers,
        { path: original.path, context: buildContext },
        { root: out, manifest, signal: context.signal },
      );
      layers.set(manifest.id, proven);
    }
  }
  const { bold, yellow } = context.color;
  const shown = relative(context.cwd, out) || ".";
  const isWhole =
    notCarried.length === 0 &&
    proof.every(({ same }) => same) &&
    [...layers.values()].every(({ same }) => same === true);
  const args = fragments.flatMap(({ name, args: own }) => own.map((arg) => ({ fragment: name, ...arg })));
  return {
    text: [
      written.length === 0
        ? "nothing was written: no Dockerfile could be carried over"
        : `${bold(shown)}: ${counted(manifests.length, "manifest")}, ${counted(fragments.length, "fragment")}, ${counted(args.length, "argument")}`,
      ...fragments.map(({ name, summary }) => `  fragment ${name}: ${summary}`),
      ...proof.flatMap((one) => proofText(one, context)),
      ...manifests.flatMap(({ id, dockerfile }) => {
        const own = layers.get(id);
        return own ? [layersText(dockerfile, own, context)] : [];
      }),
      ...notCarried.map(
        ({ file, line, what, why }) => `${yellow("not carried")} ${file}:${line}: ${what}: ${why}`,
      ),
      ...notes.map((note) => `${yellow("note")} ${note}`),
      ...(written.length === 0
        ? []
        : ["next:", `  cd ${shown}`, "  factory validate", "  factory run --all"]),
    ].join("\n"),
    json: {
      workspace: written.length === 0 ? null : out,
      manifests: manifests.map(({ id, dockerfile, base }) => ({ manifest_id: id, dockerfile, base })),
      fragments: fragments.map(({ name, summary }) => ({ name, summary })),
      args,
      proof: proof.map((one) => {
        const own = layers.get(one.manifest_id);
        return own ? { ...one, layers: own } : one;
      }),
      not_carried: notCarried,
      notes,
    },
    exitCode: isWhole ? 0 : 1,
  };
}

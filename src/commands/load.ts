import { makeFolderIn } from "../files/folders.ts";
import { inputStream } from "../files/input-stream.ts";
import { loadFile } from "../handover/load.ts";
import { openStore } from "../pipeline/open-store.ts";
import { byteProgress } from "./byte-progress.ts";
import type { CommandResult, Context } from "./context.ts";

/** `factory load`: image and record of a cell from a file that `factory save` wrote. */
export async function load(context: Context, file: string): Promise<CommandResult> {
  const [catalog, world] = await Promise.all([context.catalog(), context.world()]);
  const { root } = catalog;
  const own = world.runFolder(root);
  try {
    const fix = "name a file that `factory save` wrote, or - for stdin";
    const source = inputStream(file, context.cwd, { fix, signal: context.signal });
    const [first, ...parents] = await loadFile(source, file, {
      docker: world.docker,
      store: openStore(root),
      folder: makeFolderIn(own.path(), "handover-"),
      repository: catalog.settings().repository,
      signal: context.signal,
      onBytes: byteProgress(context, "of the file so far"),
    });
    if (!first) throw new Error("a file without a cell was taken");
    const known = catalog.manifestIds();
    if (!known.includes(first.manifest_id))
      context.say(
        `warning: this workspace has no manifest ${first.manifest_id}: nothing here will ask for it`,
      );
    const { cell_id, record_id, digest, tags } = first;
    return { text: digest, json: { cell_id, ref: tags[0], tags, digest, record_id, parents } };
  } finally {
    own.remove();
  }
}

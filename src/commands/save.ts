import { resolve } from "node:path";
import { FactoryError } from "../errors.ts";
import { makeFolderIn } from "../files/folders.ts";
import { writeOutput } from "../files/write-output.ts";
import { saveCells } from "../handover/save.ts";
import { openStore } from "../pipeline/open-store.ts";
import { byteProgress } from "./byte-progress.ts";
import type { CommandResult, Context } from "./context.ts";
import { planCell } from "./plan-cell.ts";

interface SaveOptions {
  cell?: string;
  output?: string;
  locked?: boolean;
}

/** `factory save`: the proven image of a cell, with its record, in one file. */
export async function save(
  context: Context,
  { cell, output, locked = false }: SaveOptions,
): Promise<CommandResult> {
  if (cell === undefined)
    throw new FactoryError("USAGE", "no cell is named", { fix: "pass --cell ID; see `factory plan`" });
  if (output === undefined || output === "-")
    throw new FactoryError("USAGE", "it is not said which file to write", {
      fix: "pass -o FILE: stdout is for the digest",
    });
  const [{ root }, world] = await Promise.all([context.catalog(), context.world()]);
  const cells = await planCell(context, cell, locked);
  const file = resolve(context.cwd, output);
  const own = world.runFolder(root);
  try {
    const saved = await saveCells(cells, {
      docker: world.docker,
      registries: world.registries,
      store: openStore(root),
      folder: makeFolderIn(own.path(), "handover-"),
      signal: context.signal,
      onBytes: byteProgress(context, "of the image so far"),
      write: (pieces) => writeOutput(file, pieces, context.signal),
    });
    const { ref, digest, record_id, bytes } = saved;
    return { text: digest, json: { ref, digest, record_id, file: output, bytes } };
  } finally {
    own.remove();
  }
}

import type { Scheme } from "../catalog/schemes/scheme.ts";
import { splitArgName } from "../catalog/names.ts";
import { manifestOfRef } from "../model/parent.ts";
import { type TagName, type TagPart, VERSION_FIELDS } from "../model/tag-template.ts";
import { valueText } from "../model/value.ts";
import type { Cell } from "../plan/cell.ts";
import type { Value } from "../schemas/types.ts";

/** What a tag is for one cell, or the name in it that the cell has nothing for. */
export type Rendered = { tag: string } | { lacks: string };

/** The last part of a base's name, and its tag: `debian` and `bookworm-slim`. */
function baseParts(ref: string): { name: string; tag: string | undefined } {
  const parent = manifestOfRef(ref);
  if (parent !== null) return { name: parent, tag: undefined };
  const last = ref.split("@", 1)[0]?.split("/").at(-1) ?? "";
  const [name = "", tag] = last.split(":", 2);
  return { name, tag };
}

/** The value of a cell's argument: `port`, or `app.port`. undefined if it has none, or several by that name. */
export function argOfCell({ args }: Cell, name: string): Value | undefined {
  const { own } = splitArgName(name);
  if (Object.hasOwn(args, name)) return args[name];
  return Object.hasOwn(args, own) ? args[own] : undefined;
}

function valueOf(cell: Cell, name: TagName, schemeOf: (fragment: string) => Scheme): string | undefined {
  const { fragments, base, named = {} } = cell;
  switch (name.kind) {
    case "base":
      return baseParts(base.ref)[name.field];
    case "arg": {
      const value = argOfCell(cell, name.name);
      return value === undefined ? undefined : valueText(value);
    }
    case "named":
      return Object.hasOwn(named, name.name) ? named[name.name] : undefined;
    case "fragment": {
      const version = Object.hasOwn(fragments, name.name) ? fragments[name.name] : undefined;
      // What stands behind a `+` stays apart from the rest: no version has a `_`.
      if (version === undefined || name.field === "version") return version?.replaceAll("+", "_");
      return schemeOf(name.name).partsOf?.(version)[VERSION_FIELDS.indexOf(name.field) - 1];
    }
  }
}

/**
 * A tag with the values of a cell. The platform is in no tag: a tag stands for the images of all platforms.
 * @param parts as `readTag` gives them
 */
export function renderTag(
  parts: readonly TagPart[],
  cell: Cell,
  schemeOf: (fragment: string) => Scheme,
): Rendered {
  let tag = "";
  for (const part of parts) {
    const text = typeof part === "string" ? part : valueOf(cell, part, schemeOf);
    if (text === undefined) return { lacks: typeof part === "string" ? part : part.path };
    tag += text;
  }
  return { tag };
}

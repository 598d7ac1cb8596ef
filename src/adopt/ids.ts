import { basename, dirname, sep } from "node:path";

/** A text as an id: lower-case letters and digits, with `-` between them. */
export function idOf(text: string): string {
  const id = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return id.slice(0, 50).replace(/-+$/, "");
}

/** A name that is not taken, of this one. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    if (!taken.has(name)) return name;
  }
}

/** What a file's own name says of its image: `billing` of billing.Dockerfile, `alpine` of Dockerfile.alpine. */
function ownName(path: string): { name: string; variant: string } {
  const [, before = "", after = ""] = /^(.*?)\.?(?:dockerfile|containerfile)\.?(.*)$/i.exec(
    basename(path),
  ) ?? ["", basename(path)];
  return { name: idOf(before), variant: idOf(after) };
}

/**
 * An id for each Dockerfile: the name of its folder, or its own, such as `billing` of services/billing/Dockerfile. Where
 * two would be the same, folders above are added.
 * @param paths absolute, each once
 */
export function idsOf(paths: readonly string[]): string[] {
  const folders = paths.map((path) =>
    dirname(path)
      .split(sep)
      .map(idOf)
      .filter((one) => one !== ""),
  );
  const at = (index: number, depth: number): string => {
    const { name, variant } = ownName(paths[index] ?? "");
    const above = (folders[index] ?? []).slice(-(depth + (name === "" ? 1 : 0)) || Infinity);
    const parts = depth === 0 && name !== "" ? [name] : [...above, ...(name === "" ? [] : [name])];
    return idOf([...parts, ...(variant === "" ? [] : [variant])].join("-")) || "image";
  };
  const depths = paths.map(() => 0);
  for (let round = 0; round < 4; round += 1) {
    const ids = paths.map((_, index) => at(index, depths[index] ?? 0));
    for (const [index, id] of ids.entries())
      if (ids.filter((one) => one === id).length > 1) depths[index] = round + 1;
  }
  const taken = new Set<string>();
  return paths.map((_, index) => {
    const id = freeName(at(index, depths[index] ?? 0), taken);
    taken.add(id);
    return id;
  });
}

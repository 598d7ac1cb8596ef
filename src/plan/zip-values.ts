import { compareText } from "../model/compare.ts";
import type { NamedZip, Plan, ZipValue } from "../schemas/types.ts";

/** The named axes of a plan, with their places in `zip`. */
export function namedZips({ zip = [] }: Plan): { zip: NamedZip; at: number }[] {
  return zip.flatMap((one, at) => (Array.isArray(one) ? [] : [{ zip: one, at }]));
}

/** What a value sets, by axis name, with the path below it; a named base is not yet an image. */
export function settingsOf({
  args = {},
  ...rest
}: ZipValue): Map<string, { value: unknown; path: string[] }> {
  const settings = new Map<string, { value: unknown; path: string[] }>();
  for (const [name, value] of Object.entries(rest)) settings.set(name, { value, path: [name] });
  for (const [name, value] of Object.entries(args))
    settings.set(`args.${name}`, { value, path: ["args", name] });
  return settings;
}

/** The names of axes that some value of a named axis sets, sorted. */
export function setBy({ values }: NamedZip): string[] {
  const names = new Set(Object.values(values).flatMap((value) => [...settingsOf(value).keys()]));
  return [...names].sort(compareText);
}

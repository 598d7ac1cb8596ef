import { valueText } from "../model/value.ts";
import type { Value } from "../schemas/types.ts";
import { isOfFamily, rootBase } from "../stitch/base-family.ts";
import { nogoodOf, type Rule, type RuleSources } from "./conditions.ts";
import { axisFinder } from "./selectors.ts";

/** What the other side of a contract is not allowed to be. */
interface Other {
  name: string;
  test: (value: Value) => boolean;
  text: string;
}

/**
 * What the fragments' own `requires`, `conflicts`, `platforms` and `bases` forbid.
 * @param free the fragments that do not vary, but whose range allows several versions
 * @returns `open`: those of `free`, if the version that a range alone gives does not fit everywhere. Then another one may
 * fit, and what it forbids is only known for each cell: there are no rules about them
 */
export function contractRules(
  { catalog, manifest, columns, constants }: Omit<RuleSources, "open">,
  free: ReadonlySet<string>,
): { rules: Rule[]; open: ReadonlySet<string> } {
  const finder = axisFinder(columns);
  const rules: { rule: Rule; about: readonly string[] }[] = [];
  let isOpen = false;
  const add = (name: string, version: string, other: Other, what: string) => {
    const tests = new Map([
      [name, (value: Value) => value === version],
      [other.name, other.test],
    ]);
    const nogood = nogoodOf(columns, finder, constants, tests);
    if (!nogood) return;
    const isSolved = other.name !== "platform" && other.name !== "base";
    if (isSolved && (free.has(name) || free.has(other.name))) isOpen = true;
    // If nothing in it varies, the manifest itself breaks the contract, and resolving it reports that.
    if (nogood.columns.length === 0) return;
    const where = manifest.place(["fragments", name]);
    const rule = { ...nogood, forbids: { [name]: version, [other.name]: other.text }, what, where };
    rules.push({ rule, about: [name, other.name] });
  };
  for (const name of Object.keys(manifest.document.fragments)) {
    const axis = finder.get(name)?.axis;
    const constant = constants.get(name);
    const versions = axis ? new Set(axis.values) : constant === undefined ? [] : [constant];
    for (const version of versions as Iterable<string | undefined>) {
      if (version === undefined) continue;
      const { requires = {}, conflicts = {}, platforms, bases } = catalog.fragment(name, version).document;
      for (const [other, range] of Object.entries(requires)) {
        if (!finder.has(other) && !constants.has(other)) continue;
        const test = (value: Value) => !catalog.fragmentScheme(other).satisfies(valueText(value), range);
        const what = `${name}@${version} requires ${other} ${range}`;
        add(name, version, { name: other, test, text: `not ${range}` }, what);
      }
      for (const [other, range] of Object.entries(conflicts)) {
        const test = (value: Value) => catalog.fragmentScheme(other).satisfies(valueText(value), range);
        add(
          name,
          version,
          { name: other, test, text: range },
          `${name}@${version} conflicts with ${other} ${range}`,
        );
      }
      if (platforms) {
        const test = (value: Value) => !platforms.includes(valueText(value));
        const what = `${name}@${version} only works on ${platforms.join(", ")}`;
        add(name, version, { name: "platform", test, text: `not ${platforms.join(", ")}` }, what);
      }
      if (bases) {
        const test = (value: Value) => !isOfFamily(rootBase(catalog, valueText(value)), bases);
        const what = `${name}@${version} only works on ${bases.join(", ")}`;
        add(name, version, { name: "base", test, text: `not ${bases.join(", ")}` }, what);
      }
    }
  }
  const open = isOpen ? free : new Set<string>();
  return {
    rules: rules.flatMap(({ rule, about }) => (about.some((name) => open.has(name)) ? [] : rule)),
    open,
  };
}

import { bytesOf, sizeText } from "../../model/bytes.ts";
import type { OwnedPackage } from "../../model/image-contents.ts";
import type { BudgetTest } from "../../schemas/types.ts";
import { observed, outcomeOf } from "../outcome.ts";
import type { Observation } from "../outcome.ts";
import { quoted } from "../text.ts";
import type { Kind, Tools } from "./kind.ts";

interface BudgetCheck {
  kind: "budget";
  size_bytes: number | null;
  layers: number | null;
  /** Only there where the test has them: older suites keep their hash. */
  of?: string;
  packages?: number;
  licenses?: string[];
}

/** How many packages with a licence that is not allowed are named. */
const NAMED = 10;

/** A bound: what is expected, and what was found or why it cannot be told. */
type Bound = (tools: Tools) => Promise<Observation>;

const notTold = (expected: string, actual: string): Observation => ({ status: "error", expected, actual });

function layersBound({ layers: most, of }: BudgetCheck): Bound | null {
  if (most === null) return null;
  const expected = `at most ${most} layers${of === undefined ? "" : ` of ${of}`}`;
  return async (tools) => {
    if (of === undefined) {
      const count = tools.image.RootFS?.Layers?.length ?? 0;
      return observed(count <= most, expected, `${count} layers`);
    }
    const told = await tools.layers();
    if ("error" in told) return notTold(expected, told.error);
    const { length } = told.filter(({ owner, bytes }) => owner === of && bytes > 0);
    return observed(length <= most, expected, `${length} layers`);
  };
}

function sizeBound({ size_bytes: most, of }: BudgetCheck): Bound | null {
  if (most === null) return null;
  const expected = `at most ${sizeText(most)} unpacked${of === undefined ? "" : ` of ${of}`}`;
  const found = (bytes: number) => observed(bytes <= most, expected, `${sizeText(bytes)} (${bytes} bytes)`);
  return async (tools) => {
    if (of === undefined) {
      const bytes = await tools.unpackedSize();
      return typeof bytes === "number" ? found(bytes) : notTold(expected, bytes.error);
    }
    const told = await tools.layers();
    if ("error" in told) return notTold(expected, told.error);
    return found(told.reduce((sum, { owner, bytes }) => (owner === of ? sum + bytes : sum), 0));
  };
}

/** The packages of an owner; all of them where none is named. */
async function packagesOf(
  of: string | undefined,
  tools: Tools,
): Promise<readonly OwnedPackage[] | { error: string }> {
  const told = await tools.packages();
  if (of === undefined || "error" in told) return told;
  const unknown = told.find(({ owner }) => owner === null);
  if (unknown) return { error: `it cannot be told what brought ${quoted(unknown.name, 100)}` };
  return told.filter(({ owner }) => owner === of);
}

function packagesBound({ packages: most, of }: BudgetCheck): Bound | null {
  if (most === undefined) return null;
  const expected = `at most ${most} packages${of === undefined ? "" : ` of ${of}`}`;
  return async (tools) => {
    const told = await packagesOf(of, tools);
    if ("error" in told) return notTold(expected, told.error);
    return observed(told.length <= most, expected, `${told.length} packages`);
  };
}

function licenseText({ name, version, licenses }: OwnedPackage): string {
  const license =
    licenses.length === 0 ? "nothing says it" : licenses.map((one) => quoted(one, 100)).join(" and ");
  return `${quoted(name, 100)} ${quoted(version, 60)}: ${license}`;
}

function licensesBound({ licenses, of }: BudgetCheck): Bound | null {
  if (licenses === undefined) return null;
  const expected = `only licences of the list${of === undefined ? "" : ` in ${of}`}`;
  return async (tools) => {
    const told = await packagesOf(of, tools);
    if ("error" in told) return notTold(expected, told.error);
    // The parser has all ids of SPDX; stitching needs none of them.
    const { allowedBy } = await import("./allowed-licenses.ts");
    const isAllowed = allowedBy(licenses);
    const wrong = told.filter((one) => !isAllowed(one.licenses));
    const more = wrong.length > NAMED ? [`and ${wrong.length - NAMED} more`] : [];
    const actual =
      wrong.length === 0
        ? `those of ${told.length} packages are`
        : [...wrong.slice(0, NAMED).map(licenseText), ...more].join(", ");
    return observed(wrong.length === 0, expected, actual);
  };
}

/** Whether an entry of a list of allowed licences joins several, of which none would be allowed by itself. */
const isJoined = (entry: string): boolean => / (AND|OR) /.test(entry);

/** Holds the image, or what one fragment brought into it, to its upper bounds. */
export const budget: Kind<BudgetTest, BudgetCheck> = {
  form: ({ size, layers = null, of, packages, licenses }) => ({
    kind: "budget",
    size_bytes: size === undefined ? null : bytesOf(size),
    layers,
    ...(of === undefined ? {} : { of }),
    ...(packages === undefined ? {} : { packages }),
    ...(licenses === undefined ? {} : { licenses: [...licenses].sort() }),
  }),
  matches: [],
  problems: ({ of, size, layers, packages, licenses }) => [
    ...(of !== undefined && [size, layers, packages, licenses].every((bound) => bound === undefined)
      ? [{ field: "of", what: "bounds nothing", fix: "add `size`, `layers`, `packages` or `licenses`" }]
      : []),
    ...(licenses ?? []).filter(isJoined).map((entry) => ({
      field: "licenses",
      what: `allows ${quoted(entry, 100)}, which is several licences`,
      fix: "name each of them by itself",
    })),
  ],
  run: async (check, tools) => {
    const bounds = [layersBound, sizeBound, packagesBound, licensesBound].flatMap(
      (bound) => bound(check) ?? [],
    );
    const { filesOf } = tools;
    if (check.of !== undefined && filesOf !== null) {
      const expected = `what was proven of ${check.of} in ${filesOf}`;
      return outcomeOf([observed(true, expected, "it has the same files, in other layers")]);
    }
    return outcomeOf(await Promise.all(bounds.map((bound) => bound(tools))));
  },
};

import { FactoryError } from "../../errors.ts";
import { quoted } from "../../model/visible.ts";
import { compareVersions } from "./package-order.ts";

/** A package as an SBOM names it. */
export interface HeldPackage {
  /** As in package URLs: `deb`, `npm`. */
  type: string;
  /** With its scope or group, where that is part of the name: `@scope/name`. */
  name: string;
  version: string;
  /** The source package that it was built from, and that one's version; null if they are the same. */
  source: { name: string; version: string } | null;
  /** The fragment that brought it, such as `core@0.2.0`; null if the SBOM does not say. */
  fragment: string | null;
}

/** What `--package` asks for. */
export interface PackageTest {
  text: string;
  /** By type, name and version: whether it is meant, or null if its versions have no order. */
  test: (held: HeldPackage) => boolean | null;
}

const FORM =
  /^(?:([a-z][a-z0-9.-]*):)?(@?[^\s<>=!,@:]+)\s*((?:<=|>=|==|!=|<|>|=)[^<>=!]*(?:,\s*(?:<=|>=|==|!=|<|>|=)[^<>=!]*)*)?$/s;
const COMPARATOR = /^(<=|>=|==|!=|<|>|=)\s*(\S+)$/;

const MEANS: Readonly<Record<string, (order: number) => boolean>> = {
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

/** One spelling of the names that an ecosystem takes for the same: Python does not tell `_`, `.` and `-` apart (PEP 503). */
function spelling(type: string, name: string): string {
  return type === "pypi" ? name.toLowerCase().replace(/[-_.]+/g, "-") : name;
}

function holdsFor(type: string, version: string, operator: string, wanted: string): boolean | null {
  const order = compareVersions(type, version, wanted);
  if (operator === "=" || operator === "==") return version === wanted || order === 0;
  if (operator === "!=") return version !== wanted && order !== 0;
  return order === null ? null : (MEANS[operator]?.(order) ?? null);
}

/**
 * What `--package` says: `openssl`, `openssl<3.0.15`, `deb:openssl>=3.0,<3.0.15`, `@scope/name=1.2.3`. A package is meant by its
 * own name, and by that of its source package, with the version of that one.
 * @throws FactoryError USAGE
 */
export function packageTest(text: string): PackageTest {
  const [, type, name, range = ""] = FORM.exec(text.trim()) ?? [];
  const comparators = range === "" ? [] : range.split(",").map((one) => COMPARATOR.exec(one.trim()));
  if (name === undefined || comparators.includes(null))
    throw new FactoryError("USAGE", `--package ${quoted(text)} is not a package`, {
      fix: "such as openssl, 'openssl<3.0.15', 'deb:openssl>=3.0,<3.0.15' or '@scope/name=1.2.3'",
    });
  const all = (of: string, version: string) => {
    const answers = comparators.map((one) => holdsFor(of, version, one?.[1] ?? "", one?.[2] ?? ""));
    return answers.includes(false) ? false : answers.includes(null) ? null : true;
  };
  return {
    text,
    test: (held) => {
      if (type !== undefined && held.type !== type) return false;
      const isNamed = (own: string) => spelling(held.type, own) === spelling(held.type, name);
      if (isNamed(held.name)) return all(held.type, held.version);
      return held.source && isNamed(held.source.name) ? all(held.type, held.source.version) : false;
    },
  };
}

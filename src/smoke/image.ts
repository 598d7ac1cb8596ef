import { FactoryError } from "../errors.ts";
import { sizeText } from "../model/bytes.ts";
import { compareText } from "../model/compare.ts";
import type { CheckOf } from "../model/suite.ts";
import type { ImageInspect } from "../tools/docker.ts";
import type { SmokeContext } from "./suite-run.ts";
import { couldNotRun, finding, outcomeOf } from "./outcome.ts";
import type { Finding, Outcome } from "./outcome.ts";
import { quoted } from "./text.ts";

function sameText(name: string, expected: string | null, actual: string): Finding[] {
  if (expected === null) return [];
  return [finding(expected === actual, `${name} ${quoted(expected, 200)}`, `${name} ${quoted(actual, 200)}`)];
}

function sameList(name: string, expected: string[] | null, actual: readonly string[]): Finding[] {
  if (expected === null) return [];
  const shown = (list: readonly string[]) => `${name} [${list.map((one) => quoted(one, 100)).join(", ")}]`;
  const same = expected.length === actual.length && expected.every((one, index) => one === actual[index]);
  return [finding(same, shown(expected), shown(actual))];
}

function sameEntries(
  name: string,
  expected: Record<string, string>,
  actual: ReadonlyMap<string, string>,
): Finding[] {
  return Object.entries(expected).map(([key, value]) => {
    const shown = `${name} ${quoted(key, 100)}`;
    const there = actual.get(key);
    return finding(
      there === value,
      `${shown} is ${quoted(value, 150)}`,
      there === undefined ? `${shown} is not set` : `${shown} is ${quoted(there, 150)}`,
    );
  });
}

function variables(env: readonly string[]): Map<string, string> {
  return new Map(
    env.map((line) => {
      const at = line.indexOf("=");
      return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

/** Compares the image's configuration. No working directory is the same as `/`. */
export function testConfig(image: ImageInspect, check: CheckOf<"config">): Outcome {
  const { User = "", WorkingDir, Entrypoint, Cmd, Env, Labels, ExposedPorts } = image.Config ?? {};
  return outcomeOf([
    ...sameText("user", check.user, User),
    ...sameText("workdir", check.workdir, WorkingDir || "/"),
    ...sameList("entrypoint", check.entrypoint, Entrypoint ?? []),
    ...sameList("cmd", check.cmd, Cmd ?? []),
    ...sameEntries("variable", check.env, variables(Env ?? [])),
    ...sameEntries("label", check.labels, new Map(Object.entries(Labels ?? {}))),
    ...sameList("ports", check.ports, Object.keys(ExposedPorts ?? {}).sort(compareText)),
  ]);
}

/** Holds the image to its upper bounds. A container must have been created from it before. */
export async function testBudget(
  context: SmokeContext,
  image: ImageInspect,
  check: CheckOf<"budget">,
): Promise<Outcome> {
  const findings: Finding[] = [];
  if (check.layers !== null) {
    const layers = image.RootFS?.Layers?.length ?? 0;
    findings.push(finding(layers <= check.layers, `at most ${check.layers} layers`, `${layers} layers`));
  }
  if (check.size_bytes !== null) {
    const expected = `at most ${sizeText(check.size_bytes)} unpacked`;
    const { docker, platform, signal } = context;
    const bytes = await docker.unpackedSize(context.image, { platform, signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      if (error instanceof FactoryError) return error;
      throw error;
    });
    if (typeof bytes !== "number") return couldNotRun(expected, bytes.message);
    findings.push(finding(bytes <= check.size_bytes, expected, `${sizeText(bytes)} (${bytes} bytes)`));
  }
  return outcomeOf(findings);
}

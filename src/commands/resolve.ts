import { basename, resolve } from "node:path";
import { isId } from "../catalog/names.ts";
import type { OpenCatalog } from "../catalog/open.ts";
import { valueOrder } from "../catalog/schemes/value-order.ts";
import { didYouMean } from "../catalog/suggest.ts";
import { chooseCombination, type Combination, type KnownCell } from "../causes/choose.ts";
import { planText } from "../causes/plan-text.ts";
import { remadeFrom } from "../causes/remade.ts";
import { FactoryError } from "../errors.ts";
import { writeOutput } from "../files/write-output.ts";
import type { Manifest } from "../model/manifest.ts";
import { baseRef } from "../model/parent.ts";
import { listed, quoted, visible } from "../model/visible.ts";
import { openStore } from "../pipeline/open-store.ts";
import type { PlanRequest } from "../plan/space.ts";
import type { FragmentTest } from "../records/list-request.ts";
import { fragmentTest } from "../records/parse-filter.ts";
import { table } from "../screen/table.ts";
import { madeOf } from "./cell-values.ts";
import { combinationText } from "./combination-text.ts";
import type { CommandResult, Context } from "./context.ts";
import { givenOf } from "./given.ts";
import { statesFor } from "./matrix-cells.ts";

interface ResolveOptions {
  manifestId: string;
  want?: string[];
  platform?: string[];
  output?: string;
  locked?: boolean;
}

function misused(what: string, fix: string): FactoryError {
  return new FactoryError("USAGE", what, { fix });
}

/** What is wanted of fragments: tests, and ranges for solving. @throws FactoryError USAGE */
function wantsOf(catalog: OpenCatalog, manifest: Manifest, texts: readonly string[]) {
  const tests: FragmentTest[] = [];
  const set: Record<string, string> = {};
  const known = Object.keys(manifest.fragments);
  for (const text of texts) {
    const test = fragmentTest(text, catalog.fragmentScheme);
    if (!known.includes(test.name)) {
      const guess = didYouMean(test.name, known);
      throw misused(
        `--want ${quoted(text)}: ${manifest.manifest_id} has no fragment ${quoted(test.name)}`,
        guess ? `did you mean ${guess}?` : `it has: ${listed(known)}`,
      );
    }
    if (tests.some(({ name }) => name === test.name))
      throw misused(`--want names ${quoted(test.name)} twice`, "write one range, such as '>=0.2 <0.4'");
    tests.push(test);
    const range = text
      .trim()
      .slice(test.name.length)
      .trim()
      .replace(/^(@\s*|==?\s*(?![<>]))/, "");
    if (range !== "") set[test.name] = range;
  }
  return { tests, set };
}

/** The platforms that are meant, each once. @throws FactoryError USAGE */
function platformsOf(
  { manifest_id, platforms = ["linux/amd64"] }: Manifest,
  asked: readonly string[],
): string[] {
  const own = [...platforms].sort();
  if (asked.length === 0 || asked.includes("all")) return own;
  const odd = asked.find((one) => !own.includes(one));
  if (odd === undefined) return [...new Set(asked)];
  throw misused(`${manifest_id} is not for ${quoted(odd)}`, `it is for: ${listed(own)}; or pass all`);
}

function text({ fragments, base, args }: Combination): string {
  const named = Object.fromEntries(
    Object.entries(args).map(([name, value]) => [`args.${name}`, JSON.stringify(value)]),
  );
  return combinationText({ ...fragments, base, ...named });
}

/** `factory resolve`: the newest combination of a manifest that is proven everywhere, or what is missing for it. */
export async function resolveCombination(context: Context, options: ResolveOptions): Promise<CommandResult> {
  const { manifestId, locked = false, output } = options;
  const catalog = await context.catalog();
  const { document: manifest } = catalog.manifest(manifestId);
  const { tests, set } = wantsOf(catalog, manifest, options.want ?? []);
  const platforms = platformsOf(manifest, options.platform ?? []);
  const isMeant = (fragments: Readonly<Record<string, string>>) =>
    tests.every(({ name, test }) => test(fragments[name] ?? ""));

  const known: KnownCell[] = [];
  const missing: { what: string; why: string }[] = [];
  const look = async (requests?: readonly PlanRequest[]) => {
    const { own } = await statesFor(context, manifestId, locked, requests);
    for (const { planned, cell } of own) {
      const { id, version } = planned.keys.template;
      if (isMeant(planned.cell.fragments))
        known.push({ cell, made: madeOf(planned), template: `${id}@${version}` });
    }
  };
  await look();
  try {
    // What the ranges give by themselves, whether or not a plan has it.
    await look([{ manifestId, set }]);
  } catch (error) {
    if (!(error instanceof FactoryError) || error.exitCode !== 2) throw error;
    if (known.length === 0) missing.push({ what: manifestId, why: error.message });
  }

  const remade = remadeFrom(catalog, manifestId, givenOf(context, catalog, { manifestId, locked }));
  const { found, next, failing } = chooseCombination(known, {
    platforms,
    order: [...tests.map(({ name }) => name), ...Object.keys(manifest.fragments)],
    compare: valueOrder(catalog.fragmentScheme),
    canMake: (made) => remade.cellOf(made) !== null,
  });
  for (const one of failing)
    for (const { platform, cell } of one.cells)
      if (cell?.state === "failing" || cell?.state === "expected failing")
        missing.push({ what: `${text(one)} on ${platform}`, why: `${cell.state}: ${cell.why}` });
  const open = next?.cells.filter(({ cell }) => cell?.state !== "proven") ?? [];
  if (next)
    for (const { platform, cell } of open)
      missing.push({
        what: `${text(next)} on ${platform}`,
        why: cell ? [cell.state, cell.why].filter((part) => part !== "").join(": ") : "no plan has it",
      });
  const name = output === undefined ? "" : basename(output, ".yaml");
  const planId = [name, `settle_${manifestId}`].find(isId) ?? "settle";
  const plan =
    next && open.length > 0
      ? {
          path: `control_plane/plans/${planId}.yaml`,
          command: `factory run --plan ${planId}`,
          text: planText(
            {
              planId,
              manifestId,
              summary: `What is missing to prove ${combinationText(next.fragments)}`.slice(0, 200),
            },
            open.map(({ platform }) => ({ ...next, platform })),
            { remade, ownBase: baseRef(manifest.base) },
          ),
        }
      : null;

  const store = openStore(catalog.root);
  const cells = [];
  for (const { platform, cell } of found?.cells ?? []) {
    const id = cell?.record_id ?? null;
    const record = id === null ? null : await store.get(id);
    const { ref = null, digest = null } = record?.image ?? {};
    cells.push({
      platform,
      cell_id: cell?.cell_id ?? null,
      record_id: id,
      image: { ref, digest },
    });
  }
  const json = {
    manifest_id: manifestId,
    wants: options.want ?? [],
    platforms,
    found: found && { ...found, cells },
    missing,
    plan,
  };
  const exitCode = found ? 0 : 1;
  if (output === "-") return { text: plan?.text ?? "", isContent: true, json, exitCode };
  if (output !== undefined && plan)
    await writeOutput(resolve(context.cwd, output), [plan.text], context.signal);

  const { green, yellow, bold } = context.color;
  const lines = found
    ? [
        `${green("proven")}: ${bold(text(found))}`,
        table(
          ["PLATFORM", "RECORD", "IMAGE"],
          cells.map(({ platform, record_id, image: { ref, digest } }) => [
            platform,
            record_id ?? "",
            visible(`${ref ?? ""}${digest === null ? "" : `@${digest}`}`),
          ]),
          context.columns,
        ),
      ]
    : [yellow(`no combination of ${manifestId} that is meant is proven on ${platforms.join(", ")}`)];
  if (missing.length > 0) {
    lines.push("", found ? "newer, and not proven:" : "missing:");
    for (const { what, why } of missing.slice(0, 20)) lines.push(`  ${what}: ${visible(why)}`);
    if (missing.length > 20) lines.push(`  and ${missing.length - 20} more`);
  }
  if (plan && output === undefined)
    lines.push(
      "",
      `to settle it, write this to ${plan.path}, then \`${plan.command}\`:`,
      "",
      plan.text.trimEnd(),
    );
  else if (plan) lines.push("", `written to ${output}: \`${plan.command}\``);
  else if (!found && known.length === 0) lines.push("", "no cell that could be planned is meant");
  return { text: lines.join("\n"), json, exitCode };
}

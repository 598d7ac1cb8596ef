import { FactoryError } from "../errors.ts";
import type { DoctorDeps, Workspace } from "../doctor/deps.ts";
import type { Diagnosis, Health } from "../doctor/diagnosis.ts";
import { examine } from "../doctor/examine.ts";
import { visible } from "../model/visible.ts";
import type { CommandResult, Context } from "./context.ts";

/** The workspace as far as it can be opened: a doctor has to work without one too. */
async function workspaceOf(context: Context): Promise<Workspace> {
  try {
    const catalog = await context.catalog({ fetch: false });
    catalog.settings();
    return { catalog };
  } catch (error) {
    if (error instanceof FactoryError && error.code !== "INTERRUPTED") return { error };
    throw error;
  }
}

const WORST: readonly Health[] = ["broken", "warning", "ok"];

/** `factory doctor`: what works here, what does not, and what mends it. It exits with 1 if something is broken. */
export async function doctor(context: Context, { fix = false }: { fix?: boolean }): Promise<CommandResult> {
  const world = await context.world();
  const deps: DoctorDeps = {
    ...(await world.doctorDeps()),
    now: context.now,
    sweep: (catalog) => world.runDeps(catalog, { sbomWith: "factory" }).sweep(),
  };
  const workspace = await workspaceOf(context);
  let found = await examine(deps, workspace, context.signal);
  const mended: string[] = [];
  if (fix) {
    for (const { what, mend } of found)
      if (mend) {
        await mend();
        mended.push(what);
      }
    if (mended.length > 0) found = await examine(deps, workspace, context.signal);
  }
  const { green, yellow, red, dim } = context.color;
  const paint = { ok: green, warning: yellow, broken: red };
  const width = Math.max(...found.map(({ check }) => check.length));
  const line = ({ check, health, what, fix: how }: Diagnosis): string[] => [
    `${paint[health](health.padEnd(7))}  ${check.padEnd(width)}  ${visible(what)}`,
    ...(how === null ? [] : [`${" ".repeat(width + 11)}${dim(`fix: ${visible(how)}`)}`]),
  ];
  const count = (wanted: Health) => found.filter(({ health }) => health === wanted).length;
  const warnings = count("warning");
  const counts = `${count("ok")} ok, ${warnings} ${warnings === 1 ? "warning" : "warnings"}, ${count("broken")} broken`;
  return {
    text: [...mended.map((what) => `mended: ${visible(what)}`), ...found.flatMap(line), "", counts].join(
      "\n",
    ),
    json: {
      status: WORST.find((health) => count(health) > 0) ?? "ok",
      checks: found.map(({ check, health, what, fix: how }) => ({ check, status: health, what, fix: how })),
      mended,
    },
    exitCode: count("broken") > 0 ? 1 : 0,
    abandons: true,
  };
}

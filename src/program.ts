import { Command, type CommanderError, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { adoptVerb } from "./commands/adopt-verb.ts";
import { cacheVerb } from "./commands/cache-verb.ts";
import { completeVerb, completionVerb } from "./commands/completion-verb.ts";
import type { CommandResult, Context } from "./commands/context.ts";
import { diffVerb } from "./commands/diff-verb.ts";
import { explainVerb } from "./commands/explain-verb.ts";
import { doctorVerb } from "./commands/doctor-verb.ts";
import { initVerb } from "./commands/init-verb.ts";
import { inspectVerb } from "./commands/inspect-verb.ts";
import { libraryVerb } from "./commands/library-verb.ts";
import { loadVerb } from "./commands/load-verb.ts";
import { lockVerb } from "./commands/lock-verb.ts";
import { planVerb } from "./commands/plan-verb.ts";
import { mergeVerb } from "./commands/merge-verb.ts";
import { metricsVerb } from "./commands/metrics-verb.ts";
import { promoteVerb } from "./commands/promote-verb.ts";
import { pruneVerb } from "./commands/prune-verb.ts";
import { publishVerb } from "./commands/publish-verb.ts";
import { recordsVerb } from "./commands/records-verb.ts";
import { repackVerb } from "./commands/repack-verb.ts";
import { reproduceVerb } from "./commands/reproduce-verb.ts";
import { resolveVerb } from "./commands/resolve-verb.ts";
import { runVerb } from "./commands/run-verb.ts";
import { saveVerb } from "./commands/save-verb.ts";
import { sbomVerb } from "./commands/sbom-verb.ts";
import { scanVerb } from "./commands/scan-verb.ts";
import { schemaVerb } from "./commands/schema-verb.ts";
import { siteVerb } from "./commands/site-verb.ts";
import { smokeVerb } from "./commands/smoke-verb.ts";
import { stitchVerb } from "./commands/stitch-verb.ts";
import { tagsVerb } from "./commands/tags-verb.ts";
import { validateVerb } from "./commands/validate-verb.ts";
import { verifyVerb } from "./commands/verify-verb.ts";
import type { Act, Verb } from "./commands/verb.ts";
import { FactoryError } from "./errors.ts";
import { version } from "./version.ts";

/** Every verb, in the order of the help. */
const VERBS: readonly Verb[] = [
  initVerb,
  doctorVerb,
  adoptVerb,
  validateVerb,
  stitchVerb,
  planVerb,
  explainVerb,
  resolveVerb,
  lockVerb,
  libraryVerb,
  runVerb,
  smokeVerb,
  sbomVerb,
  inspectVerb,
  diffVerb,
  recordsVerb,
  metricsVerb,
  siteVerb,
  reproduceVerb,
  repackVerb,
  tagsVerb,
  mergeVerb,
  publishVerb,
  promoteVerb,
  verifyVerb,
  scanVerb,
  cacheVerb,
  pruneVerb,
  saveVerb,
  loadVerb,
  schemaVerb,
  completionVerb,
];

/** The options that every command takes. */
export interface GlobalOptions {
  workspace?: string;
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  color?: boolean;
}

/** Gives a command and its subcommands the settings of its parent. */
function inherit(command: CommandUnknownOpts, parent: CommandUnknownOpts): CommandUnknownOpts {
  command.copyInheritedSettings(parent);
  for (const below of command.commands) inherit(below, command);
  return command;
}

/**
 * The whole command line. A verb's code is loaded when the verb is called; its result goes to `finish`.
 */
export function createProgram(
  context: (options: GlobalOptions) => Context,
  finish: (result: CommandResult) => void,
): CommandUnknownOpts {
  const program = new Command("factory")
    .description(
      "A production line for container images: stitch, plan, build, smoke-test, inventory and record.",
    )
    .option(
      "--workspace <dir>",
      "the workspace (default: $FACTORY_WORKSPACE, else the nearest folder upward with factory.yaml)",
    )
    .option("--json", "one JSON document on stdout")
    .addOption(new Option("--quiet", "no progress on stderr").conflicts("verbose"))
    .option("--verbose", "show each outside program that is run, on stderr")
    .option("--no-color", "no colours ($NO_COLOR)")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .version(version, "-V, --version", "show the version")
    .showSuggestionAfterError(true)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({ writeErr: () => undefined, outputError: () => undefined })
    .addHelpText(
      "after",
      "\nExamples:\n  factory stitch --manifest-id llm_factory\n  factory plan baseline_core_light\n  factory run --manifest-id llm_factory\n  factory records list --status fail\n\nExit codes: 0 ok, 1 a verdict is negative, 2 bad input or usage, 3 the environment lacks something, 70 a bug, 130 interrupted",
    );

  const act: Act =
    (call) =>
    async (...args) => {
      const command = args.at(-1) as CommandUnknownOpts;
      finish(await call(context(command.optsWithGlobals()), ...args));
    };
  for (const verb of VERBS) program.addCommand(inherit(verb(act, program), program));
  program.addCommand(inherit(completeVerb(act, program), program).helpOption(false), { hidden: true });
  return program;
}

/** Commander's error as one of ours; null if it only ended after a help that was asked for. */
export function usageError(error: CommanderError): FactoryError | null {
  if (error.exitCode === 0) return null;
  if (error.code === "commander.help") {
    return new FactoryError("USAGE", "no known command is named", {
      fix: "see `factory --help`",
    });
  }
  const message = error.message.replace(/^error: /, "");
  const guess = /\n\(Did you mean (.+)\?\)$/.exec(message);
  const what = guess ? message.slice(0, guess.index) : message;
  // An operand after `--`: that it resembles an option helps nobody.
  const isOperand = error.code === "commander.unknownCommand" && what.includes("'-");
  const fix = isOperand ? undefined : guess?.[1];
  return new FactoryError("USAGE", what.replace(/\.$/, ""), {
    fix: fix ? `did you mean ${fix}?` : "see `factory --help`",
  });
}

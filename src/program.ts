import type { CommanderError } from "commander";
import { Command, InvalidArgumentError, Option } from "commander";
import type { CommandResult, Context } from "./commands/context.ts";
import { FactoryError } from "./errors.ts";
import { version } from "./version.ts";

/** The options that every command takes. */
export interface GlobalOptions {
  workspace?: string;
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  color?: boolean;
}

function wholeNumber(least: number) {
  return (text: string): number => {
    const number = Number(text);
    if (!/^\d{1,9}$/.test(text) || number < least)
      throw new InvalidArgumentError(`It takes a whole number, ${least} or more.`);
    return number;
  };
}

const collect = (text: string, before: string[] | undefined) => [...(before ?? []), text];

/**
 * Every command, with its options and its help. An action loads its command when it is called, and hands the result
 * to `finish`.
 */
export function createProgram(
  context: (options: GlobalOptions) => Context,
  finish: (result: CommandResult) => void,
): Command {
  const program = new Command("factory")
    .description(
      "A production line for container images: stitch, plan, build, smoke-test, inventory and record.",
    )
    .option(
      "--workspace <dir>",
      "the workspace (default: the nearest folder upward with factory.yaml; $FACTORY_WORKSPACE)",
    )
    .option("--json", "one JSON document on stdout")
    .addOption(new Option("--quiet", "no progress on stderr").conflicts("verbose"))
    .option("--verbose", "each outside program that is run, on stderr")
    .option("--no-color", "no colours ($NO_COLOR)")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .version(version, "-V, --version", "show the version")
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined, outputError: () => undefined })
    .addHelpText(
      "after",
      "\nExamples:\n  factory stitch --manifest-id llm_factory\n  factory plan baseline_core_light\n  factory run --manifest-id llm_factory\n  factory records list --status fail\n\nExit codes: 0 ok, 1 a verdict is negative, 2 bad input or usage, 3 the environment lacks something, 70 a bug, 130 interrupted",
    );

  const act =
    <A extends unknown[]>(call: (context: Context, ...args: A) => Promise<CommandResult>) =>
    async (...args: unknown[]) => {
      // Commander adds the command itself as the last argument.
      const command = args.at(-1) as Command;
      finish(await call(context(command.optsWithGlobals()), ...(args.slice(0, -1) as A)));
    };
  const command = (parent: Command, name: string, description: string, examples: string[] = []) => {
    const added = parent.command(name).description(description);
    added.configureHelp({ showGlobalOptions: true });
    return examples.length === 0
      ? added
      : added.addHelpText("after", `\nExamples:\n${examples.map((line) => `  ${line}`).join("\n")}`);
  };
  const manifestId = (more = "") => new Option("--manifest-id <id>", `the manifest${more}`);
  // Not mandatory to commander, which would name the missing option before it names a misspelt one.
  const needManifest = <O extends { manifestId?: string }>(options: O): O & { manifestId: string } => {
    const { manifestId: id } = options;
    if (id !== undefined) return { ...options, manifestId: id };
    throw new FactoryError("USAGE", "no manifest is named", { fix: "pass --manifest-id ID" });
  };
  const sbomWith = () =>
    new Option("--sbom-with <tool>", "what writes the SBOM").choices(["factory", "syft"]).default("factory");

  command(program, "validate", "show every finding of the workspace at once", [
    "factory validate",
    "factory validate --workspace ../images --json",
  ]).action(act(async (ctx) => (await import("./commands/validate.ts")).validate(ctx)));

  command(program, "stitch", "render a manifest to a Dockerfile", [
    "factory stitch --manifest-id llm_factory",
    "factory stitch --manifest-id llm_factory --set core=0.3.0 --arg port=9090 -o -",
    "factory stitch --manifest-id llm_factory -o Dockerfile --check",
  ])
    .addOption(manifestId(" (required)"))
    .option("--set <fragment=version>", "another version or range of a fragment (repeatable)", collect)
    .option("--arg <name=value>", "another value of an argument (repeatable)", collect)
    .option("-o, --output <file>", "where to, or - for stdout (default: .factory/stitch/ID/Dockerfile)")
    .option("--check", "write nothing; exit 1 where the file differs")
    .action(
      act(async (ctx, options: object) =>
        (await import("./commands/stitch.ts")).stitch(ctx, needManifest(options)),
      ),
    );

  /** What plan, run and explain ask about cells in the same words. */
  const planning = {
    locked: () => new Option("--locked", "versions and base digests are those of factory.lock"),
    reuse: () => new Option("--reuse", "ask the records: what is proven is not run again"),
    since: () =>
      new Option("--since <ref>", "only cells that differ from the merge base with a branch or commit"),
    filter: () =>
      new Option(
        "--filter <key=id>",
        "of all plans, those over manifest=ID or product=ID (repeatable)",
      ).argParser(collect),
    changed: () =>
      new Option(
        "--changed-files-from <file>",
        "only cells that read one of these paths, one a line; - for stdin",
      ).conflicts("since"),
  };

  command(program, "plan", "expand plans, or one manifest, to cells: all plans where none is named", [
    "factory plan baseline_core_light",
    "factory plan --reuse --since origin/main",
    "factory plan baseline_core_light --format bake -o docker-bake.hcl",
    "factory plan --format github --max-jobs 256",
    "git diff --name-only origin/main... | factory plan --changed-files-from -",
  ])
    .argument("[plan-id]", "the plan")
    .addOption(manifestId(", by itself"))
    .addOption(planning.filter())
    .addOption(planning.reuse())
    .addOption(planning.since())
    .addOption(planning.changed())
    .addOption(planning.locked())
    .addOption(
      new Option("--format <format>", "what to write (default: table; json with --json)").choices([
        "table",
        "json",
        "bake",
        "github",
        "dot",
        "mermaid",
      ]),
    )
    .addOption(
      new Option("--shards <n>", "split into so many shards, for `factory run --shard K/N`").argParser(
        wholeNumber(1),
      ),
    )
    .addOption(
      new Option("--max-jobs <n>", "one job a cell, and at most so many (default for github: 256)")
        .argParser(wholeNumber(1))
        .conflicts("shards"),
    )
    .option("-o, --output <file>", "where to, or - for stdout; for several bake files, a folder")
    .action(
      act(async (ctx, planId: string | undefined, options: object) =>
        (await import("./commands/plan.ts")).plan(ctx, { ...options, planId }),
      ),
    );

  command(program, "explain", "say what is to be done about a cell, why, and what differs", [
    "factory explain llm_factory.core-0.1.0.light-0.2.0.linux-amd64",
  ])
    .argument("<cell-id>", "a cell of a plan, or of a manifest by itself")
    .addOption(planning.locked())
    .action(
      act(async (ctx, cellId: string, options: object) =>
        (await import("./commands/explain.ts")).explain(ctx, cellId, options),
      ),
    );

  command(program, "lock", "write what ranges and base images stand for to factory.lock", [
    "factory lock",
    "factory lock --update",
    "factory lock --check --json",
  ])
    .option("--manifest-id <id>", "only what this manifest and its plans need (repeatable)", collect)
    .option("--update", "take the newest versions and digests of all, not of what is missing alone")
    .addOption(
      new Option("--check", "write nothing; exit 1 where --update would write something else").conflicts(
        "update",
      ),
    )
    .action(act(async (ctx, options: object) => (await import("./commands/lock.ts")).lock(ctx, options)));

  command(program, "run", "build, smoke-test, inventory and record cells", [
    "factory run --manifest-id llm_factory",
    "factory run --plan baseline_core_light --jobs 4",
    "factory run --all --reuse --since origin/main --shard 3/16",
    "factory run --plan baseline_core_light --cell llm_factory.core-0.1.0.light-0.2.0.linux-amd64 --push",
  ])
    .addOption(manifestId().conflicts("plan"))
    .option("--plan <id>", "the plan")
    .addOption(new Option("--all", "every plan of the workspace").conflicts(["plan", "manifestId"]))
    .addOption(planning.filter())
    .option("--cell <id>", "only this cell (repeatable)", collect)
    .addOption(planning.reuse())
    .addOption(planning.since())
    .addOption(
      new Option("--shard <k/n>", "only the cells of one shard, as `factory plan` numbers them").conflicts(
        "cell",
      ),
    )
    .addOption(planning.locked())
    .option(
      "--platform <platform>",
      "only this platform; `all` insists on every one (default: what the engine can build)",
    )
    .option("--jobs <n>", "cells at once (default: four per processor, 16 at most)", wholeNumber(1))
    .option("--push", "push what passed")
    .option("--force", "build even what is proven, whatever --reuse says")
    .addOption(sbomWith())
    .action(act(async (ctx, options: never) => (await import("./commands/run.ts")).run(ctx, options)));

  command(program, "smoke", "run a manifest's smoke tests against an image", [
    "factory smoke my/image:tag --manifest-id llm_factory",
  ])
    .argument("<image>", "an image that the engine has")
    .addOption(manifestId(" (required)"))
    .option("--platform <platform>", "the image's platform")
    .action(
      act(async (ctx, image: string, options: object) =>
        (await import("./commands/smoke.ts")).smoke(ctx, image, needManifest(options)),
      ),
    );

  command(program, "sbom", "write the SBOM of an image as CycloneDX JSON", [
    "factory sbom debian:bookworm-slim -o sbom.cdx.json",
  ])
    .argument("<image>", "an image that the engine has")
    .option("-o, --output <file>", "where to, or - for stdout")
    .option("--platform <platform>", "the image's platform")
    .addOption(sbomWith())
    .action(
      act(async (ctx, image: string, options: never) =>
        (await import("./commands/sbom.ts")).sbom(ctx, image, options),
      ),
    );

  const records = command(program, "records", "browse and verify the compatibility records", [
    "factory records list --status fail",
    "factory records verify",
  ]);
  command(records, "list", "list records, the newest first", [
    "factory records list --manifest-id llm_factory --since 7d --limit 20",
  ])
    .addOption(manifestId())
    .addOption(new Option("--status <status>", "only these").choices(["pass", "fail", "error"]))
    .option("--since <moment>", "an ISO 8601 date or time, or how long ago: 90m, 12h, 7d, 2w")
    .option("--limit <n>", "at most so many", wholeNumber(1))
    .action(
      act(async (ctx, options: never) => (await import("./commands/records.ts")).recordsList(ctx, options)),
    );
  command(records, "show", "show one record", ["factory records show 20260131t120000000z-1a2b3c4d"])
    .argument("<record-id>")
    .action(act(async (ctx, id: string) => (await import("./commands/records.ts")).recordsShow(ctx, id)));
  command(
    records,
    "verify",
    "hash all evidence again and compare; exit 1 where something differs or is missing",
    ["factory records verify", "factory records verify 20260131t120000000z-1a2b3c4d --json"],
  )
    .argument("[record-id]", "only this record")
    .action(
      act(async (ctx, id: string | undefined) =>
        (await import("./commands/records.ts")).recordsVerify(ctx, id),
      ),
    );

  command(program, "completion", "print a shell's completion script", ["source <(factory completion bash)"])
    .argument("<shell>", "bash, zsh or fish")
    .action(act(async (_ctx, shell: string) => (await import("./commands/completion.ts")).completion(shell)));
  program
    .command("__complete", { hidden: true })
    .argument("[words...]")
    .allowUnknownOption()
    .helpOption(false)
    .action(
      act(async (ctx, words: string[]) =>
        (await import("./commands/completion.ts")).complete(ctx, program, words),
      ),
    );

  return program;
}

/** Commander's own error as one of ours; null where it only ended after the help that was asked for. */
export function usageError(error: CommanderError): FactoryError | null {
  if (error.exitCode === 0) return null;
  if (error.code === "commander.help") {
    return new FactoryError("USAGE", "no command is named, or none that there is", {
      fix: "see `factory --help`",
    });
  }
  const [what = "", guess] = error.message.replace(/^error: /, "").split("\n");
  const fix = /Did you mean (.+)\?/.exec(guess ?? "")?.[1];
  return new FactoryError("USAGE", what.replace(/\.$/, ""), {
    fix: fix ? `did you mean ${fix}?` : "see `factory --help`",
  });
}

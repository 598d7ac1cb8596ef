import { Option } from "@commander-js/extra-typings";
import {
  type Act,
  manifestFlag,
  needManifest,
  outputPath,
  repeated,
  shareFlag,
  type Verb,
  verb,
  wholeNumber,
} from "./verb.ts";

const list = (act: Act) =>
  verb("list", "list records that match, newest first, or groups of them", [
    "factory records list --manifest-id llm_factory --since 7d --limit 20",
    "factory records list --fragment 'core>=0.2' --status fail --format csv",
    "factory records list --package 'openssl<3.0.15'",
    "factory records list --group-by fragment:core,status",
  ])
    .addOption(manifestFlag())
    .option("--cell <id>", "only records of this cell")
    .option("--platform <platform>", "only records of this platform")
    .addOption(
      new Option("--status <status>", "only records with this status").choices(["pass", "fail", "error"]),
    )
    .option("--class <class>", "only failures of this class")
    .option("--digest <digest>", "only records of this image: its digest, or at least six hex digits of it")
    .addOption(
      new Option(
        "--fragment <name[range]>",
        "only records with this fragment: core, core=0.2.0, 'core>=0.2' (repeatable)",
      ).argParser(repeated),
    )
    .addOption(
      new Option(
        "--package <name[range]>",
        "only records whose image holds this package by its SBOM: openssl, 'openssl<3.0.15', 'npm:@scope/name>=1,<2' (repeatable)",
      ).argParser(repeated),
    )
    .option("--since <moment>", "an ISO 8601 date or time, or how long ago: 90m, 12h, 7d, 2w")
    .option("--until <moment>", "likewise; also keeps pages from moving while records are added")
    .option(
      "--sort <field>",
      "lowest first: time, duration, size, manifest, cell, platform, status, stage, class, template, base, tag, digest, fragment:NAME",
    )
    .option("--reverse", "the other way round; without --sort, oldest first")
    .option("--group-by <fields>", "count records by these fields, such as platform,fragment:core")
    .option("--offset <n>", "leave out this many at the beginning", wholeNumber(0))
    .option("--limit <n>", "at most this many", wholeNumber(1))
    .addOption(
      new Option("--format <format>", "what to write (default: table; json with --json)").choices([
        "table",
        "json",
        "ndjson",
        "csv",
      ] as const),
    )
    .action(
      act(async (context, options) => (await import("./records-list.ts")).recordsList(context, options)),
    );

const show = (act: Act) =>
  verb("show", "show one record", ["factory records show 20260131t120000000z-1a2b3c4d5e6f7890"])
    .argument("<record-id>")
    .action(act(async (context, id) => (await import("./records.ts")).recordsShow(context, id)));

const verify = (act: Act) =>
  verb(
    "verify",
    "compute again what the evidence proves; exit 1 if a record differs from it or something is missing",
    ["factory records verify", "factory records verify 20260131t120000000z-1a2b3c4d5e6f7890 --json"],
  )
    .argument("[record-id]", "only this record")
    .action(act(async (context, id) => (await import("./records.ts")).recordsVerify(context, id)));

const push = (act: Act) =>
  verb("push", "push the records that the remote does not have", [
    "factory records push",
    "FACTORY_RECORDS_REMOTE=oci://registry.example/team/records factory records push --json",
  ])
    .addOption(manifestFlag(": only its records"))
    .action(act(async (context, options) => (await import("./records.ts")).recordsPush(context, options)));

const pull = (act: Act) =>
  verb("pull", "fetch the records that are not here", ["factory records pull"]).action(
    act(async (context) => (await import("./records.ts")).recordsPull(context)),
  );

const sync = (act: Act) =>
  verb("sync", "pull, then push", ["factory records sync --json"]).action(
    act(async (context) => (await import("./records.ts")).recordsSync(context)),
  );

const prune = (act: Act) =>
  verb("prune", "delete evidence of old records that nothing needs; without --yes, say which", [
    "factory records prune --older-than 90d",
    "factory records prune --manifest-id llm_factory --yes",
    "factory records prune --max-share 0.9 --yes --json",
  ])
    .option("--older-than <age>", "how old: 24h, 90d, 26w; default: what the policies of products say")
    .addOption(manifestFlag(": only its records"))
    .addOption(shareFlag("refuse to prune more than this share of the records"))
    .option("--yes", "delete it")
    .action(
      act(async (context, options) => (await import("./records-prune.ts")).recordsPrune(context, options)),
    );

const lockedFlag = () => new Option("--locked", "take versions and base digests from factory.lock");
const checkFlag = () => new Option("--check", "write nothing; exit 1 if the file would change");

const matrix = (act: Act) =>
  verb("matrix", "what is known to work, by the values of two axes", [
    "factory records matrix --manifest-id llm_factory --rows core --cols light",
    "factory records matrix --manifest-id llm_factory --rows core --cols light --per platform --format svg -o matrix.svg",
  ])
    .addOption(manifestFlag())
    .option("--rows <axis>", "the axis of the rows: a fragment, a named axis, platform, base or args.NAME")
    .option("--cols <axis>", "the axis of the columns, likewise")
    .option("--per <axis>", "one table for each value of this axis")
    .addOption(lockedFlag())
    .addOption(
      new Option("--format <format>", "what to write (default: table; json with --json)").choices([
        "table",
        "markdown",
        "svg",
        "json",
      ] as const),
    )
    .option("-o, --output <file>", "where to write, or - for stdout", outputPath)
    .addOption(checkFlag())
    .action(
      act(async (context, options) =>
        (await import("./matrix.ts")).recordsMatrix(context, needManifest(options)),
      ),
    );

const badge = (act: Act) =>
  verb("badge", "a picture that says how much of a product is proven", [
    "factory records badge --product llm_factory -o docs/llm_factory.svg",
  ])
    .requiredOption("--product <id>", "the product")
    .addOption(lockedFlag())
    .option("-o, --output <file>", "where to write, or - for stdout", outputPath)
    .addOption(checkFlag())
    .action(act(async (context, options) => (await import("./matrix.ts")).recordsBadge(context, options)));

const readme = (act: Act) =>
  verb("readme", "keep the marked tables of a Markdown file current", [
    "factory records readme",
    "factory records readme docs/compatibility.md --locked --check",
  ])
    .argument("[file]", "the file (default: README.md)")
    .addOption(lockedFlag())
    .addOption(checkFlag())
    .action(
      act(async (context, file, options) =>
        (await import("./matrix.ts")).recordsReadme(context, file, options),
      ),
    );

export const recordsVerb: Verb = (act) =>
  verb("records", "browse and verify the compatibility records", [
    "factory records list --status fail",
    "factory records verify",
  ])
    .addCommand(list(act))
    .addCommand(matrix(act))
    .addCommand(badge(act))
    .addCommand(readme(act))
    .addCommand(show(act))
    .addCommand(verify(act))
    .addCommand(push(act))
    .addCommand(pull(act))
    .addCommand(sync(act))
    .addCommand(prune(act));

import { Command, type CommandUnknownOpts, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { FactoryError } from "../errors.ts";
import type { CommandResult, Context } from "./context.ts";

/**
 * Turns a call into an action: it makes the context, awaits the call and passes its result on. The call gets what
 * commander gives an action: arguments, options and the command itself.
 */
export type Act = <A extends unknown[]>(
  call: (context: Context, ...args: A) => Promise<CommandResult>,
) => (...args: A) => Promise<void>;

/**
 * Declares a verb: its flags, its help and its action. Declaring it loads nothing: its action imports the code of the
 * verb when it is called. `root` is the whole program, which completion reads.
 */
export type Verb = (act: Act, root: CommandUnknownOpts) => CommandUnknownOpts;

/**
 * A command with its line in the list of commands and its examples.
 * @param examples whole command lines, at least one
 */
export function verb(name: string, summary: string, examples: readonly string[]): Command {
  return new Command(name)
    .description(summary)
    .addHelpText("after", `\nExamples:\n${examples.map((line) => `  ${line}`).join("\n")}`);
}

/** Reads a whole number of at least `least`. @throws InvalidArgumentError */
export function wholeNumber(least: number) {
  return (text: string): number => {
    const number = Number(text);
    if (!/^\d{1,9}$/.test(text) || number < least)
      throw new InvalidArgumentError(`It has to be a whole number, ${least} or more.`);
    return number;
  };
}

/**
 * Reads the name of an image. Docker would take one that starts with `-` for an option.
 * @throws InvalidArgumentError
 */
export function imageName(text: string): string {
  if (/^[A-Za-z0-9][!-~]*$/.test(text)) return text;
  throw new InvalidArgumentError("It has to be an image, such as debian:bookworm-slim or its digest.");
}

/** Reads where to write. @throws InvalidArgumentError */
export function outputPath(text: string): string {
  if (text !== "" && !text.includes("\0")) return text;
  throw new InvalidArgumentError("It has to be a path, or - for stdout.");
}

/** Collects the values of a repeatable option. */
export const repeated = (text: string, before: string[] | undefined): string[] => [...(before ?? []), text];

export const manifestFlag = (more = "") => new Option("--manifest-id <id>", `the manifest${more}`);

/** Reads a share: above 0, at most 1. @throws InvalidArgumentError */
function share(text: string): number {
  const number = Number(text);
  if (/^(0?\.\d{1,4}|1(\.0+)?)$/.test(text) && number > 0) return number;
  throw new InvalidArgumentError("It has to be a share, such as 0.5; 1 for everything.");
}

/** More than this share is not deleted at once. */
export const shareFlag = (what: string) =>
  new Option("--max-share <share>", what).argParser(share).default(0.5);

/**
 * The options, with the manifest that they have to name. Commander is not told that it is mandatory: it would report the
 * missing option before a misspelt one.
 * @throws FactoryError USAGE
 */
export function needManifest<O extends { manifestId?: string }>(options: O): O & { manifestId: string } {
  const { manifestId } = options;
  if (manifestId !== undefined) return { ...options, manifestId };
  throw new FactoryError("USAGE", "no manifest is named", { fix: "pass --manifest-id ID" });
}

export const sbomWithFlag = () =>
  new Option("--sbom-with <tool>", "what writes the SBOM")
    .choices(["factory", "syft"])
    .default("factory" as const);

/** Options of the commands that move tags. */
export const movingFlags = {
  dryRun: () => new Option("--dry-run", "say which tags would be moved, and move none"),
  wait: () =>
    new Option("--wait <seconds>", "how long to wait for another publisher (default: not at all)").argParser(
      wholeNumber(0),
    ),
};

/** Options that plan, run and explain share. */
export const planningFlags = {
  locked: () => new Option("--locked", "take versions and base digests from factory.lock"),
  reuse: () => new Option("--reuse", "ask the records, and do not repeat what they prove"),
  since: () =>
    new Option("--since <ref>", "only cells that differ from the merge base with a branch or commit"),
  filter: () =>
    new Option(
      "--filter <key=id>",
      "of all plans, only those over manifest=ID or product=ID (repeatable)",
    ).argParser(repeated),
  changed: () =>
    new Option(
      "--changed-files-from <file>",
      "only cells that read one of these paths, one per line; - for stdin",
    ).conflicts("since"),
};

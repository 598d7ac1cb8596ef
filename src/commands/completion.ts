import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { FactoryError } from "../errors.ts";
import { didYouMean } from "../catalog/suggest.ts";
import type { CommandResult, Context } from "./context.ts";

const SCRIPTS: Record<string, string> = {
  bash: `_factory() {
  local IFS=$'\\n'
  COMPREPLY=($(factory __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _factory factory`,
  zsh: `#compdef factory
_factory() {
  local -a found
  found=("\${(@f)$(factory __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -- $found
}
compdef _factory factory`,
  fish: `function __factory_complete
  set -l words (commandline -opc) (commandline -ct)
  factory __complete -- $words[2..-1] 2>/dev/null
end
complete -c factory -f -a '(__factory_complete)'`,
};

/** `factory completion SHELL`: the script for the shell's start-up file. @throws FactoryError USAGE */
export function completion(shell: string): Promise<CommandResult> {
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined) {
    const guess = didYouMean(shell, Object.keys(SCRIPTS));
    throw new FactoryError("USAGE", `there is no completion for ${JSON.stringify(shell)}`, {
      fix: guess ? `did you mean ${guess}?` : `there is one for: ${Object.keys(SCRIPTS).join(", ")}`,
    });
  }
  return Promise.resolve({ text: script, isContent: true, json: { shell, script } });
}

/** The values of an option or an argument. */
async function values(context: Context, name: string, command: CommandUnknownOpts): Promise<string[]> {
  const choices = command.options.find((option) => option.long === name)?.argChoices;
  if (choices) return [...choices];
  const catalog = await context.catalog({ fetch: false });
  if (name === "--manifest-id" || name === "--failures") return catalog.manifestIds();
  if (name === "--plan" || name === "plan-id") return catalog.planIds();
  if (name === "library") return catalog.libraries().map((library) => library.name);
  if (name === "--platform") return ["all", "linux/amd64", "linux/arm64"];
  if (name === "record-id") {
    const { openStore } = await import("../pipeline/open-store.ts");
    return (await openStore(catalog.root).list({ limit: 50 })).records.map(({ record_id }) => record_id);
  }
  return [];
}

/** The words that may come next, one per line. An unreadable workspace gives no words, and no error. */
export async function complete(
  context: Context,
  program: CommandUnknownOpts,
  words: string[],
): Promise<CommandResult> {
  const current = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  let command = program;
  let positional = 0;
  for (const [at, word] of before.entries()) {
    const next = command.commands.find((one) => one.name() === word);
    if (next) command = next;
    else if (!word.startsWith("-") && !before[at - 1]?.startsWith("-")) positional += 1;
  }
  const last = before.at(-1);
  const option = [...command.options, ...program.options].find(
    (one) => last !== undefined && (one.long === last || one.short === last),
  );
  let found: string[];
  if (option && (option.required || option.optional)) {
    found = await values(context, option.long ?? "", command).catch(() => []);
  } else {
    const last = command.registeredArguments.at(-1);
    const argument = command.registeredArguments[positional] ?? (last?.variadic ? last : undefined);
    found = [
      ...command.commands.map((one) => one.name()).filter((name) => !name.startsWith("__")),
      ...(argument
        ? argument.name() === "shell"
          ? Object.keys(SCRIPTS)
          : await values(context, argument.name(), command).catch(() => [])
        : []),
      ...(current.startsWith("-")
        ? [...command.options, ...program.options].flatMap((one) => one.long ?? [])
        : []),
    ];
  }
  const text = found.filter((word) => word.startsWith(current)).join("\n");
  return { text, json: found };
}

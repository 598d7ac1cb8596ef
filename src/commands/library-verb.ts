import { type Act, type Verb, verb } from "./verb.ts";

const list = (act: Act) =>
  verb("list", "what each library brings, and whether it is what factory.lock says", [
    "factory library list",
  ]).action(act(async (context) => (await import("./library.ts")).libraryList(context)));

const add = (act: Act) =>
  verb("add", "declare a library in factory.yaml, and lock what it holds", [
    "factory library add company oci://ghcr.io/company/fragments:1.4",
    "factory library add company vendor/company",
  ])
    .argument("<name>", "what comes before the names of its fragments: `company.core`")
    .argument("<source>", "oci://HOST/REPOSITORY:TAG, or a folder of the workspace")
    .action(
      act(async (context, name, source) => (await import("./library.ts")).libraryAdd(context, name, source)),
    );

const update = (act: Act) =>
  verb("update", "take what a library's tag means now, or what is in its folder now", [
    "factory library update",
    "factory library update company --to 1.5",
  ])
    .argument("[library...]", "default: all")
    .option("--to <tag>", "follow another tag from now on; for one library")
    .action(
      act(async (context, names, options) =>
        (await import("./library.ts")).libraryUpdate(context, names, options),
      ),
    );

const outdated = (act: Act) =>
  verb("outdated", "what `update` would change, and newer tags; exit 1 if there is anything", [
    "factory library outdated",
  ])
    .argument("[library...]", "default: all")
    .action(act(async (context, names) => (await import("./library.ts")).libraryOutdated(context, names)));

const push = (act: Act) =>
  verb("push", "push this workspace's fragments and templates as a library", [
    "factory library push oci://ghcr.io/company/fragments:1.4",
  ])
    .argument("<reference>", "oci://HOST/REPOSITORY:TAG")
    .option("--replace", "move the tag if it holds something else")
    .action(
      act(async (context, to, options) => (await import("./library.ts")).libraryPush(context, to, options)),
    );

export const libraryVerb: Verb = (act) =>
  verb("library", "use fragments and templates from elsewhere, and share your own", [
    "factory library add company oci://ghcr.io/company/fragments:1.4",
    "factory library outdated",
  ])
    .addCommand(list(act))
    .addCommand(add(act))
    .addCommand(update(act))
    .addCommand(outdated(act))
    .addCommand(push(act));

// The arrows of docs/architecture.md, enforced. Imports of types count too, unless a rule says otherwise.
const STAGES = [
  "catalog",
  "stitch",
  "plan",
  "builder",
  "smoke",
  "sbom",
  "records",
  "causes",
  "telemetry",
  "proof",
  "scan",
  "pipeline",
  "run",
  "publish",
  "cleanup",
  "handover",
  "compare",
  "reproduce",
  "inspect",
  "repack",
  "adopt",
  "library",
  "doctor",
  "site",
];
const stages = STAGES.join("|");

/** The kinds of smoke tests are part of the vocabulary: their explicit form is hashed. What they do is handed in. */
const KINDS = "^src/smoke/(kinds/|(match|outcome|settings|text)\\.ts$)";

const toTheLeftOnly = STAGES.slice(0, -1).map((stage, at) => ({
  name: `${stage}-imports-left`,
  comment: `what ${stage} needs from a later stage is handed in as a function`,
  severity: "error",
  from: { path: `^src/${stage}/` },
  to: { path: `^src/(${STAGES.slice(at + 1).join("|")})/`, pathNot: KINDS },
}));

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    ...toTheLeftOnly,
    {
      name: "every-folder-has-its-place",
      comment: "a new folder of src/ is added to this file, and to docs/architecture.md",
      severity: "error",
      from: {
        path: "^src/[^/]+/",
        pathNot: `^src/(${stages}|ci|commands|files|model|schemas|screen|solver|tools)/`,
      },
      to: {},
    },
    {
      name: "bottom-stands-alone",
      comment: "model, schemas, errors and version know nothing of the rest",
      severity: "error",
      from: { path: "^src/(model/|schemas/|errors\\.ts$|version\\.ts$)" },
      to: { path: "^src/", pathNot: ["^src/(model/|schemas/|errors\\.ts$)", KINDS] },
    },
    {
      name: "kinds-of-tests-stand-low",
      comment: "stitch hashes their forms: they know model, schemas and errors, and no tool",
      severity: "error",
      from: { path: KINDS },
      to: { path: "^src/", pathNot: ["^src/(model/|schemas/|errors\\.ts$)", KINDS] },
    },
    {
      name: "the-solver-stands-low",
      comment: "it knows columns, values and rules, and no document",
      severity: "error",
      from: { path: "^src/solver/" },
      to: { path: "^src/", pathNot: "^src/(solver/|model/|errors\\.ts$)" },
    },
    {
      name: "files-stand-low",
      comment: "reading and writing of files; it knows no stage",
      severity: "error",
      from: { path: "^src/files/" },
      to: { path: "^src/", pathNot: "^src/(files/|model/|errors\\.ts$)" },
    },
    {
      name: "stages-know-no-command",
      comment: "a stage imports stages to its left, model, schemas, errors, and types of tools",
      severity: "error",
      from: { path: `^src/(${stages})/` },
      to: { path: "^src/(commands/|[^/]+\\.ts$)", pathNot: "^src/errors\\.ts$" },
    },
    {
      name: "run-knows-no-terminal",
      comment: "a run tells events; what shows them reads those",
      severity: "error",
      from: { path: `^src/(${stages})/` },
      to: { path: "^src/screen/" },
    },
    {
      name: "stages-get-tools-handed-in",
      comment: "a stage imports the type of a tool, and is given the tool",
      severity: "error",
      from: { path: `^src/(${stages})/` },
      to: { path: "^src/tools/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "pure-half-has-no-world",
      comment: "catalog, stitch and plan run without engine, network and git",
      severity: "error",
      from: { path: "^src/(model|schemas|solver|catalog|stitch|plan)/" },
      to: { path: "^(src/tools/|(node:)?(child_process|dgram|dns|http|http2|https|net|tls|undici)(/|$))" },
    },
    {
      name: "ci-stands-low",
      comment: "what is known of CI systems is pure: the environment is handed in",
      severity: "error",
      from: { path: "^src/ci/" },
      to: { path: "^", pathNot: "^src/(ci/|model/|errors\\.ts$)" },
    },
    {
      name: "screen-stands-low",
      comment: "what is shown comes from events and results: the screen knows no stage and drives nothing",
      severity: "error",
      from: { path: "^src/screen/" },
      to: { path: "^src/", pathNot: "^src/(screen/|model/|schemas/|errors\\.ts$)" },
    },
    {
      name: "tools-stand-low",
      comment: "a tool wraps one program or service; it knows no stage",
      severity: "error",
      from: { path: "^src/tools/" },
      to: { path: "^src/", pathNot: "^src/(tools/|files/|model/|errors\\.ts$)" },
    },
    {
      name: "commands-wire-nothing",
      comment: "a command gets the world from its context; cli.ts, surroundings.ts and world.ts make it",
      severity: "error",
      from: { path: "^src/commands/" },
      to: {
        path: "^src/(tools/|(cli|context|program|world)\\.ts$)",
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "commands-touch-no-files",
      comment: "they are read and written by stages, and by src/files/",
      severity: "error",
      from: { path: "^src/commands/" },
      to: { path: "^(node:)?fs(/|$)" },
    },
    {
      name: "declaring-a-verb-loads-nothing",
      comment:
        "every start pays for all declarations: the code of a verb is imported when the verb is called",
      severity: "error",
      from: { path: "^src/(program|commands/(verb|[a-z-]+-verb))\\.ts$" },
      to: {
        path: "^(src/|(node:)?[a-z])",
        pathNot:
          "^(src/(errors|version|ci/[a-z-]+|plan/formats/formats|commands/(verb|[a-z-]+-verb))\\.ts$|node_modules/@commander-js/)",
        dependencyTypesNot: ["type-only"],
        dynamic: false,
      },
    },
    {
      name: "one-exec",
      comment: "programs are started by src/tools/exec.ts alone",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/tools/exec\\.ts$" },
      to: { path: ["^(node:)?child_process$", "node_modules/execa/"] },
    },
    {
      name: "one-writer",
      comment:
        "files are written by src/files/ alone; eslint.config.js holds the rest to what reads of node:fs",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/files/" },
      to: { path: ["node_modules/write-file-atomic/", "node_modules/@types/write-file-atomic/"] },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "nothing-unresolved",
      comment:
        "spdx-expression-parse has no types of its own; the generated validators come from `npm run generate`",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "no-dev-dependencies",
      comment: "what src/ imports is shipped",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};

// Generated from *.schema.json by `npm run generate`: change those, not this.

/**
 * One line of `factory run --events FILE`: what happened in a run, and when. A reader skips types and fields that it does not know.
 */
export type RunEvent =
  | RunStarted
  | CellStarted
  | StageStarted
  | StageProgress
  | StageLog
  | StageEnded
  | PartEnded
  | CellEnded
  | CellRepacked
  | RunNote
  | RunEnded;
/**
 * Version of the events. A change that breaks readers is a new one.
 */
export type EventVersion = 1;
/**
 * UTC time, with milliseconds.
 */
export type EventTime = string;
/**
 * A name that can be used in a repository and a tag: lower-case letters and digits, with `_` or `-` between them, at most 63 characters.
 */
export type Id = string;
export type StageName = string;
export type CellName = string;
/**
 * An OCI platform, such as `linux/amd64` or `linux/arm/v7`.
 */
export type Platform = string;
/**
 * A digest, `sha256:` and 64 hex digits.
 */
export type Sha256 = string;
/**
 * Version of the document's format.
 */
export type SchemaVersion = 1;
/**
 * An exact version in its fragment's scheme, such as `0.1.0`, `"3.12"` or `2024-11-05`: letters and digits with `.`, `+` or `-` between them.
 */
export type Version = string;
/**
 * One line of text for people.
 */
export type Text = string;
/**
 * An image reference, such as `debian:bookworm-slim` or `registry.example/team/base@sha256:…`. The image of another manifest is no reference: a manifest says `base: {manifest: ID}`.
 */
export type ImageRef = string;
/**
 * An argument's value.
 */
export type Value = string | number | boolean | Scalar[] | MapValue;
/**
 * A text, a whole number, or true or false.
 */
export type Scalar = string | number | boolean;
/**
 * A file or folder of the workspace, from its root, such as `services/billing`; `.` is the workspace itself.
 */
export type FileSourcePath = string;
/**
 * What of a folder is left out: patterns in the syntax of a .gitignore, from that folder.
 *
 * @maxItems 1000
 */
export type FileSourceIgnore = string[];
/**
 * Whether what .gitignore files say is left out too: those in the folder, and above it up to the workspace's root. Default: false.
 */
export type FileSourceFromGitignore = boolean;
/**
 * An exact version or a range in its fragment's scheme, such as `0.1.0`, `~0.1` or `">=0.1 <0.3"`.
 */
export type Range = string;
/**
 * OCI platforms.
 *
 * @minItems 1
 * @maxItems 100
 */
export type Platforms = Platform[];
/**
 * The id of a secret, as in `RUN --mount=type=secret,id=…`: letters, digits, `_`, `-` and `.`, starting with a letter, at most 63 characters; not starting with `factory_`.
 */
export type SecretId = string;
/**
 * Ids of secrets.
 *
 * @maxItems 100
 */
export type SecretIds = SecretId[];
/**
 * @minItems 1
 * @maxItems 100
 */
export type Argv = string[];
/**
 * User, or user and group, in place of the image's: `0`, `1000:1000`, `postgres`.
 */
export type User = string;
/**
 * Memory limit in MiB. Default: the workspace's `smoke.memory_mb`.
 */
export type MemoryMb = number;
/**
 * Folders that may be written to: empty at first, in memory, 64 MiB each. Beside them there is only /tmp.
 *
 * @minItems 1
 * @maxItems 20
 */
export type Tmpfs = string[];
/**
 * Smoke tests, run against a container of the built image.
 *
 * @maxItems 200
 */
export type SmokeTests = SmokeTest[];
/**
 * The name of an environment variable that holds the value.
 */
export type SourceEnv = string;
/**
 * The path of a file that holds the value: from the workspace's root, absolute, or starting with `~/`.
 */
export type SourceFile = string;
/**
 * A program and its arguments. It runs in the workspace, without a shell, and writes the value to its standard output. One newline at the end is dropped.
 *
 * @minItems 1
 * @maxItems 100
 */
export type SourceCommand = string[];
/**
 * The id of a fragment or template: lower-case letters and digits, with `_` or `-` between them, at most 63 characters. One of a library has the library's name and a dot in front, as in `company.core`.
 */
export type SharedId = string;
/**
 * The fragments and templates, by name, that may ask for it. Default: all of the workspace, and none of a library.
 *
 * @minItems 1
 * @maxItems 1000
 */
export type GuardedSourceFor = SharedId[];
/**
 * Template id and version or range, such as `llm_factory@0.1.0`.
 */
export type TemplateRef = string;
/**
 * The image to start from, such as `debian:bookworm-slim`; `{name: NAME}`, one of `bases` in factory.yaml; or `{manifest: ID}`, the image of that manifest on the same platform.
 */
export type ManifestBase = ImageRef | NamedBase | ParentBase;
/**
 * Exact versions; or a choice among the existing ones: a range, `{latest: 3}` for the highest three, `{latest-minor: 2}` for the highest of each of the highest two minor versions.
 */
export type VersionAxis = Version[] | Range | LatestVersions;
/**
 * An axis: a fragment's name, `base`, `platform`, or `args.` and an argument's name, such as `args.port` or `args.app.port`.
 */
export type AxisName = string;
/**
 * An image reference; with `*` at its end, every reference that begins like it.
 */
export type BasePattern = string;
/**
 * A time in hours, days or weeks: `12h`, `30d`, `8w`.
 */
export type Age = string;
/**
 * The program that makes the layers: `zstd` is BuildKit, and keeps which layers there are.
 */
export type RepackWith = "zstd" | "docker-repack";
/**
 * How large a layer may be, packed; for docker-repack. Default: 50MB.
 */
export type RepackSize = string;
/**
 * What its tag has behind that of the cell. Default: `-repacked`.
 */
export type RepackSuffix = string;
/**
 * A label of a runner, such as `ubuntu-24.04-arm`.
 */
export type RunnerLabel = string;
/**
 * A registry repository, without tag, such as `127.0.0.1:5000/team`.
 */
export type Repository = string;
/**
 * A tag, such as `latest`, or a text with values in it: `{{python.major}}.{{python.minor}}-{{variant}}`.
 */
export type Tag = string;
/**
 * An exact semver version, such as `0.1.0`.
 */
export type Semver = string;

export interface Documents {
  event: RunEvent;
  fragment: Fragment;
  local: Local;
  lock: Lock;
  manifest: ManifestDocument;
  plan: Plan;
  policy: Policy;
  pool: Pool;
  product: Product;
  record: FactoryRecord;
  "record-1": FactoryRecord1;
  template: Template;
  workspace: Workspace;
}
/**
 * The first event: what is going to be run.
 */
export interface RunStarted {
  v: EventVersion;
  at: EventTime;
  type: "run-started";
  plan_ids: Id[];
  /**
   * The stages of a cell, in order.
   */
  stages: StageName[];
  /**
   * Every cell of the run, in the order of its results.
   */
  cells: CellName[];
}
/**
 * An attempt at a cell begins.
 */
export interface CellStarted {
  v: EventVersion;
  at: EventTime;
  type: "cell-started";
  cell_id: CellName;
  manifest_id: Id;
  platform: Platform;
  /**
   * What is done about it.
   */
  action: "build" | "retest" | "retag";
  /**
   * Why, in a word of the plan.
   */
  reason: string | null;
}
/**
 * A stage of a cell begins. Two stages that need the same ones run at the same time.
 */
export interface StageStarted {
  v: EventVersion;
  at: EventTime;
  type: "stage-started";
  cell_id: CellName;
  stage: StageName;
}
/**
 * How far a stage is. It comes often; only the last one counts.
 */
export interface StageProgress {
  v: EventVersion;
  at: EventTime;
  type: "progress";
  cell_id: CellName;
  stage: StageName;
  /**
   * Steps that have ended.
   */
  step: number;
  /**
   * Steps that are known so far.
   */
  steps: number;
  /**
   * Whether all steps so far came from the cache.
   */
  cached: boolean;
  /**
   * What is being done just now.
   */
  detail: string;
}
/**
 * One line of a stage's log.
 */
export interface StageLog {
  v: EventVersion;
  at: EventTime;
  type: "log";
  cell_id: CellName;
  stage: StageName;
  line: string;
}
/**
 * A stage of a cell is over.
 */
export interface StageEnded {
  v: EventVersion;
  at: EventTime;
  type: "stage-ended";
  cell_id: CellName;
  stage: StageName;
  /**
   * `stopped`: another stage failed, so this one was no longer needed.
   */
  status: "pass" | "fail" | "error" | "stopped";
  /**
   * Class of the failure; null where there is none.
   */
  class: null | StageName;
  duration_ms: number;
  /**
   * Kinds of evidence that it left.
   */
  evidence: string[];
}
/**
 * A part of a stage is over: a step of the Dockerfile, told when the build has ended, or a smoke test.
 */
export interface PartEnded {
  v: EventVersion;
  at: EventTime;
  type: "part-ended";
  cell_id: CellName;
  stage: StageName;
  /**
   * BuildKit's name of the step, or the id of the test.
   */
  part: string;
  /**
   * `cached`: the build cache had the step.
   */
  status: "pass" | "fail" | "error" | "skipped" | "cached";
  started_at: EventTime;
  duration_ms: number;
}
/**
 * A cell has its verdict. Where it has a record, that is written by now.
 */
export interface CellEnded {
  v: EventVersion;
  at: EventTime;
  type: "cell-ended";
  cell_id: CellName;
  manifest_id: Id;
  platform: Platform;
  /**
   * `reused`: a record proves it, and nothing was built or tested.
   */
  status: "pass" | "fail" | "error" | "reused";
  /**
   * Whether the status is what the plan declares.
   */
  expected: boolean;
  stage: StageName;
  /**
   * Class of the failure; null for a pass.
   */
  class: null | StageName;
  /**
   * The record of this attempt, or the one that proves the cell.
   */
  record_id: string;
  /**
   * Path of that record, from the workspace's root.
   */
  record: string;
  image: null | EventImage;
  cache: CacheCount;
  duration_ms: number;
  /**
   * For people: the cause first.
   */
  notes: string[];
}
export interface EventImage {
  ref: string;
  digest: Sha256;
}
/**
 * Steps of the Dockerfile, and how many of them came from the cache.
 */
export interface CacheCount {
  hits: number;
  total: number;
}
/**
 * What became of the other layers that a product or a plan asks for. It comes after the cell's verdict, and changes nothing about that.
 */
export interface CellRepacked {
  v: EventVersion;
  at: EventTime;
  type: "cell-repacked";
  cell_id: CellName;
  /**
   * `refused`: its files were not those of the original; `reused`: a record proves it, and nothing was made or tested; `left-out`: the engine has no such platform.
   */
  status: "pass" | "fail" | "error" | "refused" | "reused" | "left-out";
  with: "zstd" | "docker-repack";
  /**
   * Its own record; null where it has none.
   */
  record_id: string | null;
  /**
   * Path of that record, from the workspace's root.
   */
  record: string | null;
  image: null | EventImage;
  /**
   * The part of the packed bytes that it saves; null where it was not made now.
   */
  saving: number | null;
  pushed: boolean;
  duration_ms: number;
  /**
   * Why it did not pass, or was not pushed; null where there is nothing to say.
   */
  why: string | null;
}
/**
 * A line for people.
 */
export interface RunNote {
  v: EventVersion;
  at: EventTime;
  type: "note";
  level: "note" | "warning";
  /**
   * The cell that it is about; null for the run as a whole.
   */
  cell_id: null | CellName;
  text: string;
}
/**
 * The last event of every run, also of one that was interrupted or that broke off.
 */
export interface RunEnded {
  v: EventVersion;
  at: EventTime;
  type: "run-ended";
  summary: RunSummary;
  /**
   * Cells that were not run because the engine cannot build their platform.
   */
  left_out: LeftOutCell[];
  interrupted: boolean;
  /**
   * What ended the run before all cells were run; null where nothing did.
   */
  error: null | EventError;
}
export interface RunSummary {
  pass: number;
  fail: number;
  error: number;
  reused: number;
  /**
   * Cells whose status is not what the plan declares.
   */
  unexpected: number;
  repacks?: RepackSummary;
}
/**
 * Of the images in other layers that were asked for; missing where none was.
 */
export interface RepackSummary {
  pass: number;
  reused: number;
  /**
   * Those that were refused, did not pass, or could not be made.
   */
  failed: number;
  left_out: number;
}
export interface LeftOutCell {
  cell_id: CellName;
  platform: Platform;
}
export interface EventError {
  code: string;
  what: string;
}
/**
 * fragments/<name>/<version>/fragment.yaml: the contract of one versioned piece of Dockerfile.
 */
export interface Fragment {
  schema_version: SchemaVersion;
  /**
   * The fragment's name, also that of its build stage and of its folder: lower-case letters, digits, `_` and `-`, starting with a letter, at most 63 characters; not `base`, `image`, `scratch`, `context` or `platform`.
   */
  name: string;
  version: Version;
  /**
   * How its versions are written and compared; the same for all of them. Default: semver.
   */
  scheme?: "semver" | "pep440" | "calver" | "opaque";
  summary?: Text;
  /**
   * A body that several versions share: a file beside their folders, such as `../common.hbs`. Default: Dockerfile.hbs in the folder.
   */
  dockerfile?: string;
  /**
   * Place in the Dockerfile: lower comes first.
   */
  order: number;
  /**
   * The template's slot that this fragment fills. Default: its name.
   */
  slot?: Id;
  /**
   * The image that the fragment starts from; only for the slot of a builder. Default: the manifest's base.
   */
  from?: ImageRef;
  /**
   * The arguments that Dockerfile.hbs may use.
   */
  args?: {
    [k: string]: ArgDeclaration;
  };
  sources?: FileSources;
  requires?: Ranges;
  conflicts?: Ranges;
  platforms?: Platforms;
  /**
   * Repositories of base images this fragment works on, such as `debian` or `nvidia/cuda`, from any registry; if the base is a manifest's image, what that starts from. Default: every one.
   *
   * @minItems 1
   * @maxItems 100
   */
  bases?: string[];
  /**
   * The secrets that Dockerfile.hbs uses, as in `RUN --mount=type=secret,id=…`. factory.yaml says where they come from.
   */
  secrets?: SecretIds;
  /**
   * The keys for SSH that Dockerfile.hbs uses, as in `RUN --mount=type=ssh`, whose id is `default`.
   */
  ssh?: SecretIds;
  /**
   * `never`: it takes something from outside that is not pinned, so no cell with it is ever reused.
   */
  reuse?: "never";
  smoke?: SmokeTests;
}
export interface ArgDeclaration {
  /**
   * The type of its values: a `list` has items, a `map` has values by key.
   */
  type: "string" | "integer" | "boolean" | "list" | "map";
  default?: Value;
  /**
   * @minItems 1
   */
  enum?: Value[];
  /**
   * A JavaScript regular expression (flag `u`) that the whole of a string value must match, within a second.
   */
  pattern?: string;
  minimum?: number;
  maximum?: number;
  /**
   * What each item of a list has to be. Default: text.
   */
  items?: ItemDeclaration;
  /**
   * What each value of a map has to be. Default: text.
   */
  values?: ItemDeclaration;
  /**
   * The fewest entries of a list or map. Default: 0.
   */
  min_items?: number;
  /**
   * The most entries of a list or map. Default: 1000.
   */
  max_items?: number;
  /**
   * Whether no item of a list may occur twice. Default: false.
   */
  unique?: boolean;
  summary?: Text;
}
export interface MapValue {
  [k: string]: Scalar;
}
export interface ItemDeclaration {
  type: "string" | "integer" | "boolean";
  /**
   * @minItems 1
   */
  enum?: Scalar[];
  /**
   * A JavaScript regular expression (flag `u`) that the whole of a text must match, within a second.
   */
  pattern?: string;
  minimum?: number;
  maximum?: number;
}
/**
 * Files and folders outside fragments, by the name that a Dockerfile.hbs uses: `{{source "app"}}`.
 */
export interface FileSources {
  [k: string]: SourceDeclaration;
}
export interface SourceDeclaration {
  path?: FileSourcePath;
  ignore?: FileSourceIgnore;
  from_gitignore?: FileSourceFromGitignore;
}
/**
 * Versions or ranges by fragment name.
 */
export interface Ranges {
  [k: string]: Range;
}
/**
 * One smoke test: an id and exactly one of command, script, http, file, config, budget. The other fields say what its container is like.
 */
export interface SmokeTest {
  id: Id;
  summary?: Text;
  /**
   * Seconds this test may take. Default: the workspace's `smoke.timeout_s`.
   */
  timeout_s?: number;
  env?: Environment;
  argv?: Argv;
  user?: User;
  memory_mb?: MemoryMb;
  /**
   * Size of /dev/shm in MiB. Default: 64.
   */
  shm_mb?: number;
  tmpfs?: Tmpfs;
  /**
   * What runs beside the container, by host name, on a private network that leads nowhere else. Tests with the same services share them.
   */
  services?: {
    [k: string]: SmokeService;
  };
  wait_for?: WaitFor;
  /**
   * The id of an earlier test of this document: this test runs in its container, once it has passed.
   */
  after?: Id;
  command?: CommandTest;
  script?: ScriptTest;
  http?: HttpTest;
  file?: FileTest;
  config?: ConfigTest;
  budget?: BudgetTest;
}
export interface Environment {
  [k: string]: string;
}
/**
 * A container beside the one that is tested, in the same sandbox.
 */
export interface SmokeService {
  /**
   * A pinned image, such as `postgres:17@sha256:…`. Default: the image that is tested.
   */
  image?: ImageRef;
  argv?: Argv;
  env?: Environment;
  user?: User;
  memory_mb?: MemoryMb;
  /**
   * Size of /dev/shm in MiB. Default: 64.
   */
  shm_mb?: number;
  tmpfs?: Tmpfs;
  wait_for?: WaitFor;
}
/**
 * Exactly one of log, command, path.
 */
export interface WaitFor {
  log?: TextMatch;
  command?: Argv;
  /**
   * For http: a path that is asked again and again until its status is 2xx.
   */
  path?: string;
}
/**
 * What a text must look like. Every given field must match.
 */
export interface TextMatch {
  /**
   * The whole text; one trailing newline of the text is ignored.
   */
  equals?: string;
  /**
   * A part of the text.
   */
  contains?: string;
  /**
   * A JavaScript regular expression (flags `mu`) found in the text, within a second.
   */
  matches?: string;
}
/**
 * Runs argv with no shell and no network; the image's entrypoint is not run. Tests may share a container, as long as each leaves it unchanged.
 */
export interface CommandTest {
  argv: Argv;
  /**
   * Default: 0.
   */
  exit_code?: number;
  /**
   * Whether the test gets a container that no other test uses. Default: false.
   */
  isolated?: boolean;
  stdout?: TextMatch;
  stderr?: TextMatch;
}
/**
 * Runs a text file of the workspace, which is mounted read-only, as `command` runs argv.
 */
export interface ScriptTest {
  /**
   * In a manifest, from the workspace's root; in a fragment, from its folder.
   */
  path: string;
  interpreter?: Argv;
  args?: Argv;
  /**
   * Default: 0.
   */
  exit_code?: number;
  /**
   * Whether the test gets a container that no other test uses. Default: false.
   */
  isolated?: boolean;
  stdout?: TextMatch;
  stderr?: TextMatch;
}
/**
 * Starts the image's own entrypoint, waits until the port answers, and asks.
 */
export interface HttpTest {
  /**
   * The port inside the container.
   */
  port: number;
  /**
   * Default: GET.
   */
  method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";
  path: string;
  /**
   * Request headers.
   */
  headers?: {
    [k: string]: string;
  };
  /**
   * Request body.
   */
  body?: string;
  /**
   * Expected status. Default: 200.
   */
  status?: number;
  response?: TextMatch;
}
/**
 * Looks at one path of the image's file system; nothing is run.
 */
export interface FileTest {
  path: string;
  /**
   * Default: true.
   */
  exists?: boolean;
  /**
   * Permission bits in octal, such as `"0644"`.
   */
  mode?: string;
  /**
   * `uid` or `uid:gid`, as numbers.
   */
  owner?: string;
  contents?: TextMatch;
}
/**
 * Compares the image's configuration; nothing is run.
 */
export interface ConfigTest {
  user?: string;
  workdir?: string;
  entrypoint?: string[];
  cmd?: string[];
  /**
   * Variables that must have these values.
   */
  env?: {
    [k: string]: string;
  };
  /**
   * Labels that must have these values.
   */
  labels?: {
    [k: string]: string;
  };
  /**
   * Exactly the exposed ports, such as `8080` or `53/udp`.
   */
  ports?: string[];
}
/**
 * Upper bounds on the image, or on what one fragment brings into it.
 */
export interface BudgetTest {
  /**
   * Whose layers and packages are counted: a fragment, `self` in a fragment's own document, `base`, or `template` for the template's own steps. Without it, the whole image's.
   */
  of?: string;
  /**
   * Sum of the uncompressed layers, such as `"300 MB"`.
   */
  size?: string;
  /**
   * Number of layers; with `of`, of those that have bytes.
   */
  layers?: number;
  /**
   * Number of packages that the SBOM names.
   */
  packages?: number;
  /**
   * The licences that packages may have: SPDX ids, with `WITH …` for an exception, and names that packages give in place of one. `NOASSERTION` lets packages in whose licence nothing says.
   *
   * @minItems 1
   * @maxItems 500
   */
  licenses?: string[];
}
/**
 * factory.local.yaml: where secrets come from on this machine. Each entry replaces that of factory.yaml. Git ignores this file.
 */
export interface Local {
  schema_version: SchemaVersion;
  secrets?: Sources;
  ssh?: SshSources;
  network?: NetworkSources;
}
/**
 * Where secrets come from, by id.
 */
export interface Sources {
  [k: string]: GuardedSource;
}
/**
 * Where a secret comes from when it is needed, and who may ask for it.
 */
export interface GuardedSource {
  env?: SourceEnv;
  file?: SourceFile;
  command?: SourceCommand;
  for?: GuardedSourceFor;
}
/**
 * Where keys for SSH come from, by id.
 */
export interface SshSources {
  [k: string]: SshSource;
}
/**
 * The socket of an agent, or a private key, and who may ask for it.
 */
export interface SshSource {
  /**
   * The name of an environment variable that holds the path of the socket or the key, such as `SSH_AUTH_SOCK`.
   */
  env?: SourceEnv;
  /**
   * The path of the socket or the key.
   */
  file?: SourceFile;
  for?: GuardedSourceFor;
}
/**
 * What each step of a build needs to reach the network. It reaches neither the image nor a key.
 */
export interface NetworkSources {
  /**
   * Proxies. A variable that is not set means that there is no proxy.
   */
  proxy?: {
    /**
     * The proxy for http, as a URL.
     */
    http?: SecretSource;
    /**
     * The proxy for https, as a URL.
     */
    https?: SecretSource;
    /**
     * Hosts that are reached without a proxy, separated by commas.
     */
    no?: SecretSource;
  };
  /**
   * Certificates, as PEM, that the programs of each step trust. A variable that is not set means that none are added.
   */
  ca?: SecretSource;
}
/**
 * Where a value comes from when it is needed: one of `env`, `file` and `command`.
 */
export interface SecretSource {
  env?: SourceEnv;
  file?: SourceFile;
  command?: SourceCommand;
}
/**
 * factory.lock: what ranges and images resolved to when `factory lock` was run.
 */
export interface Lock {
  schema_version: SchemaVersion;
  templates: LockedVersions;
  fragments: LockedVersions;
  /**
   * Versions by fragment name, then by the axis as in plans: `>=0.1 <1`, `latest: 3`.
   */
  axes: {
    [k: string]: {
      /**
       * @minItems 1
       */
      [k: string]: Version[];
    };
  };
  /**
   * Digests by base image, then platform.
   */
  bases: {
    [k: string]: {
      [k: string]: Sha256;
    };
  };
  /**
   * What libraries held, by name and then by where they come from.
   */
  libraries?: {
    [k: string]: {
      [k: string]: Sha256;
    };
  };
  lock_digest: Sha256;
}
/**
 * Versions by name, then by range.
 */
export interface LockedVersions {
  [k: string]: {
    [k: string]: Version;
  };
}
/**
 * manifests/<manifest_id>.yaml: what an image is made of.
 */
export interface ManifestDocument {
  schema_version: SchemaVersion;
  /**
   * The manifest's id; the same as its file's name.
   */
  manifest_id: Id;
  summary?: Text;
  /**
   * Another manifest: what is not said here is as it is there. It may not extend one itself.
   */
  extends?: Id;
  /**
   * Whether it is only there to be extended: then it need not be whole, and is never planned or run. Default: false.
   */
  abstract?: boolean;
  /**
   * Whether `plan` and `run --all` include it although no plan is over it. Default: true.
   */
  planned?: boolean;
  template?: TemplateRef;
  base?: ManifestBase;
  platforms?: Platforms;
  /**
   * Version or range by fragment name.
   */
  fragments?: Ranges;
  args?: ManifestArgs;
  sources?: FileSources;
  /**
   * GPUs that the image's containers need, as in `docker run --gpus`: `all` or a number.
   */
  gpus?: "all" | number;
  smoke?: SmokeTests;
}
export interface NamedBase {
  /**
   * One of `bases` in factory.yaml.
   */
  name: Id;
}
export interface ParentBase {
  /**
   * The manifest whose image it starts from: the manifest by itself, on the same platform.
   */
  manifest: Id;
}
/**
 * Values for the fragments' arguments: by name, or below a fragment's name if several fragments declare one: `app: {port: 80}`.
 */
export interface ManifestArgs {
  [k: string]:
    | string
    | number
    | boolean
    | Scalar[]
    | {
        [k: string]: Value;
      };
}
/**
 * control_plane/plans/<plan_id>.yaml: axes of versions over one manifest.
 */
export interface Plan {
  schema_version: SchemaVersion;
  /**
   * The plan's id; the same as its file's name.
   */
  plan_id: Id;
  manifest_id: Id;
  summary?: Text;
  /**
   * What to try, by name: versions of a fragment, `base` images, `platform`s, values of `args`. The plan is their product, or what `strategy` chooses from it.
   */
  axes?: {
    /**
     * Base images that replace the manifest's.
     *
     * @minItems 1
     * @maxItems 1000
     */
    base?: ImageRef[];
    /**
     * Platforms, in place of `platforms`.
     *
     * @minItems 1
     * @maxItems 100
     */
    platform?: Platform[];
    /**
     * Values to try, by argument name.
     */
    args?: {
      /**
       * @minItems 1
       * @maxItems 1000
       */
      [k: string]: Value[];
    };
    [k: string]:
      | VersionAxis
      | ImageRef[]
      | Platform[]
      | {
          /**
           * @minItems 1
           * @maxItems 1000
           */
          [k: string]: Value[];
        }
      | undefined;
  };
  /**
   * Axes that move together: `[[core, light]]`, position by position (an argument's is named `args.port`), or an axis with a name of its own whose values say what they set.
   *
   * @minItems 1
   * @maxItems 100
   */
  zip?: (AxisName[] | NamedZip)[];
  fixed?: Ranges;
  platforms?: Platforms;
  /**
   * Which cells of the product: `all` (the default), `pairwise`, or `{t: N}`: enough of them that each allowed combination of N axes' values is in one.
   */
  strategy?: ("all" | "pairwise") | TWise;
  /**
   * Values that some cell has to combine, whatever the strategy chooses.
   *
   * @minItems 1
   * @maxItems 1000
   */
  always?: CellInclude[];
  /**
   * Cells beside those of the axes.
   *
   * @maxItems 1000
   */
  include?: CellInclude[];
  /**
   * Cells to leave out.
   *
   * @maxItems 1000
   */
  exclude?: CellSelector[];
  /**
   * What has to be true of every cell, beside what the fragments themselves require.
   *
   * @minItems 1
   * @maxItems 1000
   */
  constraints?: Constraint[];
  /**
   * Cells that are meant to fail, and for how long that is tolerated.
   *
   * @maxItems 1000
   */
  expect?: Expectation[];
  /**
   * How old a passing record may be to be reused here. Default: that of factory.yaml.
   */
  max_age?: Age;
  repack?: PlanRepack;
}
export interface LatestVersions {
  /**
   * This many of the highest versions.
   */
  latest?: number;
  /**
   * The highest version of each of this many of the highest minor versions.
   */
  "latest-minor"?: number;
  range?: Range;
}
/**
 * An axis with a name of its own, such as `{name: variant, values: {slim: {…}, full: {…}}}`.
 */
export interface NamedZip {
  /**
   * The name of the axis, as in `variant: slim`; also in the ids of cells. It is no fragment's name, nor `base`, `platform` or `args`.
   */
  name: Id;
  /**
   * What each value sets, by the value's name.
   */
  values: {
    [k: string]: ZipValue;
  };
}
/**
 * What a value of a named axis sets: exact versions by fragment name, and optionally `base`, `platform` and `args`. The rest is as the manifest has it.
 */
export interface ZipValue {
  /**
   * A base image, or `{name: …}` of `bases` in factory.yaml.
   */
  base?: ImageRef | NamedBaseOfPlan;
  platform?: Platform;
  args?: Args;
  [k: string]: Version | NamedBaseOfPlan | Args | undefined;
}
export interface NamedBaseOfPlan {
  name: Id;
}
/**
 * Argument values by name.
 */
export interface Args {
  [k: string]: Value;
}
export interface TWise {
  t: number;
}
/**
 * Exact values by axis: versions by fragment name, and optionally `base`, `platform` and `args`.
 */
export interface CellInclude {
  base?: ImageRef;
  platform?: Platform;
  args?: Args;
  [k: string]: Version | Args | undefined;
}
/**
 * Versions, ranges or lists of them by fragment name, and optionally `base`, `platform` and `args`; of a named axis its values. All of them must match; of a list, any item.
 */
export interface CellSelector {
  /**
   * A base image, or all whose reference begins so: `debian:*`; or a list.
   */
  base?: BasePattern | BasePattern[];
  /**
   * A platform, or a list.
   */
  platform?: Platform | Platforms;
  /**
   * By argument: a value, a range of whole numbers such as `">=8000 <9000"`, or a list of these. The value of a list argument is meant as a whole.
   */
  args?: {
    [k: string]: Value | Value[];
  };
  [k: string]:
    | Range
    | Range[]
    | BasePattern[]
    | Platforms
    | {
        [k: string]: Value | Value[];
      }
    | undefined;
}
export interface Constraint {
  when: CellSelector;
  then: CellSelector;
  reason?: Text;
}
export interface Expectation {
  when?: CellSelector;
  /**
   * One cell, in place of `when`.
   */
  cell_id?: string;
  result: "fail";
  /**
   * Who is responsible, such as `@platform-team`.
   */
  owner: string;
  reason: Text;
  /**
   * The last day (UTC) on which it is tolerated, such as `"2027-06-30"`; `never` if it is meant to stay so.
   */
  until: string;
}
/**
 * Has `factory run` put the files of each passing cell into other layers too: an image with a tag, tests and a record of its own.
 */
export interface PlanRepack {
  with: RepackWith;
  target_size?: RepackSize;
  tag_suffix?: RepackSuffix;
}
/**
 * control_plane/policies/<policy_id>.yaml: what is asked of images before others trust them.
 */
export interface Policy {
  schema_version: SchemaVersion;
  /**
   * The policy's id; the same as its file's name.
   */
  policy_id: Id;
  summary?: Text;
  promotion?: Promotion;
  signature?: SignaturePolicy;
  repack?: RepackPolicy;
  transient?: Transient;
  evidence?: EvidenceAge;
  scan?: Scan;
}
/**
 * The proof that a promotion asks for, on every platform, beside a pass of the current tests for the current inputs.
 */
export interface Promotion {
  /**
   * Proof that the record has to have: evidence, a signature that counts, a scan that passes. Default: all evidence.
   */
  requires?: ("smoke" | "sbom" | "provenance" | "signature" | "scan")[];
  /**
   * How old the passing record may be. Default: 30.
   */
  max_age_days?: number;
  /**
   * Whether the base has to be what its tag names in its registry now. Default: true.
   */
  fresh_base?: boolean;
}
/**
 * Whose signatures count: those of any key or identity here.
 */
export interface SignaturePolicy {
  /**
   * Public keys of cosign: files, from the workspace's folder, or keys at a KMS.
   *
   * @minItems 1
   * @maxItems 20
   */
  keys?: string[];
  /**
   * Who keyless signatures have to be of.
   *
   * @minItems 1
   * @maxItems 20
   */
  identities?: SignerIdentity[];
  /**
   * Whether a signature has to stand in a transparency log. Default: for identities, not for keys.
   */
  transparency_log?: boolean;
}
export interface SignerIdentity {
  /**
   * Who says who it is, such as `https://token.actions.githubusercontent.com`.
   */
  issuer: string;
  /**
   * Who it is, such as the workflow and branch of a CI job, in full.
   */
  subject: string;
}
/**
 * When an image in other layers is worth a tag of its own.
 */
export interface RepackPolicy {
  /**
   * The part of the packed bytes that it has to save to be pushed. Default: 0, so that it may not be larger.
   */
  min_saving?: number;
}
/**
 * How old images get that are of one commit; `factory prune` deletes older ones.
 */
export interface Transient {
  /**
   * Images of a pull request (`pr-12-0d1a26e`): `24h`, `7d`, `never`. Default: 24h.
   */
  pull_request?: string;
  /**
   * Images of a branch (`feature-x-0d1a26e`). Default: 7d.
   */
  branch?: string;
  /**
   * Images of a commit (`sha-0d1a26e`). Default: never.
   */
  commit?: string;
}
/**
 * How long the evidence of records stays that nothing needs; records stay for ever.
 */
export interface EvidenceAge {
  /**
   * How old a record's evidence has to be for `factory records prune`, as `90d`; `never` keeps it.
   */
  prune_after: string;
}
/**
 * What is asked of a scan for vulnerabilities.
 */
export interface Scan {
  /**
   * The least severity that fails; what a scanner does not rate counts as `medium`. Default: high.
   */
  fail_on?: "critical" | "high" | "medium" | "low" | "negligible";
  /**
   * Whether what has no fixed version counts for nothing. Default: false.
   */
  ignore_unfixed?: boolean;
  /**
   * Whether a security update of Debian that the image does not have fails. Default: true.
   */
  pending_updates?: boolean;
  /**
   * How old a scan may be, as `7d`. Default: 7d.
   */
  max_age?: string;
  /**
   * How old the scanner's database may have been, as `7d`. Default: 7d.
   */
  max_database_age?: string;
  /**
   * What does not count, for a time.
   *
   * @maxItems 1000
   */
  exceptions?: ScanException[];
}
export interface ScanException {
  /**
   * As the scanner calls it: `CVE-2026-1234`, `debian-security:openssl`.
   */
  id: string;
  /**
   * Only in this package. Default: in all.
   */
  package?: string;
  /**
   * Who answers for it.
   */
  owner: string;
  /**
   * Why it does not count.
   */
  reason: string;
  /**
   * The last day (UTC) on which it does not count, such as `"2027-06-30"`: at most a year ahead.
   */
  until: string;
}
/**
 * control_plane/pools/<pool_id>.yaml: the runners of a CI system that take cells of some platforms.
 */
export interface Pool {
  schema_version: SchemaVersion;
  /**
   * The pool's id; the same as its file's name.
   */
  pool_id: Id;
  summary?: Text;
  platforms: Platforms;
  /**
   * Whether it takes cells that ask for GPUs, and only those. Default: false.
   */
  gpus?: boolean;
  /**
   * GitHub's `runs-on`: a label, or a list of labels, all of which a runner has to have.
   */
  runs_on: RunnerLabel | RunnerLabel[];
}
/**
 * control_plane/products/<product_id>.yaml: the public face of a manifest.
 */
export interface Product {
  schema_version: SchemaVersion;
  /**
   * The product's id; the same as its file's name.
   */
  product_id: Id;
  manifest_id: Id;
  summary?: Text;
  repository: Repository;
  /**
   * The plans whose cells it publishes. Default: all over the manifest; the manifest by itself if there is none.
   *
   * @minItems 1
   * @maxItems 100
   */
  plans?: Id[];
  /**
   * Public tags, from what a cell is. Default: latest.
   *
   * @minItems 1
   * @maxItems 50
   */
  tags?: (Tag | TagWhere)[];
  /**
   * The policy that its promotions are under: control_plane/policies/<policy_id>.yaml. What `promotion` says here comes before what it says.
   */
  policy?: Id;
  promotion?: Promotion;
  repack?: ProductRepack;
  /**
   * Where its tags are moved by `factory promote --to <channel>`, by name.
   */
  channels?: {
    [k: string]: Channel;
  };
}
/**
 * A tag for some of the cells.
 */
export interface TagWhere {
  tag: Tag;
  when: CellSelector;
}
/**
 * Has `factory run` put the files of each passing cell that it publishes into other layers too: an image with a tag, tests and a record of its own.
 */
export interface ProductRepack {
  with: RepackWith;
  target_size?: RepackSize;
  tag_suffix?: RepackSuffix;
}
/**
 * Tags beside those that are published: in another repository, by other names, or both.
 */
export interface Channel {
  /**
   * Default: the product's.
   */
  repository?: Repository;
  /**
   * The name of a tag in it: `stable-{{tag}}`. Default: `{{tag}}`, as it is published.
   */
  tag?: string;
  /**
   * The channel whose tags are moved on. Default: what `factory publish` publishes.
   */
  from?: Id;
  /**
   * The policy of promotions to it. Default: the product's.
   */
  policy?: Id;
}
/**
 * records/<manifest_id>/<record_id>.json: one attempt at one cell, bound to its evidence.
 */
export interface FactoryRecord {
  /**
   * Records of the first form are read by record-1.schema.json.
   */
  schema_version: 2;
  /**
   * UTC time of the start, and 16 hex digits of the sha256 over the canonical JSON (RFC 8785) of all other fields; sorts by time.
   */
  record_id: string;
  manifest_id: Id;
  cell_id: string;
  plan_id: Id | null;
  /**
   * The record whose tests these are, where its image only got another tag; else null.
   */
  proven_by: string | null;
  recipe_key: Sha256;
  build_key: Sha256;
  verdict_key: Sha256;
  template: RecordTemplate;
  fragments: RecordFragment[];
  args: Args;
  base: RecordBase;
  /**
   * Every image that the build reads, sorted by role and reference.
   */
  images: RecordReadImage[];
  parent?: RecordParent;
  repacked?: Repacked;
  /**
   * Of an image in other layers: the share of the original's packed bytes that a pull of it saves; below 0 where it is larger.
   */
  saving?: number;
  /**
   * Files and folders outside fragments that the build reads, sorted by path; missing if there is none.
   *
   * @minItems 1
   */
  sources?: RecordReadSource[];
  platform: Platform;
  /**
   * The image, or null where the build gave none.
   */
  image: null | RecordImage;
  test_suite_hash: Sha256;
  tests: RecordTest[];
  result: RecordResult;
  /**
   * Files that prove the verdict, by kind.
   */
  evidence: {
    [k: string]: Evidence;
  };
  cache: RecordCache;
  retries: number;
  /**
   * Versions of the tools that took part.
   */
  tools: {
    [k: string]: string;
  };
  source: RecordSource;
}
export interface RecordTemplate {
  id: SharedId;
  version: Version;
  digest: Sha256;
}
export interface RecordFragment {
  name: SharedId;
  version: Version;
  digest: Sha256;
}
export interface RecordBase {
  ref: string;
  digest: Sha256 | null;
}
export interface RecordReadImage {
  role: "base" | "stage" | "copy" | "mount" | "syntax";
  ref: string;
  digest: Sha256 | null;
}
/**
 * The manifest whose image it starts from, and the build key of that image, which `images` names by its digest. Missing where the manifest starts from no other.
 */
export interface RecordParent {
  manifest_id: Id;
  build_key: Sha256;
}
/**
 * The record whose image has the same files in other layers, and the digests of that image. Missing where the image is as it was built.
 */
export interface Repacked {
  record_id: string;
  digest: Sha256;
  manifest_digest: Sha256;
  with: "zstd" | "docker-repack";
  /**
   * How large its layers were to be, packed, in bytes. Missing where the program takes no size.
   */
  target_size?: number;
  /**
   * Of the program; missing for BuildKit, whose version is one of `tools`.
   */
  version?: string;
}
export interface RecordReadSource {
  /**
   * From the workspace's root; `.` for the workspace.
   */
  path: string;
  /**
   * Files, folders and links.
   */
  entries: number;
  /**
   * Of the files together.
   */
  bytes: number;
  sha256: Sha256;
}
export interface RecordImage {
  /**
   * Tag in the engine's store, and in the registry once pushed.
   */
  ref: string;
  digest: Sha256;
  manifest_digest: Sha256;
  /**
   * Bytes of the uncompressed layers.
   */
  size: number;
  layers: number;
  pushed?: boolean;
}
export interface RecordTest {
  id: string;
  status: "pass" | "fail" | "error" | "skipped";
  duration_ms: number;
  /**
   * Where the test left the defaults of the sandbox, such as `user 0`; absent if nowhere.
   *
   * @minItems 1
   */
  loosened?: string[];
}
export interface RecordResult {
  status: "pass" | "fail" | "error";
  /**
   * The stage that it ended in, of those that there were then; `done` for a pass.
   */
  stage: string;
  /**
   * Class of the failure, of those of its stage; null for a pass.
   */
  class: null | string;
  /**
   * Whether the status is what the plan declares; without a declaration, whether it is a pass.
   */
  expected: boolean;
  tested_at: string;
  duration_ms: number;
  /**
   * Milliseconds of each stage that ran.
   */
  stages_ms: {
    [k: string]: number;
  };
  notes: string[];
  /**
   * The last lines of the log; empty for a pass.
   *
   * @maxItems 40
   */
  log_excerpt: string[];
}
export interface Evidence {
  /**
   * Relative to the record's folder.
   */
  path: string;
  sha256: string;
  bytes: number;
  media_type: string;
}
/**
 * Steps of the Dockerfile, and how many of them came from the cache.
 */
export interface RecordCache {
  hits: number;
  total: number;
}
export interface RecordSource {
  commit: string | null;
  dirty: boolean | null;
  ci_url: string | null;
}
/**
 * records/<manifest_id>/<record_id>.json in its first form: still read, and no proof of anything.
 */
export interface FactoryRecord1 {
  schema_version: SchemaVersion;
  /**
   * UTC time of the start, and eight random hex digits; sorts by time.
   */
  record_id: string;
  manifest_id: Id;
  cell_id: string;
  plan_id: Id | null;
  build_key: Sha256;
  verdict_key: Sha256;
  template: RecordTemplate;
  fragments: RecordFragment[];
  args: Args;
  base: RecordBase;
  platform: Platform;
  /**
   * The image, or null where the build gave none.
   */
  image: null | RecordImage;
  test_suite_hash: Sha256;
  tests: RecordTest1[];
  result: RecordResult1;
  /**
   * Files that prove the verdict, by kind.
   */
  evidence: {
    [k: string]: Evidence;
  };
  cache: RecordCache;
  retries: number;
  /**
   * Versions of the tools that took part.
   */
  tools: {
    [k: string]: string;
  };
  source: RecordSource;
}
export interface RecordTest1 {
  id: string;
  status: "pass" | "fail" | "error" | "skipped";
  duration_ms: number;
}
export interface RecordResult1 {
  status: "pass" | "fail" | "error";
  /**
   * The stage that it ended in, of those that there were then; `done` for a pass.
   */
  stage: string;
  /**
   * Class of the failure, of those of its stage; null for a pass.
   */
  class: null | string;
  /**
   * Whether the status is what the plan declares; without a declaration, whether it is a pass.
   */
  expected: boolean;
  tested_at: string;
  duration_ms: number;
  /**
   * Milliseconds of each stage that ran.
   */
  stages_ms: {
    [k: string]: number;
  };
  notes: string[];
  /**
   * The last lines of the log; empty for a pass.
   *
   * @maxItems 40
   */
  log_excerpt: string[];
}
/**
 * templates/<id>/<version>/template.yaml: the skeleton with slots that fragments fill. Dockerfile.hbs is beside it.
 */
export interface Template {
  schema_version: SchemaVersion;
  /**
   * The template's id; the same as its folder's.
   */
  template_id: Id;
  version: Semver;
  summary?: Text;
  /**
   * A body that several versions share: a file beside their folders, such as `../common.hbs`. Default: Dockerfile.hbs in the folder.
   */
  dockerfile?: string;
  /**
   * The secrets that Dockerfile.hbs uses, as in `RUN --mount=type=secret,id=…`. factory.yaml says where they come from.
   */
  secrets?: SecretIds;
  /**
   * The keys for SSH that Dockerfile.hbs uses, as in `RUN --mount=type=ssh`, whose id is `default`.
   */
  ssh?: SecretIds;
  /**
   * `never`: it takes something from outside that is not pinned, so no cell with it is ever reused.
   */
  reuse?: "never";
  /**
   * The slots, in the order of the Dockerfile. Each takes exactly one fragment unless it is optional or takes many.
   *
   * @minItems 1
   * @maxItems 50
   */
  slots: Slot[];
}
export interface Slot {
  name: Id;
  summary?: Text;
  /**
   * Whether it may stay empty. Default: false.
   */
  optional?: boolean;
  /**
   * Whether it takes any number of fragments, by their `order` and then by name. Default: false.
   */
  many?: boolean;
  /**
   * Whether its fragments are stages of their own, before the base stage, that others copy from with `COPY --from={{stage "name"}}`. Default: false.
   */
  builder?: boolean;
}
/**
 * factory.yaml: the settings of a workspace.
 */
export interface Workspace {
  schema_version: SchemaVersion;
  /**
   * Where images are named and pushed: `<repository>/<manifest_id>`. Default: `factory`.
   */
  repository?: Repository;
  /**
   * Base images by name, for `base: {name: NAME}` of manifests.
   */
  bases?: {
    [k: string]: ImageRef;
  };
  /**
   * Fragments and templates from elsewhere, by the name that comes before theirs: `core` of the library `company` is `company.core`.
   */
  libraries?: {
    [k: string]: LibrarySource;
  };
  defaults?: ManifestDefaults;
  /**
   * The build cache, with a ref of its own for each fragment prefix and platform.
   */
  cache?: {
    /**
     * Where it is: tags in a registry (the default), the cache of GitHub Actions, a bucket, or a folder of the workspace.
     */
    type?: "registry" | "gha" | "s3" | "local";
    /**
     * For `registry`: where refs are kept, as tags.
     */
    repository?: Repository;
    /**
     * For `s3`: the bucket. Credentials come from the environment or the profile of whoever runs buildx.
     */
    bucket?: string;
    /**
     * For `s3`: the bucket's region.
     */
    region?: string;
    /**
     * For `s3`: what the names of all objects begin with. Default: nothing.
     */
    prefix?: string;
    /**
     * For `s3`: a service other than Amazon's, without a user or a password.
     */
    endpoint_url?: string;
    /**
     * For `s3`: whether the bucket is in the path and not in the host's name. Default: false.
     */
    use_path_style?: boolean;
    /**
     * For `local`: a folder of the workspace, from its root. Default: `.factory/cache`.
     */
    folder?: string;
    /**
     * Which runs write it: all of them (the default), or only those with `--push`; the others read it.
     */
    write?: "always" | "pushes";
  };
  /**
   * Limits on the containers that smoke tests run in.
   */
  smoke?: {
    /**
     * Memory limit in MiB. Default: 512.
     */
    memory_mb?: number;
    /**
     * Process limit. Default: 256.
     */
    pids?: number;
    /**
     * Seconds for one test. Default: 60.
     */
    timeout_s?: number;
  };
  /**
   * The compatibility records.
   */
  records?: {
    /**
     * The repository of a registry through which machines share records, such as `oci://registry.example/team/records`.
     */
    remote?: string;
  };
  /**
   * How what proves an image is signed when it is attached to the image.
   */
  signing?: {
    /**
     * A private key of cosign, as a file (from the workspace's folder) or at a KMS (`awskms://…`, `azurekms://…`, `gcpkms://…`, `hashivault://…`, `k8s://…`, `gitlab://…`) or in a variable (`env://NAME`); `keyless` for the identity of a CI job.
     */
    key: string;
    /**
     * Whether signatures are also written to the public transparency log. Default: true for `keyless`, else false.
     */
    transparency_log?: boolean;
  };
  /**
   * When a recorded verdict may stand for a new one.
   */
  reuse?: {
    /**
     * How old a passing record may be. Default: any age.
     */
    max_age?: Age;
  };
  /**
   * What is done when an engine or a registry fails in a way that may pass by itself. Each try is told, and counted in the record.
   */
  retries?: {
    /**
     * How often something is tried in all. Default: 3.
     */
    tries?: number;
    /**
     * Seconds between two tries, give or take a quarter. After a rate limit it is three times as long for each try, or as long as the registry says. Default: 10.
     */
    wait_s?: number;
    /**
     * The most seconds that are waited in all. A wait that would be longer is not begun. Default: 300.
     */
    most_s?: number;
  };
  secrets?: Sources;
  ssh?: SshSources;
  network?: NetworkSources;
}
/**
 * Where a library is: one of `path` and `oci`.
 */
export interface LibrarySource {
  /**
   * A folder of the workspace that has `fragments/` or `templates/`, from the workspace's root: a submodule, or an installed package.
   */
  path?: string;
  /**
   * An OCI artifact by its digest, such as `registry.example/team/fragments:1.4@sha256:…`, as `factory library add` writes it; the tag is what `factory library update` looks for.
   */
  oci?: string;
}
/**
 * What manifests that do not say otherwise have. Fragments, arguments and sources are added one by one; smoke tests come before those of the manifest.
 */
export interface ManifestDefaults {
  template?: TemplateRef;
  base?: ManifestBase;
  platforms?: Platforms;
  fragments?: Ranges;
  args?: ManifestArgs;
  sources?: FileSources;
  smoke?: SmokeTests;
}

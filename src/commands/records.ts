import { FactoryError } from "../errors.ts";
import { openStore } from "../pipeline/open-store.ts";
import type { RecordRemote } from "../records/remote/remote.ts";
import type { Travelled } from "../records/remote/remote-deps.ts";
import type { RecordStore } from "../records/store.ts";
import { grouped } from "../model/count.ts";
import { VERIFY_BATCH } from "../records/verify.ts";
import { attachTo } from "./attaching.ts";
import type { CommandResult, Context } from "./context.ts";

async function storeOf(context: Context): Promise<RecordStore> {
  return openStore((await context.catalog()).root);
}

/** `factory records show`: one record, whole. */
export async function recordsShow(context: Context, recordId: string): Promise<CommandResult> {
  const record = await (await storeOf(context)).get(recordId);
  return { text: JSON.stringify(record, null, 2), json: record };
}

/** From this many records on, progress is shown. */
const MANY = 500;

function count(number: number, one: string, more = `${one}s`): string {
  return `${grouped(number)} ${number === 1 ? one : more}`;
}

/** `factory records verify`: computes again what the evidence proves, and compares it with what the records say. */
export async function recordsVerify(context: Context, recordId: string | undefined): Promise<CommandResult> {
  const store = await storeOf(context);
  const found = await store.verify({
    recordId,
    signal: context.signal,
    onProgress: (done, of) => {
      const step = Math.max(MANY, Math.ceil(of / 20));
      if (of >= MANY && done % step < VERIFY_BATCH)
        context.say(`verified ${grouped(done)} of ${grouped(of)} records`);
    },
  });
  const { checkScans } = await import("../scan/check-scans.ts");
  const { scans, problems: ofScans } = await checkScans((await context.catalog()).root, store, recordId);
  const { checked, verified, evidence, old, pruned } = found;
  const problems = [...found.problems, ...ofScans];
  const { green, red, yellow } = context.color;
  const lines = problems.map(
    ({ record_id, code, what }) => `${red(code)} ${record_id === null ? "" : `${record_id}: `}${what}`,
  );
  if (old.length > 0)
    lines.push(
      yellow(
        `note: ${count(old.length, "record is", "records are")} of the old form: only ${old.length === 1 ? "its" : "their"} evidence was hashed, and ${old.length === 1 ? "it proves" : "they prove"} no reuse`,
      ),
    );
  if (pruned.length > 0)
    lines.push(
      yellow(
        `note: the evidence of ${count(pruned.length, "record")} was pruned: ${pruned.length === 1 ? "it proves" : "they prove"} nothing any more`,
      ),
    );
  const counts = `${count(checked, "record")}, ${count(evidence, "piece of evidence", "pieces of evidence")}${scans > 0 ? `, ${count(scans, "report of a scan", "reports of scans")}` : ""}`;
  return {
    text: [
      ...lines,
      `${problems.length === 0 ? green("verified") : red(count(problems.length, "problem"))}: ${counts}`,
    ].join("\n"),
    json: { verified, checked, evidence, scans, old, pruned, problems },
    exitCode: problems.length === 0 ? 0 : 1,
  };
}

/** The remote of the records. @throws FactoryError REMOTE_UNDECLARED */
async function remoteOf(
  context: Context,
): Promise<{ remote: RecordRemote; store: RecordStore; name: string; root: string }> {
  const catalog = await context.catalog();
  const name = catalog.settings().records_remote;
  if (name === null) {
    throw new FactoryError("REMOTE_UNDECLARED", "factory.yaml names no remote for records", {
      fix: "add `records: {remote: oci://HOST/REPOSITORY}`, or set FACTORY_RECORDS_REMOTE",
    });
  }
  const world = await context.world();
  return { remote: await world.recordRemote(name), store: openStore(catalog.root), name, root: catalog.root };
}

/** Which records travel, and to where. */
interface TravelOptions {
  manifestId?: string;
}

interface Attached {
  attached: number;
  error: FactoryError | null;
}

function travelResult(
  { pushed, pulled, unchanged, pruned = [] }: Travelled,
  name: string,
  { green }: Context["color"],
  { attached, error }: Attached = { attached: 0, error: null },
): CommandResult {
  const parts = [
    ...(pushed.length > 0 ? [`${grouped(pushed.length)} pushed`] : []),
    ...(pulled.length > 0 ? [`${grouped(pulled.length)} pulled`] : []),
    `${grouped(unchanged)} unchanged`,
    ...(pruned.length > 0 ? [`${grouped(pruned.length)} not pushed, since their evidence was pruned`] : []),
    ...(attached > 0 ? [`${grouped(attached)} attached to their images`] : []),
  ];
  return {
    text: `${green(name)}: ${parts.join(", ")}`,
    json: { pushed, pulled, unchanged, pruned, attached },
    exitCode: error ? (error.code === "INTERRUPTED" ? 130 : 3) : 0,
  };
}

/** `factory records push`: what the remote does not have, and what is not yet attached to its image. */
export async function recordsPush(context: Context, options: TravelOptions): Promise<CommandResult> {
  const { remote, store, name, root } = await remoteOf(context);
  const travelled = await remote.push(store, options);
  return travelResult(travelled, name, context.color, await attachTo(context, root, options));
}

/** `factory records pull`: what is not here. */
export async function recordsPull(context: Context): Promise<CommandResult> {
  const { remote, store, name } = await remoteOf(context);
  return travelResult(await remote.pull(store), name, context.color);
}

/** `factory records sync`: both. */
export async function recordsSync(context: Context): Promise<CommandResult> {
  const { remote, store, name, root } = await remoteOf(context);
  const { pulled } = await remote.pull(store);
  const { pushed, unchanged, pruned } = await remote.push(store);
  const travelled = { pushed, pulled, pruned, unchanged: unchanged - pulled.length };
  return travelResult(travelled, name, context.color, await attachTo(context, root, {}));
}

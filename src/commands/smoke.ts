import { stitch } from "../stitch/stitch.ts";
import type { CommandResult, Context } from "./context.ts";
import { table } from "../screen/table.ts";

interface SmokeOptions {
  manifestId: string;
  platform?: string;
}

/** `factory smoke IMAGE`: the tests of a manifest, run against an image that the engine has. */
export async function smoke(context: Context, image: string, options: SmokeOptions): Promise<CommandResult> {
  const catalog = await context.catalog();
  const stitched = stitch(catalog, options.manifestId);
  const { tests, gpus, fragments } = stitched;
  const world = await context.world();
  const { platform } = options;
  const { signal } = context;
  const inspected = await world.docker.inspectImage(image, { platform, signal });
  const [{ smokeTest }, { scriptText }, { contentsOf }] = await Promise.all([
    import("../smoke/smoke.ts"),
    import("../stitch/scripts.ts"),
    import("../inspect/owned-contents.ts"),
  ]);
  const recipe = { dockerfile: stitched.dockerfile, fragments };
  const sbom = async () => {
    const about = { ref: image, digest: null, platform, name: image, recipe };
    return (await world.makeSbom(about, { sbomWith: "factory", signal })).json;
  };
  const folder = world.runFolder(catalog.root);
  const report = await smokeTest(
    {
      image,
      inspected: Promise.resolve(inspected),
      platform,
      tests,
      gpus: gpus ?? undefined,
      limits: catalog.settings().smoke,
      contents: contentsOf({ image, platform, recipe, sbom, signal }, world),
      scripts: { text: (path) => scriptText(catalog, path), folder: folder.path },
      owner: world.owner,
      signal,
      onProgress: (done, total, id) => context.say(`${done}/${total} ${id}`),
    },
    world.smokeDeps,
  ).finally(folder.remove);
  const { green, red, dim } = context.color;
  const failed = report.tests.filter(({ status }) => status !== "pass");
  const rows = report.tests.map(({ id, status, duration_ms }) => [id, status, `${duration_ms} ms`]);
  return {
    text: [
      table(["TEST", "STATUS", "TIME"], rows, context.columns),
      "",
      ...report.tests.flatMap(({ id, loosened = [] }) =>
        loosened.length > 0 ? [dim(`${id}: ${loosened.join(", ")}`)] : [],
      ),
      ...failed.flatMap(({ id, expected, actual }) => [
        red(id),
        `  expected  ${expected}`,
        `  got       ${actual.replaceAll("\n", "\n            ")}`,
      ]),
      `${report.status === "pass" ? green("pass") : red(report.status)}: ${report.tests.length - failed.length} of ${report.tests.length} tests passed`,
    ].join("\n"),
    json: report,
    exitCode: report.status === "pass" ? 0 : 1,
  };
}

import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { sha256 } from "../../src/model/digest.ts";
import { attachReferrers } from "../../src/tools/oci/attach-referrers.ts";
import { copyImage } from "../../src/tools/oci/copy-image.ts";
import { MANIFEST } from "../unit/oci-made.ts";
import { openWith } from "../unit/oci-server.ts";
import { createWaits } from "../unit/oci-waits.ts";
import {
  describeEngine,
  docker,
  registry,
  removeImageAfterwards,
  temporaryFolder,
  uniqueName,
} from "./engine.ts";

const RECORD = "application/vnd.factory.test";

/** What a tool says, as JSON. */
const said = (program: string, argv: string[]): unknown =>
  JSON.parse(execFileSync(program, argv, { encoding: "utf8" }));

describeEngine("an image that is copied in a registry", () => {
  test("is the same one there, with its attestation and its referrers, as other tools see it", async () => {
    const name = uniqueName("factory-test");
    const from = { host: registry, repository: `${name}/canary` };
    const to = { host: registry, repository: `${name}/stable` };
    const ref = `${registry}/${from.repository}:1`;
    removeImageAfterwards(ref);
    docker(
      [
        "buildx",
        "build",
        "--quiet",
        "--push",
        "--provenance=mode=max",
        "--tag",
        ref,
        "-f-",
        temporaryFolder(),
      ],
      `FROM scratch\nLABEL name=${name}\nCOPY . /\n`,
    );
    const open = openWith();
    const [source, target] = [open(from), open(to)];
    const { digest, bytes, mediaType } = await source.manifest("1");

    const text = Buffer.from("{}");
    await source.putBlob({ digest: sha256(text), size: text.length }, text);
    const referrer = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        artifactType: RECORD,
        config: { mediaType: "application/vnd.oci.empty.v1+json", digest: sha256(text), size: text.length },
        layers: [{ mediaType: "application/vnd.oci.empty.v1+json", digest: sha256(text), size: text.length }],
        subject: { mediaType, digest, size: bytes.length },
      }),
    );
    await attachReferrers(source, digest, [{ bytes: referrer, mediaType: MANIFEST }], createWaits());

    const deps = { ...createWaits(), open };
    const copied = await copyImage({ from, to, digest }, { referrers: [RECORD] }, deps);
    // An index, an image, an attestation and the referrer: all blobs are taken over from the first repository.
    expect(copied).toEqual({ manifests: 4, blobs: 0, left: [] });
    expect(Buffer.from((await target.manifest(digest)).bytes).equals(bytes)).toBe(true);
    const copy = `${registry}/${to.repository}@${digest}`;
    execFileSync("crane", ["validate", "--remote", copy, "--platform", "linux/amd64"], { stdio: "pipe" });
    expect(said("oras", ["discover", "--plain-http", "--format", "json", copy])).toMatchObject({
      referrers: [{ digest: sha256(referrer), artifactType: RECORD }],
    });
    expect(await copyImage({ from, to, digest }, { referrers: [RECORD] }, deps)).toEqual({
      manifests: 0,
      blobs: 0,
      left: [],
    });
  });
});

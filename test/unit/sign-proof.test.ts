import { generateKeyPairSync, sign as signBytes, verify as verifyBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/model/digest.ts";
import type { ProofSigner } from "../../src/proof/attach-deps.ts";
import { attachProof } from "../../src/proof/attach-proof.ts";
import { BUNDLE_TYPE, bundleLayer, payloadOf } from "../../src/proof/bundles.ts";
import { recordStatements } from "../../src/proof/statements.ts";
import { INDEX, putDocument, putImage } from "./oci-made.ts";
import { openWith, serveRegistry, type ServedOptions } from "./oci-server.ts";
import { proofDeps, wholeOf, writeProof } from "./proof-made.ts";
import { makeWorkspace } from "./workspace.ts";

/** What a DSSE envelope has signed: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md */
const encoded = (payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`DSSEv1 28 application/vnd.in-toto+json ${payload.length} `), payload]);

/** Signs as cosign does, with a key that is made now. `signed` counts. */
function signer(): ProofSigner & { readonly signed: number } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const own = { signed: 0 };
  return {
    get signed() {
      return own.signed;
    },
    sign: (statement) => {
      own.signed += 1;
      const payload = Buffer.from(statement);
      const sig = signBytes("sha256", encoded(payload), privateKey).toString("base64");
      const dsseEnvelope = {
        payload: payload.toString("base64"),
        payloadType: "application/vnd.in-toto+json",
        signatures: [{ sig }],
      };
      return Promise.resolve(Buffer.from(JSON.stringify({ mediaType: BUNDLE_TYPE, dsseEnvelope })));
    },
    isOwn: (bundle) => {
      const { dsseEnvelope } = JSON.parse(bundle.toString()) as {
        dsseEnvelope: { signatures: { sig: string }[] };
      };
      const sig = Buffer.from(dsseEnvelope.signatures[0]?.sig ?? "", "base64");
      return Promise.resolve(
        verifyBytes("sha256", encoded(payloadOf(bundle) ?? Buffer.of()), publicKey, sig),
      );
    },
  };
}

async function pushed(options: ServedOptions = {}) {
  const registry = await serveRegistry(options);
  const root = makeWorkspace();
  const stored = registry.of("team/app");
  const image = putImage(stored, "amd64");
  const manifests = [{ ...image, platform: { os: "linux", architecture: "amd64" } }];
  const index = putDocument(stored, { manifests }, INDEX);
  const { record_id } = await writeProof(root, { ref: `${registry.host}/team/app:1`, digest: image.digest });
  const whole = await wholeOf(root, record_id);
  const attach = (by: ProofSigner | null, repository = "team/app", from: string[] = []) =>
    attachProof({ host: registry.host, repository, digest: index.digest }, [whole], {
      ...proofDeps(),
      signer: by,
      from: from.map((one) => ({ host: registry.host, repository: one })),
    });
  const bundles = async (repository = "team/app") => {
    const client = openWith()({ host: registry.host, repository });
    const { found } = await client.referrers(image.digest);
    return found.filter(({ artifactType }) => artifactType === BUNDLE_TYPE);
  };
  return { registry, stored, image, index, whole, attach, bundles };
}

describe.each([true, false])("signed proof (API for referrers: %s)", (referrers) => {
  it("is four statements, each signed once for the image and the manifest of its platform", async () => {
    const { attach, bundles, index, image, whole } = await pushed({ referrers });
    const own = signer();
    expect(await attach(own)).toBe(6 + 8);
    expect(own.signed).toBe(4);
    expect(
      (await bundles()).map(({ annotations }) => annotations["dev.sigstore.bundle.predicateType"]).sort(),
    ).toEqual([
      "https://cyclonedx.org/bom",
      "https://sigstore.dev/cosign/sign/v1",
      "https://slsa.dev/provenance/v1",
      "urn:io.factory:record:2",
    ]);
    const [first] = recordStatements(
      { host: "registry.example", repository: "app" },
      [index.digest, image.digest],
      whole,
    );
    expect(JSON.parse(first?.bytes.toString() ?? "")).toMatchObject({
      subject: [index, image].map(({ digest }) => ({ digest: { sha256: digest.slice(7) } })),
      predicate: { sha256: sha256(whole.text).slice(7), record: { record_id: whole.record.record_id } },
    });
    // The same key signs nothing again; another one signs all.
    expect(await attach(own)).toBe(0);
    expect(own.signed).toBe(4);
    const other = signer();
    expect(await attach(other)).toBe(8);
    expect(await attach(own)).toBe(0);
    expect(await bundles()).toHaveLength(8);
  });

  it("is signed, although somebody else attached the same statements with a signature of their own", async () => {
    const { attach, registry } = await pushed({ referrers });
    await attach(signer());
    const own = signer();
    expect(await attach(own)).toBe(8);
    // What is behind a bundle's digest is gone, or is something else: it is signed again.
    for (const [digest, bytes] of [...registry.of("team/app").blobs])
      if (bytes.toString("utf8").includes("dsseEnvelope"))
        registry.of("team/app").blobs.set(digest, Buffer.from("{}"));
    const before = own.signed;
    await attach(own);
    expect(own.signed).toBe(before + 4);
  });

  it("goes with the image to another repository, without a key", async () => {
    const { attach, bundles, registry, stored, image, index } = await pushed({ referrers, apart: true });
    await attach(signer());
    const target = registry.of("team/stable");
    for (const [digest, bytes] of stored.blobs)
      if (!bytes.toString("utf8").includes("dsseEnvelope")) target.blobs.set(digest, bytes);
    for (const { digest } of [image, index]) {
      const manifest = stored.manifests.get(digest);
      if (manifest) target.manifests.set(digest, manifest);
    }
    // Something that says that it is a signature, and is none, stays where it is.
    const junk = (await bundles())[0];
    const layer = bundleLayer(stored.manifests.get(junk?.digest ?? "")?.bytes ?? Buffer.of());
    stored.blobs.set(layer?.digest ?? "", Buffer.from("something else"));
    await attach(null, "team/stable", ["team/app", "team/stable"]);
    expect(await bundles("team/stable")).toHaveLength(3);
    expect(await attach(null, "team/stable", ["team/app"])).toBe(0);
  });
});

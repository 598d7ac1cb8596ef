import { execFileSync } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { describeEngine, docker, registry, temporaryFolder, uniqueName } from "./engine.ts";
import { factory, imagesOfTest, makeWorkspace } from "./run-workspace.ts";

const marker = (kind: string) => `${kind}-${randomBytes(24).toString("hex")}`;

/** Prints a value raw, as base64, and in two writes, to both streams. */
const PRINT = [
  'echo "raw $value"; printf %s "$value" | base64 -w 0; echo; echo "$value" | base64',
  'printf "in two %.14s" "$value"; sleep 0.05; printf "%s\\n" "${value#??????????????}"; echo "{\\"x\\": \\"$value\\"}" >&2',
].join("; ");

const body = (end: string) =>
  `RUN --mount=type=secret,id=from_env,env=A,required=true --mount=type=secret,id=from_file,required=true \\
    --mount=type=secret,id=from_command,env=C,required=true --mount=type=ssh,required=true \\
    test -S "$SSH_AUTH_SOCK" && test "$HTTPS_PROXY" = "$https_proxy" && for value in "$A" "$(cat /run/secrets/from_file)" "$C" "$HTTPS_PROXY" "$(sed -n 2p "$SSL_CERT_FILE")"; do ${PRINT}; done; ${end}
USER nobody
RUN head -1 "$CURL_CA_BUNDLE" && ls -A /run`;

/** Command lines of all processes that were seen, from now to the end of the test. */
function watchProcesses(): Set<string> {
  const seen = new Set<string>();
  const look = () => {
    for (const pid of readdirSync("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, "latin1"));
      } catch {
        // It has ended meanwhile.
      }
    }
  };
  const timer = setInterval(look, 15);
  onTestFinished(() => clearInterval(timer));
  return seen;
}

const plain = (bytes: Buffer) => (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes);

/** Every file below a folder, unpacked where it is compressed. */
function filesBelow(folder: string): Map<string, Buffer> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return new Map(
    files.map(({ parentPath, name }) => [
      join(parentPath, name),
      plain(readFileSync(join(parentPath, name))),
    ]),
  );
}

/** Everything that a repository of the registry has: manifests, and the blobs that they name. */
async function inRegistry(repository: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const get = async (path: string) => {
    const accept = ["index.v1", "manifest.v1"].map((kind) => `application/vnd.oci.image.${kind}+json`).join();
    const response = await fetch(`http://${registry}/v2/${repository}/${path}`, { headers: { accept } });
    return response.ok ? Buffer.from(await response.arrayBuffer()) : undefined;
  };
  const { tags } = JSON.parse(String(await get("tags/list"))) as { tags: string[] };
  const open = tags.map((tag) => `manifests/${tag}`);
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const bytes = (await get(path)) ?? Buffer.alloc(0);
    found.set(path, plain(bytes));
    if (!path.startsWith("manifests/")) continue;
    for (const [digest] of bytes.toString().matchAll(/sha256:[a-f0-9]{64}/g))
      for (const kind of ["manifests", "blobs"])
        if (!found.has(`${kind}/${digest}`) && !open.includes(`${kind}/${digest}`))
          open.push(`${kind}/${digest}`);
  }
  return found;
}

describeEngine("secrets", () => {
  test(
    "no value of any kind of source is anywhere but in the steps that it is for",
    { timeout: 300_000 },
    async () => {
      const values = {
        env: marker("env"),
        file: marker("file"),
        command: marker("command"),
        proxy: `http://me:${marker("proxy")}@proxy.example:3128`,
      };
      const { privateKey } = generateKeyPairSync("ed25519");
      const key = privateKey.export({ type: "pkcs8", format: "pem" });
      const line = randomBytes(48).toString("base64");
      const outside = temporaryFolder();
      const put = (name: string, text: string | Buffer) => {
        writeFileSync(join(outside, name), text, { mode: 0o600 });
        return join(outside, name);
      };
      // Larger than a variable can be: it is handed over as a file.
      const filler = Array.from({ length: 3000 }, () => randomBytes(48).toString("base64")).join("\n");
      const ca = put(
        'ca, of "us".pem',
        `-----BEGIN CERTIFICATE-----\n${line}\n${filler}\n-----END CERTIFICATE-----\n`,
      );
      const secret = put("file,of a secret", `${values.file}\n`);

      const cache = uniqueName("factory-test-secrets-cache");
      const repository = imagesOfTest(`${registry}/`);
      const contract = "secrets: [from_env, from_file, from_command]\nssh: [default]\n";
      const root = makeWorkspace(
        {
          fragments: {
            app: {
              "0.1.0": { body: body("true"), yaml: contract },
              "0.2.0": { body: body("exit 3"), yaml: contract },
            },
          },
          plans: {
            both: 'axes: {app: [0.1.0, 0.2.0]}\nexpect: [{when: {app: 0.2.0}, result: fail, owner: "@us", reason: to see, until: never}]\n',
          },
          cacheRepository: `${registry}/${cache}`,
        },
        repository,
      );
      appendFileSync(
        join(root, "factory.yaml"),
        "secrets: {from_env: {env: PLANTED}, from_file: {env: REPLACED}, from_command: {command: [cat, planted]}}\n",
      );
      writeFileSync(
        join(root, "factory.local.yaml"),
        `schema_version: 1
secrets: {from_file: {file: ${JSON.stringify(secret)}}, from_command: {command: [cat, ${JSON.stringify(put("planted", `${values.command}\n`))}]}}
ssh: {default: {file: ${JSON.stringify(put("key", key))}}}
network: {proxy: {https: {env: PLANTED_PROXY}}, ca: {file: ${JSON.stringify(ca)}}}
`,
      );
      const missing = await factory(root, ["run", "--plan", "both"], { env: { PLANTED: "" } });
      expect(missing.exitCode).toBe(3);
      expect(missing.stderr).toContain("SECRET_MISSING");
      expect(readdirSync(root)).not.toContain("records");

      const processes = watchProcesses();
      const args = ["run", "--plan", "both", "--push", "--json", "--verbose", "--events", "events.ndjson"];
      const ended = await factory(root, args, { env: { PLANTED: values.env, PLANTED_PROXY: values.proxy } });
      expect(ended.exitCode, ended.stderr + ended.stdout).toBe(0);
      const { results } = JSON.parse(ended.stdout) as {
        results: { status: string; record: string; image: { ref: string } | null }[];
      };
      expect(results.map(({ status }) => status).sort()).toEqual(["fail", "pass"]);

      const places = filesBelow(root);
      places.set("stdout", Buffer.from(ended.stdout)).set("stderr", Buffer.from(ended.stderr));
      places.set("arguments", Buffer.from([...processes].join("\n")));
      const ref = results.find(({ status }) => status === "pass")?.image?.ref ?? "";
      places.set("inspect", Buffer.from(docker(["image", "inspect", ref])));
      places.set("history", Buffer.from(docker(["image", "history", "--no-trunc", ref])));
      const saved = temporaryFolder();
      docker(["image", "save", "-o", join(saved, "image.tar"), ref]);
      execFileSync("tar", ["-xf", join(saved, "image.tar"), "-C", saved]);
      execFileSync("rm", [join(saved, "image.tar")]);
      for (const [name, bytes] of filesBelow(saved)) places.set(name, bytes);
      for (const one of [cache, `${repository.replace(`${registry}/`, "")}/app`]) {
        const held = await inRegistry(one);
        expect(held.size).toBeGreaterThan(3);
        for (const [name, bytes] of held) places.set(`${one} ${name}`, bytes);
      }

      // What is looked for is found where it is: the steps printed, a process got the name of the variable.
      const log = [...places].find(([name, bytes]) => name.includes("evidence") && bytes.includes("raw ***"));
      expect(log?.[1].toString().match(/in two \*\*\*/g)).toHaveLength(5);
      expect(String(places.get("arguments"))).toContain("env=FACTORY_SECRET_from_env");
      expect(String(places.get("stderr"))).toMatch(/^\+ (docker buildx|\S+\/docker-buildx) bake /m);
      expect(places.size).toBeGreaterThan(30);

      const own = privateKey.export({ type: "pkcs8", format: "der" }).toString("base64");
      for (const value of [...Object.values(values), values.proxy.slice(10, -20), line, own]) {
        const inside = (text: string) => Buffer.from(`${"a".repeat(text.length)}`);
        void inside;
        const base64 = [0, 1, 2].map((before) =>
          Buffer.from("a".repeat(before) + value)
            .toString("base64")
            .slice(before === 0 ? 0 : 4, -4),
        );
        const forms = [value, value.slice(14), value.slice(0, 20), encodeURIComponent(value), ...base64];
        const found = [...places].filter(([, bytes]) => forms.some((form) => bytes.includes(form)));
        expect(found.map(([name]) => name.replace(root, ""))).toEqual([]);
      }

      const verified = await factory(root, ["records", "verify"]);
      expect(verified.exitCode, verified.stdout).toBe(0);
      const record = JSON.parse(readFileSync(join(root, results[0]?.record ?? ""), "utf8")) as FactoryRecord;
      const dockerfile = readFileSync(
        join(root, "records/app", record.evidence.dockerfile?.path ?? ""),
        "utf8",
      );
      expect(dockerfile).toContain("--mount=type=secret,id=factory_https_proxy,env=HTTPS_PROXY");
      // Once more without the network's settings: the same keys, so the same proof.
      writeFileSync(join(root, "factory.local.yaml"), "schema_version: 1\n");
      const again = await factory(root, ["plan", "both", "--json"]);
      expect(again.stdout).toContain(record.recipe_key);
    },
  );
});

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { endpointText, isOnThisMachine, resolveEndpoint } from "../../src/tools/engine-endpoint.ts";

/** A folder as docker's own, with contexts in it. */
let config = "";
beforeEach(() => {
  config = mkdtempSync(join(tmpdir(), "factory-docker-"));
});
afterEach(() => rmSync(config, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(join(config, path, ".."), { recursive: true });
  writeFileSync(join(config, path), text);
}

function addContext(name: string, docker: object, tls: Record<string, string> = {}): void {
  const id = createHash("sha256").update(name).digest("hex");
  write(`contexts/meta/${id}/meta.json`, JSON.stringify({ Name: name, Endpoints: { docker } }));
  for (const [file, text] of Object.entries(tls)) write(`contexts/tls/${id}/docker/${file}`, text);
}

const resolve = (env: Record<string, string> = {}) =>
  resolveEndpoint({ DOCKER_CONFIG: config, HOME: "/nowhere", ...env });
const socket = (path: string) => ({ kind: "socket", path });

describe("the engine's endpoint", () => {
  it("is the default socket where nothing is said", () => {
    expect(resolve()).toEqual(socket("/var/run/docker.sock"));
    write("config.json", JSON.stringify({ currentContext: "default", auths: {} }));
    expect(resolve()).toEqual(socket("/var/run/docker.sock"));
  });

  it("is that of the context which config.json names", () => {
    write("config.json", JSON.stringify({ currentContext: "mine" }));
    addContext("mine", { Host: "unix:///run/mine.sock" });
    expect(resolve()).toEqual(socket("/run/mine.sock"));
  });

  it("is looked for below HOME where DOCKER_CONFIG is not set", () => {
    write(".docker/config.json", JSON.stringify({ currentContext: "mine" }));
    const id = createHash("sha256").update("mine").digest("hex");
    const meta = { Endpoints: { docker: { Host: "unix:///run/home.sock" } } };
    write(`.docker/contexts/meta/${id}/meta.json`, JSON.stringify(meta));
    expect(resolveEndpoint({ HOME: config })).toEqual(socket("/run/home.sock"));
  });

  it("is that of DOCKER_CONTEXT before that of config.json, and DOCKER_HOST before both", () => {
    write("config.json", JSON.stringify({ currentContext: "mine" }));
    addContext("mine", { Host: "unix:///run/mine.sock" });
    addContext("other", { Host: "unix:///run/other.sock" });
    expect(resolve({ DOCKER_CONTEXT: "other" })).toEqual(socket("/run/other.sock"));
    expect(resolve({ DOCKER_CONTEXT: "default" })).toEqual(socket("/var/run/docker.sock"));
    expect(resolve({ DOCKER_CONTEXT: "other", DOCKER_HOST: "unix:///run/host.sock" })).toEqual(
      socket("/run/host.sock"),
    );
  });

  const tcp: [string, object][] = [
    ["tcp://127.0.0.1:2399", { host: "127.0.0.1", port: 2399, prefix: "", tls: null }],
    ["tcp://build.example", { host: "build.example", port: 2375, prefix: "", tls: null }],
    ["tcp://build.example:80", { host: "build.example", port: 80, prefix: "", tls: null }],
    ["tcp://[::1]:2375/engine/", { host: "::1", port: 2375, prefix: "/engine", tls: null }],
    ["build.example:2400", { host: "build.example", port: 2400, prefix: "", tls: null }],
  ];
  it.each(tcp)("is reached over TCP: %s", (host, expected) => {
    expect(resolve({ DOCKER_HOST: host })).toEqual({ kind: "tcp", ...expected });
  });

  it("is reached with TLS where DOCKER_TLS_VERIFY says so, with the files of DOCKER_CERT_PATH", () => {
    write("certs/ca.pem", "CA");
    write("certs/cert.pem", "CERT");
    write("certs/key.pem", "KEY");
    const env = { DOCKER_HOST: "tcp://build.example", DOCKER_CERT_PATH: join(config, "certs") };
    const files = { ca: Buffer.from("CA"), cert: Buffer.from("CERT"), key: Buffer.from("KEY") };
    const at = { kind: "tcp", host: "build.example", port: 2376, prefix: "" };
    expect(resolve({ ...env, DOCKER_TLS_VERIFY: "1" })).toEqual({ ...at, tls: { ...files, verify: true } });
    expect(resolve({ ...env, DOCKER_TLS: "1" })).toEqual({ ...at, tls: { ...files, verify: false } });
    write("ca.pem", "OWN");
    const { DOCKER_HOST } = env;
    expect(resolve({ DOCKER_HOST, DOCKER_TLS_VERIFY: "1" })).toMatchObject({
      tls: { ca: Buffer.from("OWN") },
    });
  });

  it("is reached with the TLS files of its context", () => {
    addContext("far", { Host: "tcp://far.example:2376" }, { "ca.pem": "CA" });
    addContext("lax", { Host: "tcp://lax.example", SkipTLSVerify: true });
    addContext("plain", { Host: "tcp://plain.example", SkipTLSVerify: false });
    expect(resolve({ DOCKER_CONTEXT: "far" })).toMatchObject({
      tls: { ca: Buffer.from("CA"), verify: true },
    });
    expect(resolve({ DOCKER_CONTEXT: "lax" })).toMatchObject({ port: 2376, tls: { verify: false } });
    expect(resolve({ DOCKER_CONTEXT: "plain" })).toMatchObject({ port: 2375, tls: null });
  });

  it("is left to docker's own connection where only that gets there", () => {
    expect(resolve({ DOCKER_HOST: "ssh://me@far.example" })).toEqual({
      kind: "dial",
      host: "ssh://me@far.example",
    });
  });

  it("is said to be wrong where there is no such context or address", () => {
    expect(() => resolve({ DOCKER_CONTEXT: "none" })).toThrow(/no context "none"/);
    expect(() => resolve({ DOCKER_HOST: "tcp://:::" })).toThrow(/not an address/);
    write("config.json", "{");
    expect(() => resolve()).toThrow(/is not JSON/);
  });

  it("is on this machine for certain only where it is a socket", () => {
    expect(isOnThisMachine(resolve())).toBe(true);
    expect(isOnThisMachine(resolve({ DOCKER_HOST: "tcp://127.0.0.1:2375" }))).toBe(false);
    expect(isOnThisMachine(resolve({ DOCKER_HOST: "ssh://localhost" }))).toBe(false);
  });

  it.each(["unix:///run/a.sock", "tcp://[::1]:2375", "tcp://a.example:1/x", "ssh://me@b"])(
    "is written as docker writes it: %s",
    (host) => expect(endpointText(resolve({ DOCKER_HOST: host }))).toBe(host),
  );
});

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BUILD_CLASSES, classifyFailure, OWN_FAULT, type BuildClass } from "../../src/builder/classify.ts";
import type { Again } from "../../src/model/retries.ts";
import { failureMessage } from "../../src/builder/failure-message.ts";
import { createProgress } from "../../src/builder/progress.ts";

const head = "ERROR: target cell: failed to solve: ";
const source = "debian:x: failed to resolve source metadata for reg.example/debian:x: ";

const cases: [string, BuildClass, Again][] = [
  ["dockerfile parse error on line 2: unknown instruction: BOGUS", "dockerfile", "no"],
  ["target stage core could not be found", "dockerfile", "no"],
  ["failed to read dockerfile: open Dockerfile: no such file or directory", "dockerfile", "no"],
  ['process "/bin/sh -c exit 3" did not complete successfully: exit code: 3', "step", "no"],
  [
    'process "/bin/sh -c echo \\"no such host\\" toomanyrequests" did not complete successfully: exit code: 1',
    "step",
    "no",
  ],
  [
    'failed to compute cache key: failed to calculate checksum of ref a::b: "/nofile": not found',
    "copy",
    "no",
  ],
  [`${source}reg.example/debian:x: not found`, "base", "no"],
  ["denied/app:429: failed to resolve source metadata for denied/app:429: not found", "base", "no"],
  [`${source}no match for platform in manifest: not found`, "base", "no"],
  [`${source}failed to do request: Head "https://r/": dial tcp: lookup r: no such host`, "network", "once"],
  [
    `${source}failed to do request: dial tcp 127.0.0.1:5999: connect: connection refused`,
    "registry-unavailable",
    "yes",
  ],
  [
    `${source}unexpected status from HEAD request to https://r/v2/: 503 Service Unavailable`,
    "registry-unavailable",
    "yes",
  ],
  [
    `${source}unexpected status from HEAD request to https://r/v2/: 401 Unauthorized`,
    "registry-denied",
    "no",
  ],
  [
    `${source}pull access denied, repository does not exist or may require authorization`,
    "registry-denied",
    "no",
  ],
  ["failed to copy: httpReadSeeker: failed open: 429 Too Many Requests", "registry-limited", "long"],
  ["toomanyrequests: You have reached your pull rate limit", "registry-limited", "long"],
  ["failed to push r/x: failed to copy: read tcp a->b: read: connection reset by peer", "network", "yes"],
  ["failed to do request: Put: EOF", "network", "yes"],
  ["failed to do request: Put: write tcp a->b: use of closed network connection", "network", "yes"],
  ["error from registry: upstream is out of order", "registry-unavailable", "yes"],
  ["error from registry: unknown error", "registry-unavailable", "yes"],
  ["error from registry: requested access to the resource is denied", "registry-denied", "no"],
  ["error from registry: manifest invalid", "unknown", "no"],
  ["error from registry: blob unknown to registry", "unknown", "no"],
  ["error from registry: toomanyrequests: slow down", "registry-limited", "long"],
  ["failed to do request: net/http: TLS handshake timeout", "network", "yes"],
  ["no such job abc123", "builder", "yes"],
  ["Unavailable: closing transport due to: connection error", "registry-unavailable", "yes"],
  ["failed to copy files: copy file range failed: no space left on device", "disk", "no"],
  ["DeadlineExceeded: context deadline exceeded", "timeout", "yes"],
  ["Canceled: context canceled", "builder", "yes"],
  [
    'process "/bin/sh -c sleep 9" did not complete successfully: exit code: 137: context canceled',
    "builder",
    "yes",
  ],
  ["permission denied while trying to connect to the Docker daemon socket", "environment", "no"],
  ["unknown flag: --progress", "environment", "no"],
  ["mkdir /home/a/.docker: read-only file system", "environment", "no"],
  ["open /root/.docker/buildx/current: permission denied", "environment", "no"],
  ["mkdir /home/a/.dockers: read-only file system", "unknown", "no"],
  ["docker exporter does not currently support exporting manifest lists", "environment", "no"],
  ["docker exporter does not support exporting manifest lists", "environment", "no"],
  ["attestation is not supported by the docker driver", "environment", "no"],
  ["attestations are not supported by the docker driver", "environment", "no"],
  ["base name (${X}) should not be blank", "dockerfile", "no"],
  ["failed to compute cache key: lstat /a/b: file not found", "copy", "no"],
  [`${source}manifest unknown`, "base", "no"],
  ["failed to push r/x: unexpected status from POST request: 429", "registry-limited", "long"],
  ["failed to push r/x: unexpected status from PUT request to https://r: 403", "registry-denied", "no"],
  ["failed to push r/x: unexpected status from PUT request to https://r: 404", "unknown", "no"],
  ["failed to push r/x: unexpected status from PUT request to https://r: 599", "registry-unavailable", "yes"],
  ["failed to push r/x: unexpected status from PUT request: 5000 bytes", "unknown", "no"],
  ["failed to push r/x: 502 Bad Gateway", "registry-unavailable", "yes"],
  ["failed to push r/x: 501 Not Implemented", "unknown", "no"],
  ["failed to push r/x: 502 bytes", "unknown", "no"],
  ['process "no such job" failed', "unknown", "no"],
  ["something never seen", "unknown", "no"],
];

describe("classifyFailure", () => {
  it.each(cases)("%s", (text, cause, retry) => {
    expect(classifyFailure(1, head + text)).toEqual({ class: cause, retry });
  });

  it("takes four classes for the fault of what was asked for, and no more", () => {
    const own = BUILD_CLASSES.filter((name) => OWN_FAULT.has(name));
    expect(own).toEqual(["dockerfile", "step", "copy", "base"]);
  });

  it("takes the exit code of an interrupt for one, whatever was said", () => {
    expect(classifyFailure(130, `${head}no such host`)).toEqual({ class: "interrupted", retry: "no" });
  });

  it("takes a builder that a signal ended for a fault of the builder, unless it said more", () => {
    expect(classifyFailure(null, "")).toEqual({ class: "builder", retry: "no" });
    expect(classifyFailure(null, `${head}no such host`)).toEqual({ class: "network", retry: "once" });
  });

  it("knows an engine that is not there", () => {
    const text = "ERROR: Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?";
    const environment = { class: "environment", retry: "no" };
    expect(classifyFailure(1, text)).toEqual(environment);
    expect(classifyFailure(125, "unknown shorthand flag: 'f' in -f")).toEqual(environment);
  });

  it("does not take a permission of the file system for one of the registry", () => {
    expect(classifyFailure(1, `${head}error from sender: open secret: permission denied`).class).toBe(
      "unknown",
    );
  });

  it.each([
    ["failed-step", "step"],
    ["failed-copy", "copy"],
    ["failed-base", "base"],
  ])("classifies the recording %s", (name, cause) => {
    const progress = createProgress();
    const text = readFileSync(new URL(`../fixtures/build/${name}.rawjson`, import.meta.url), "utf8");
    for (const line of text.split("\n")) progress.line(line);
    expect(classifyFailure(1, progress.errorText())).toEqual({ class: cause, retry: "no" });
  });
});

describe("failureMessage", () => {
  it("is one line without what stands in front of every failure", () => {
    expect(failureMessage(`${head}no such job\nmore`)).toBe("no such job");
    expect(failureMessage("")).toMatch(/without a message/);
    expect(failureMessage(head + "x".repeat(900))).toHaveLength(500);
  });
});

import type { NetworkName } from "../model/secret.ts";
import { parseDockerfile } from "./dockerfile.ts";

/** Where a step finds the certificates. */
export const CA_PATH = "/run/secrets/factory_ca";

/** Ids of the secrets by which steps get what they need to reach the network. No document can declare one of these. */
export const NETWORK_IDS = {
  http: "factory_http_proxy",
  https: "factory_https_proxy",
  no: "factory_no_proxy",
  ca: "factory_ca",
  /** Its value is `CA_PATH`: so the variables that name it are in no image either. */
  caPath: "factory_ca_path",
} as const;

/** Variables by which programs find certificates: OpenSSL and Go, curl, requests, pip, Node, git, Cargo, AWS. */
const CA_VARIABLES = [
  "SSL_CERT_FILE",
  "CURL_CA_BUNDLE",
  "REQUESTS_CA_BUNDLE",
  "PIP_CERT",
  "NODE_EXTRA_CA_CERTS",
  "GIT_SSL_CAINFO",
  "CARGO_HTTP_CAINFO",
  "AWS_CA_BUNDLE",
];

const variable = (id: string, name: string) => `--mount=type=secret,id=${id},env=${name}`;

const both = (name: Exclude<NetworkName, "ca">) =>
  [`${name}_proxy`, `${name}_proxy`.toUpperCase()].map((one) => variable(NETWORK_IDS[name], one));

const MOUNTS: Readonly<Record<NetworkName, readonly string[]>> = {
  http: both("http"),
  https: both("https"),
  no: both("no"),
  ca: [
    `--mount=type=secret,id=${NETWORK_IDS.ca},target=${CA_PATH},mode=0444`,
    ...CA_VARIABLES.map((name) => variable(NETWORK_IDS.caPath, name)),
  ],
};

const NAMES = Object.keys(MOUNTS) as NetworkName[];

/**
 * A Dockerfile whose steps also mount what they need to reach the network, in a fixed order, whatever its values are. It
 * makes the same image: a mount is neither in the image nor in its history.
 */
export function withNetwork(text: string, names: readonly NetworkName[]): string {
  const mounts = NAMES.filter((name) => names.includes(name)).flatMap((name) => MOUNTS[name]);
  if (mounts.length === 0) return text;
  const lines = text.split("\n");
  for (const { keyword, line } of parseDockerfile(text)) {
    if (keyword !== "RUN") continue;
    lines[line - 1] = (lines[line - 1] ?? "").replace(
      /^(\s*run)(\s|(?=\\))/i,
      (_, run: string, space: string) => `${run} ${mounts.join(" ")}${space || " "}`,
    );
  }
  return lines.join("\n");
}

/** What steps of a Dockerfile from `withNetwork` mount. */
export function networkOf(text: string): NetworkName[] {
  return NAMES.filter((name) => text.includes(MOUNTS[name][0] ?? ""));
}

/** A line of the builder's output without these mounts, which say nothing of a step. */
export function withoutNetwork(line: string): string {
  return line.includes("id=factory_")
    ? line.replace(/ --mount=type=secret,id=factory_[a-z_]+,\S+(?= )/g, "")
    : line;
}

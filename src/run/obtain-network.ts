import { unescape } from "node:querystring";
import type { ObtainedSecret } from "../builder/handover.ts";
import { FactoryError, type Finding } from "../errors.ts";
import type { DeclaredSource, NetworkName } from "../model/secret.ts";
import { CA_PATH, NETWORK_IDS } from "../stitch/network.ts";
import type { SecretDeps } from "./secret-deps.ts";

/** What steps get to reach the network. */
export interface Network {
  names: NetworkName[];
  secrets: ObtainedSecret[];
  /** What is wrong with it. */
  findings: Finding[];
}

const TITLES: Readonly<Record<NetworkName, string>> = {
  http: "the proxy for http",
  https: "the proxy for https",
  no: "the list of hosts without a proxy",
  ca: "the certificates",
};

/** What is wrong with a value; undefined if it can be used. */
function faultOf(name: NetworkName, value: string): string | undefined {
  if (name === "ca")
    return value.includes("-----BEGIN CERTIFICATE-----")
      ? undefined
      : "there is no certificate in PEM form in it";
  if (/\s/.test(value)) return "its value has a space or a line break in it";
  if (name === "no") return undefined;
  return URL.canParse(value) && /^(https?|socks5h?):\/\//i.test(value)
    ? undefined
    : "its value is not a URL such as http://proxy.example:3128";
}

/** Whether a proxy is this machine, which is another one for a step. */
function isLoopback(value: string): boolean {
  return /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(value).hostname);
}

/** Obtains what the documents declare; a variable that is not set means that there is none. */
export async function obtainNetwork({ settings, obtain, isSet, mask, note }: SecretDeps): Promise<Network> {
  const found: Network = { names: [], secrets: [], findings: [] };
  const add = (id: string, value: string, path: string | null = null) =>
    found.secrets.push({ kind: "secret", id, value, path });
  for (const [name, declared] of Object.entries(settings().network) as [NetworkName, DeclaredSource][]) {
    try {
      const variable = declared.source.env;
      if (variable !== undefined && !isSet(variable)) continue;
      const obtained = await obtain("secret", TITLES[name], declared);
      const value = name === "ca" ? obtained.value : obtained.value.trim();
      mask.hide(value);
      if (name !== "ca" && URL.canParse(value)) mask.hide(unescape(new URL(value).password));
      const what = faultOf(name, value);
      if (what !== undefined) {
        const fix = "correct it, or its entry under `network:`";
        throw new FactoryError("SECRET_MISSING", `${TITLES[name]}: ${what}`, { where: declared.where, fix });
      }
      if ((name === "http" || name === "https") && isLoopback(value))
        note(`warning: ${TITLES[name]} is on this machine's loopback, which steps of a build do not reach`);
      found.names.push(name);
      add(NETWORK_IDS[name], value, obtained.path);
      if (name === "ca") add(NETWORK_IDS.caPath, CA_PATH);
    } catch (error) {
      if (!(error instanceof FactoryError) || error.code === "INTERRUPTED") throw error;
      found.findings.push({ code: error.code, what: error.message, where: error.where, fix: error.fix });
    }
  }
  return found;
}

/**
 * Vendor and product, as the NVD names them, by source package.
 *
 * Only names whose vendor is certain are here: the project has no other publisher, its vendor name in the NVD is its own
 * and has never changed, and Debian and Alpine use the project's name for the source package. A project that the NVD has
 * under two vendors (nginx, systemd, redis, zlib) is left out, and so is everything else.
 */
const PRODUCTS: ReadonlyMap<string, string> = new Map([
  ["bash", "gnu:bash"],
  ["binutils", "gnu:binutils"],
  ["coreutils", "gnu:coreutils"],
  ["cpio", "gnu:cpio"],
  ["curl", "haxx:curl"],
  ["expat", "libexpat_project:libexpat"],
  ["glibc", "gnu:glibc"],
  ["gnutls28", "gnu:gnutls"],
  ["gzip", "gnu:gzip"],
  ["krb5", "mit:kerberos_5"],
  ["libgcrypt20", "gnupg:libgcrypt"],
  ["libssh2", "libssh2:libssh2"],
  ["libxml2", "xmlsoft:libxml2"],
  ["ncurses", "gnu:ncurses"],
  ["nodejs", "nodejs:node.js"],
  ["openssh", "openbsd:openssh"],
  ["openssl", "openssl:openssl"],
  ["perl", "perl:perl"],
  ["sqlite3", "sqlite:sqlite"],
  ["tar", "gnu:tar"],
  ["wget", "gnu:wget"],
]);

/** A version as upstream writes it; anything else (`+dfsg`, `~rc1`, a snapshot) is doubtful. */
const PLAIN = /^\d+(?:\.\d+)*(?:p\d+|[a-z])?$/;

/** The upstream part of a Debian version: without epoch and Debian revision. */
function upstreamVersion(version: string): string {
  const withoutEpoch = version.replace(/^\d+:/, "");
  const dash = withoutEpoch.lastIndexOf("-");
  return dash < 0 ? withoutEpoch : withoutEpoch.slice(0, dash);
}

/**
 * The CPE 2.3 name of a source package's product; undefined if vendor or version are doubtful.
 * @param version of the source package, in Debian's form or upstream's
 */
export function cpeOf(source: string, version: string): string | undefined {
  const product = PRODUCTS.get(source);
  const upstream = upstreamVersion(version);
  if (product === undefined || !PLAIN.test(upstream)) return undefined;
  return `cpe:2.3:a:${product}:${upstream}:*:*:*:*:*:*:*`;
}

/** Vendor and product of operating systems, by the ID of os-release. */
const SYSTEMS: ReadonlyMap<string, string> = new Map([
  ["alpine", "alpinelinux:alpine_linux"],
  ["debian", "debian:debian_linux"],
  ["ubuntu", "canonical:ubuntu_linux"],
]);

/** The CPE 2.3 name of an operating system; undefined if it is doubtful. */
export function systemCpe(id: string, version: string): string | undefined {
  const product = SYSTEMS.get(id);
  if (product === undefined || !PLAIN.test(version)) return undefined;
  return `cpe:2.3:o:${product}:${version}:*:*:*:*:*:*:*`;
}

/** An OCI platform, such as `linux/arm64`, as it may stand in a tag, a target or an id: `linux-arm64`. */
export function platformSlug(platform: string): string {
  return platform.replaceAll("/", "-");
}

/** The platform of this machine's own engine, such as `linux/amd64`. */
export function hostPlatform(arch: string = process.arch): string {
  const names: Record<string, string> = { x64: "amd64", arm64: "arm64", arm: "arm/v7", ia32: "386" };
  return `linux/${names[arch] ?? arch}`;
}

/** An OCI platform, such as `linux/arm64`, in the form for a tag, a target or an id: `linux-arm64`. */
export function platformSlug(platform: string): string {
  return platform.replaceAll("/", "-");
}

const UNITS = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/**
 * A size such as `300 MB` or `1.5GiB` in whole bytes.
 * @throws RangeError if the text is not a size
 */
export function bytesOf(size: string): number {
  const [, amount, unit] = /^(\d{1,12}(?:\.\d{1,3})?) ?(B|kB|MB|GB|KiB|MiB|GiB)$/.exec(size) ?? [];
  if (amount === undefined) throw new RangeError(`not a size: ${size}`);
  return Math.round(Number(amount) * UNITS[unit as keyof typeof UNITS]);
}

/** A size for people, in decimal units: `186.0 MB`. */
export function sizeText(bytes: number): string {
  for (const unit of ["GB", "MB", "kB"] as const) {
    if (bytes >= UNITS[unit]) return `${(bytes / UNITS[unit]).toFixed(1)} ${unit}`;
  }
  return `${bytes} B`;
}

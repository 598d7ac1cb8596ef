const UNITS = { h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** A length of time as in documents (`12h`, `30d`, `8w`), in milliseconds; null for none. */
export function ageMs(text: string | null | undefined): number | null {
  const [, count, unit] = /^([1-9]\d{0,4})([hdw])$/.exec(text ?? "") ?? [];
  return count === undefined ? null : Number(count) * UNITS[unit as keyof typeof UNITS];
}

/** `20261121t010203456z-1a2b3c4d`: UTC time with milliseconds and eight random hex digits. Sorts by time. */
export function recordId(time: Date, randomHex: string): string {
  const stamp = time.toISOString().replace(/[-:.]/g, "").toLowerCase();
  return `${stamp}-${randomHex.slice(0, 8)}`;
}

export const RECORD_ID = /^\d{8}t\d{9}z-[a-f0-9]{8}$/;

/** The time in a record's id, as milliseconds since 1970. */
export function timeOfRecordId(id: string): number {
  const [, year, month, day, hour, minute, second, ms] =
    /^(\d{4})(\d{2})(\d{2})t(\d{2})(\d{2})(\d{2})(\d{3})z/.exec(id) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
}

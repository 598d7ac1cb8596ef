import type { FactoryRecord, FactoryRecord1 } from "../schemas/types.ts";

/** A record as it was written: in today's form, or in an older one, which is still read but proves nothing. */
export type StoredRecord = FactoryRecord | FactoryRecord1;

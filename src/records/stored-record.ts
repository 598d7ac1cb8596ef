import type { FactoryRecord, FactoryRecord1 } from "../schemas/types.ts";

/** A record as it was written: of today's form, or of an older one, which is still read and proves nothing. */
export type StoredRecord = FactoryRecord | FactoryRecord1;

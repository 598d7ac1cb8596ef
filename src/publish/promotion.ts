import { manifestOfRef } from "../model/parent.ts";
import type { FactoryRecord, Product, Promotion } from "../schemas/types.ts";

/** What a promotion asks for, with every default filled in. */
export type Asked = Required<Promotion>;

/** The evidence that each word stands for. */
const EVIDENCE = { smoke: "smoke_report", sbom: "sbom", provenance: "provenance" } as const;

const DEFAULTS: Asked = { requires: ["smoke", "sbom", "provenance"], max_age_days: 30, fresh_base: true };

/** Why what is not known does not count. */
const UNKNOWN = {
  signature: "the policy does not say whose signature counts",
  scan: "it was not scanned: `factory scan` does",
} as const;

const DAY_MS = 24 * 3600 * 1000;
/** How far the clocks of two machines may differ. */
const SKEW_MS = 5 * 60 * 1000;

/** One thing that a policy asks of the record of one platform. */
export interface Check {
  /** `age`, `base`, or a word of `requires`. */
  link: string;
  ok: boolean;
  why: string;
}

/** What is known beside a record. */
export interface Known {
  /** Milliseconds since 1970. */
  now: number;
  /** The digest that the base's tag names in its registry; null where it names none or cannot be asked. */
  baseNow: string | null;
  /** Whether the record is signed by somebody whose signature counts; undefined where that was not asked. */
  signature?: { ok: boolean; why: string };
  /** What a scan of the image comes to today; undefined where there is none. */
  scan?: { ok: boolean; why: string };
}

/**
 * What promotions to a channel ask for: what the channel's own policy says, else the product's with what the product says
 * itself before it.
 * @param promotionOf gives what a policy says
 */
export function askedBy(
  product: Product,
  channel: string,
  promotionOf: (policyId: string) => Promotion | undefined,
): Asked {
  const policy = policyOf(product, channel);
  const isOwn = product.channels?.[channel]?.policy !== undefined;
  const said = policy === undefined ? {} : promotionOf(policy);
  return { ...DEFAULTS, ...said, ...(isOwn ? {} : product.promotion) };
}

/** The policy of promotions to a channel; undefined where there is none. */
export function policyOf({ channels = {}, policy }: Product, channel: string): string | undefined {
  return channels[channel]?.policy ?? policy;
}

function ageCheck({ result }: FactoryRecord, days: number, now: number): Check {
  const tested = Date.parse(result.tested_at);
  const link = "age";
  if (!(tested <= now + SKEW_MS))
    return { link, ok: false, why: `it is from the future: ${result.tested_at}` };
  const old = Math.floor((now - tested) / DAY_MS);
  const ok = now - tested <= days * DAY_MS;
  return { link, ok, why: `tested ${result.tested_at}, ${old} of at most ${days} days ago` };
}

function baseCheck({ base, parent }: FactoryRecord, baseNow: string | null): Check {
  const link = "base";
  if (manifestOfRef(base.ref) !== null)
    return {
      link,
      ok: true,
      why: `the proven image of ${parent?.manifest_id ?? manifestOfRef(base.ref) ?? ""}`,
    };
  if (base.ref === "scratch") return { link, ok: true, why: "scratch" };
  if (base.digest === null || baseNow === null)
    return { link, ok: false, why: `what ${base.ref} names now is not known` };
  const ok = baseNow === base.digest;
  return {
    link,
    ok,
    why: ok ? `${base.ref} names ${baseNow}` : `${base.ref} names ${baseNow} by now, and not ${base.digest}`,
  };
}

/** What a promotion asks of one record that proves a platform for the current inputs and tests, and what it finds. */
export function promotionChecks(record: FactoryRecord, asked: Asked, known: Known): Check[] {
  const { requires, max_age_days, fresh_base } = asked;
  return [
    ...requires.map((link): Check => {
      if (link === "signature" || link === "scan")
        return { link, ...(known[link] ?? { ok: false, why: UNKNOWN[link] }) };
      const piece = record.evidence[EVIDENCE[link]];
      return { link, ok: piece !== undefined, why: piece ? `sha256:${piece.sha256}` : `the record has none` };
    }),
    ageCheck(record, max_age_days, known.now),
    ...(fresh_base ? [baseCheck(record, known.baseNow)] : []),
  ];
}

import { channelTag } from "../catalog/channel-rules.ts";
import { parseReference, referenceText } from "../model/image-reference.ts";
import type { Product } from "../schemas/types.ts";

/**
 * What a published tag is called in a channel: `registry.example/stable/python:3.13`.
 * @param ref as it is published
 * @throws FactoryError REFERENCE_INVALID where that is no tag
 */
export function channelRef({ channels = {} }: Product, channel: string, ref: string): string {
  const { repository, tag } = channels[channel] ?? {};
  const published = parseReference(ref);
  const name = channelTag(tag).replace("{{tag}}", () => published.tag ?? "latest");
  const place = repository ?? referenceText({ ...published, tag: null });
  const moved = `${place}:${name}`;
  parseReference(moved);
  return moved;
}

/** The tag whose image a promotion to a channel moves on. */
export function sourceRef(product: Product, channel: string, ref: string): string {
  const from = product.channels?.[channel]?.from;
  return from === undefined ? ref : channelRef(product, from, ref);
}

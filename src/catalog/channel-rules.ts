import type { Finding } from "../errors.ts";
import { quoted } from "../model/visible.ts";
import type { Product } from "../schemas/types.ts";
import type { Loaded } from "./document.ts";
import type { OpenCatalog } from "./open.ts";
import { unknownName } from "./references.ts";
import type { Path } from "./yaml-value.ts";

/** What a tag of a channel has in place of the published tag, without spaces. */
const CHANNEL_TAG = "{{tag}}";

/** A channel's name for a tag: what its `tag` says, without the spaces that may stand in it. */
export const channelTag = (template: string = CHANNEL_TAG): string => template.replaceAll(" ", "");

/** The channels that a channel's tags come through, the nearest first; null if they lead back to it. */
export function channelsBefore(
  channels: Readonly<Record<string, { from?: string } | undefined>>,
  name: string,
): string[] | null {
  const before: string[] = [];
  for (let at = channels[name]?.from; at !== undefined; at = channels[at]?.from) {
    if (at === name || before.includes(at)) return null;
    before.push(at);
  }
  return before;
}

function policyFindings(catalog: OpenCatalog, { sound, place }: Loaded<Product>): Finding[] {
  const named: { id: string | undefined; path: Path }[] = [
    { id: sound.policy, path: ["policy"] },
    ...Object.entries(sound.channels ?? {}).map(([name, channel]) => ({
      id: channel?.policy,
      path: ["channels", name, "policy"],
    })),
  ];
  const known = catalog.policyIds();
  return named.flatMap(({ id, path }): Finding[] =>
    id === undefined || known.includes(id)
      ? []
      : [
          {
            ...unknownName("UNKNOWN_POLICY", `there is no policy ${quoted(id)}`, id, known),
            where: place(path),
          },
        ],
  );
}

/** Checks a product's policies and channels: each is there, none leads back to itself, and no two have the same tags. */
export function checkChannels(catalog: OpenCatalog, product: Loaded<Product>): Finding[] {
  const { sound, place, keyPlace } = product;
  const channels = sound.channels ?? {};
  const names = Object.keys(channels);
  const findings = policyFindings(catalog, product);
  const taken = new Map([[`${sound.repository ?? ""} ${CHANNEL_TAG}`, "what `factory publish` publishes"]]);
  for (const [name, channel] of Object.entries(channels)) {
    const { repository = sound.repository ?? "", tag, from } = channel ?? {};
    const own = `${repository} ${channelTag(tag)}`;
    const other = taken.get(own);
    if (other)
      findings.push({
        code: "CHANNEL_INVALID",
        what: `the channel ${quoted(name)} has the same tags as ${other}`,
        where: keyPlace(["channels", name]),
        fix: "give it a repository of its own, or another name for its tags: `tag: stable-{{tag}}`",
      });
    else taken.set(own, `the channel ${quoted(name)}`);
    if (from !== undefined && !names.includes(from))
      findings.push({
        ...unknownName("CHANNEL_INVALID", `the product has no channel ${quoted(from)}`, from, names),
        where: place(["channels", name, "from"]),
      });
    else if (channelsBefore(channels, name) === null)
      findings.push({
        code: "CHANNEL_INVALID",
        what: `the tags of the channel ${quoted(name)} come from itself`,
        where: place(["channels", name, "from"]),
        fix: "remove `from` of the first channel: it gets what `factory publish` publishes",
      });
  }
  return findings;
}

import type { Entry, FolderEntry } from "../catalog/catalog.ts";
import type { Finding } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Fragment, Template } from "../schemas/types.ts";
import { label } from "./contracts.ts";

function byOrder({ document: a }: FolderEntry<Fragment>, { document: b }: FolderEntry<Fragment>): number {
  return a.order - b.order || compareText(a.name, b.name);
}

/** The fragments in the order of the slots that they fill, and findings about slots and orders. */
export function fillSlots(
  template: FolderEntry<Template>,
  fragments: readonly FolderEntry<Fragment>[],
  manifest: Entry<Manifest>,
  findings: Finding[],
): FolderEntry<Fragment>[] {
  const filled = new Map<string, FolderEntry<Fragment>[]>();
  const slots = new Map(template.document.slots.map((slot) => [slot.name, slot]));
  const declared = [...slots.keys()];
  for (const entry of fragments) {
    const slot = entry.document.slot ?? entry.document.name;
    const where = () => manifest.place(["fragments", entry.document.name]);
    const holders = filled.get(slot);
    const { many = false, builder = false } = slots.get(slot) ?? {};
    if (!slots.has(slot)) {
      findings.push({
        code: "SLOT_UNKNOWN",
        what: `${label(entry)} fills the slot \`${slot}\`, which ${template.document.template_id}@${template.document.version} does not have`,
        where: where(),
        fix: `its slots are: ${declared.join(", ")}; set \`slot:\` in ${entry.file}, or leave the fragment out`,
      });
    } else if (entry.document.from !== undefined && !builder) {
      findings.push({
        code: "SLOT_BUILDER",
        what: `${label(entry)} starts from an image of its own, but fills the slot \`${slot}\`, which is not for builders`,
        where: where(),
        fix: `remove \`from:\` in ${entry.file}, or say \`builder: true\` at the slot in ${template.file}`,
      });
    } else if (holders?.[0] && !many) {
      findings.push({
        code: "SLOT_CLAIMED_TWICE",
        what: `${label(holders[0])} and ${label(entry)} both fill the slot \`${slot}\``,
        where: where(),
        fix: `keep one of the two, or say \`many: true\` at the slot in ${template.file}`,
      });
    } else {
      filled.set(slot, [...(holders ?? []), entry]);
    }
  }
  for (const [at, slot] of template.document.slots.entries()) {
    if (filled.has(slot.name) || slot.optional) continue;
    findings.push({
      code: "SLOT_EMPTY",
      what: `no fragment fills the slot \`${slot.name}\` of ${template.document.template_id}@${template.document.version}`,
      where: manifest.place(["fragments"]),
      fix: `add a fragment for it, or make the slot optional in ${template.file}:${template.place(["slots", at]).line ?? 1}`,
    });
  }
  const ordered = declared.flatMap((slot) => [...(filled.get(slot) ?? [])].sort(byOrder));
  const chain = ordered.filter(({ document: { name, slot = name } }) => slots.get(slot)?.builder !== true);
  for (const [at, entry] of chain.entries()) {
    const before = chain[at - 1];
    if (!before || before.document.order <= entry.document.order) continue;
    findings.push({
      code: "SLOT_ORDER",
      what: `${label(before)} (order ${before.document.order}) comes before ${label(entry)} (order ${entry.document.order}) in the template`,
      where: entry.place(["order"]),
      fix: "change the order of one of them, or of the template's slots",
    });
  }
  return ordered;
}

import type { Entry, FolderEntry } from "../catalog/catalog.ts";
import type { Finding } from "../errors.ts";
import type { Fragment, Manifest, Template } from "../schemas/types.ts";
import { label } from "./contracts.ts";

/** The fragments in the order of the slots that they fill, and findings about slots and orders. */
export function fillSlots(
  template: FolderEntry<Template>,
  fragments: readonly FolderEntry<Fragment>[],
  manifest: Entry<Manifest>,
  findings: Finding[],
): FolderEntry<Fragment>[] {
  const slots = new Map<string, FolderEntry<Fragment>>();
  const declared = template.document.slots.map((slot) => slot.name);
  for (const entry of fragments) {
    const slot = entry.document.slot ?? entry.document.name;
    const where = () => manifest.place(["fragments", entry.document.name]);
    const holder = slots.get(slot);
    if (!declared.includes(slot)) {
      findings.push({
        code: "SLOT_UNKNOWN",
        what: `${label(entry)} fills the slot \`${slot}\`, which ${template.document.template_id}@${template.document.version} does not have`,
        where: where(),
        fix: `its slots are: ${declared.join(", ")}; set \`slot:\` in ${entry.file}, or leave the fragment out`,
      });
    } else if (holder) {
      findings.push({
        code: "SLOT_CLAIMED_TWICE",
        what: `${label(holder)} and ${label(entry)} both fill the slot \`${slot}\``,
        where: where(),
        fix: "keep one of the two",
      });
    } else {
      slots.set(slot, entry);
    }
  }
  for (const [at, slot] of template.document.slots.entries()) {
    if (slots.has(slot.name) || slot.optional) continue;
    findings.push({
      code: "SLOT_EMPTY",
      what: `no fragment fills the slot \`${slot.name}\` of ${template.document.template_id}@${template.document.version}`,
      where: manifest.place(["fragments"]),
      fix: `add a fragment for it, or make the slot optional in ${template.file}:${template.place(["slots", at]).line ?? 1}`,
    });
  }
  const ordered = declared.flatMap((slot) => slots.get(slot) ?? []);
  for (const [at, entry] of ordered.entries()) {
    const before = ordered[at - 1];
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

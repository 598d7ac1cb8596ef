import type { Finding } from "../errors.ts";
import { findingsOf } from "./document.ts";
import { isId } from "./names.ts";
import { FILE_KINDS, FOLDER_KINDS } from "./kinds-of-documents.ts";
import { listFolder } from "./read.ts";
import type { FolderItem } from "./read.ts";
import { type Scheme, SCHEMES } from "./schemes/schemes.ts";
import { isVersion } from "./versions.ts";
import { quoted, visible } from "../model/visible.ts";

/** Names that editors, git and people put beside documents. */
function isOfNoConcern({ name }: FolderItem): boolean {
  return name.startsWith(".") || /\.(md|txt)$/i.test(name);
}

function finding(folder: string, { name }: FolderItem, what: string, fix: string): Finding {
  return {
    code: "NAME_MISMATCH",
    what: `${quoted(name)} ${what}`,
    where: { file: visible(`${folder}/${name}`) },
    fix,
  };
}

function oddFile(folder: string, item: FolderItem): Finding[] {
  const { name, kind } = item;
  if (kind === "folder")
    return [
      finding(folder, item, "is a folder, but each document here is a file", `move its files to ${folder}/`),
    ];
  const stem = name.replace(/\.(ya?ml|json)$/i, "");
  if (stem === name) return [];
  if (!isId(stem)) {
    return [
      finding(
        folder,
        item,
        "does not have an id for a name",
        "rename it: use lower-case letters and digits, with `_` or `-` between them",
      ),
    ];
  }
  if (name === `${stem}.yaml`) return [];
  return [
    finding(folder, item, "is not read, since its name does not end in `.yaml`", `rename it to ${stem}.yaml`),
  ];
}

function itemsOf(root: string, folder: string, findings: Finding[]): FolderItem[] {
  try {
    return listFolder(root, folder).filter((item) => !isOfNoConcern(item));
  } catch (error) {
    findings.push(...findingsOf(error));
    return [];
  }
}

/** Findings about files and folders that lie among documents but are not read because of their names. */
export function checkOddFiles(root: string, schemeOf: (fragment: string) => Scheme): Finding[] {
  const findings: Finding[] = [];
  for (const { folder } of Object.values(FILE_KINDS)) {
    findings.push(...itemsOf(root, folder, findings).flatMap((item) => oddFile(folder, item)));
  }
  for (const [kind, { folder }] of Object.entries(FOLDER_KINDS)) {
    for (const item of itemsOf(root, folder, findings)) {
      if (item.kind !== "folder") {
        findings.push(
          finding(
            folder,
            item,
            `is not a folder, but each ${kind} here is one`,
            `move it to ${folder}/NAME/VERSION/`,
          ),
        );
      } else if (!isId(item.name)) {
        findings.push(
          finding(
            folder,
            item,
            "does not have an id for a name",
            "rename it: use lower-case letters and digits, with `_` or `-` between them",
          ),
        );
      } else {
        const below = `${folder}/${item.name}`;
        const scheme = kind === "fragment" ? schemeOf(item.name) : SCHEMES.semver;
        for (const one of itemsOf(root, below, findings)) {
          if (one.kind === "folder" && isVersion(one.name, scheme)) continue;
          // A body that versions share.
          if (one.kind !== "folder" && one.name.endsWith(".hbs")) continue;
          const example = `name it after an exact version, such as ${scheme.examples.split(/,| or /)[0] ?? ""}`;
          const fix =
            kind === "fragment" ? `${example}, or say which \`scheme:\` its versions have` : example;
          findings.push(finding(below, one, "is not a folder with a version for a name", fix));
        }
      }
    }
  }
  return findings;
}

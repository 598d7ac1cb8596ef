import type { Finding } from "../errors.ts";
import { findingsOf } from "./document.ts";
import { isId } from "./names.ts";
import { FILE_KINDS, FOLDER_KINDS } from "./open.ts";
import { listFolder } from "./read.ts";
import type { FolderItem } from "./read.ts";
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
      finding(folder, item, "is a folder, where each document is a file", `move its files to ${folder}/`),
    ];
  const stem = name.replace(/\.(ya?ml|json)$/i, "");
  if (stem === name) return [];
  if (!isId(stem)) {
    return [
      finding(
        folder,
        item,
        "is not named by an id",
        "rename it: lower case letters and digits, with `_` or `-` between them",
      ),
    ];
  }
  if (name === `${stem}.yaml`) return [];
  return [finding(folder, item, "is not read: documents end in `.yaml`", `rename it to ${stem}.yaml`)];
}

function itemsOf(root: string, folder: string, findings: Finding[]): FolderItem[] {
  try {
    return listFolder(root, folder).filter((item) => !isOfNoConcern(item));
  } catch (error) {
    findings.push(...findingsOf(error));
    return [];
  }
}

/** Files and folders that stand where documents stand, and are not read because of their names. */
export function checkOddFiles(root: string): Finding[] {
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
            `is not a folder, where each ${kind} is one`,
            `move it to ${folder}/NAME/VERSION/`,
          ),
        );
      } else if (!isId(item.name)) {
        findings.push(
          finding(
            folder,
            item,
            "is not named by an id",
            "rename it: lower case letters and digits, with `_` or `-` between them",
          ),
        );
      } else {
        const below = `${folder}/${item.name}`;
        for (const one of itemsOf(root, below, findings)) {
          if (one.kind === "folder" && isVersion(one.name)) continue;
          findings.push(
            finding(
              below,
              one,
              "is not a folder named by a version",
              "name it by an exact version, such as `0.1.0`",
            ),
          );
        }
      }
    }
  }
  return findings;
}

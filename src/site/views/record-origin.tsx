import { sizeText } from "../../model/bytes.ts";
import { valueText } from "../../model/value.ts";
import { baseText } from "../../model/parent.ts";
import { visible } from "../../model/visible.ts";
import type { RecordView } from "../record-view.ts";
import { sitePaths } from "../site-paths.ts";
import { Digest, Facts, Fragments, Scroll } from "./parts.tsx";

interface OfRecord {
  view: RecordView;
  root: string;
}

/** The pieces of evidence of a record, each with its raw file. */
export function EvidenceTable({ view: { evidence, entry }, root }: OfRecord) {
  if (evidence.length === 0) return <p class="none">There is none.</p>;
  const page = (kind: string) =>
    kind === "build_log" && entry.log !== null
      ? sitePaths.log(entry.log)
      : kind === "sbom" && entry.sbom !== null
        ? sitePaths.sbom(entry.sbom)
        : null;
  return (
    <Scroll label="Evidence">
      <table class="list">
        <caption class="unseen">Evidence of this record</caption>
        <thead>
          <tr>
            <th scope="col">Kind</th>
            <th scope="col">As it is kept</th>
            <th scope="col">sha256</th>
            <th scope="col" class="number">
              Size
            </th>
          </tr>
        </thead>
        <tbody>
          {evidence.map(({ kind, piece, lost }) => {
            const shown = page(kind);
            return (
              <tr>
                <th scope="row">
                  {lost === null && shown !== null ? <a href={root + shown}>{kind}</a> : kind}
                </th>
                <td>
                  {lost === null ? (
                    <a href={root + sitePaths.evidence(piece.sha256, piece.media_type)}>raw file</a>
                  ) : (
                    <span class="status fail">{visible(lost)}</span>
                  )}
                </td>
                <td>
                  <Digest of={piece.sha256} />
                </td>
                <td class="number">{sizeText(piece.bytes)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

/** What an image is made of, and what it came to. */
export function Origin({ view: { record } }: Pick<OfRecord, "view">) {
  const { template, base, image, source, tools, args } = record;
  const images = record.schema_version === 2 ? record.images.filter(({ role }) => role !== "base") : [];
  const address = /^https?:\/\/[^\s"<>]+$/.test(source.ci_url ?? "") ? source.ci_url : null;
  return (
    <>
      <Fragments of={record.fragments.map(({ name, version }) => [name, version] as const)} />
      <Facts
        facts={[
          ["Template", `${template.id} ${template.version}`],
          [
            "Base",
            <>
              {visible(baseText(base.ref))} <Digest of={base.digest} />
            </>,
          ],
          ...images.map(
            ({ role, ref, digest }) =>
              [
                `Image (${role})`,
                <>
                  {visible(ref)} <Digest of={digest} />
                </>,
              ] as const,
          ),
          ...Object.entries(args).map(
            ([name, value]) => [`Argument ${name}`, visible(valueText(value))] as const,
          ),
          [
            "Commit",
            <>
              <Digest of={source.commit} />
              {source.dirty === true && " with changes that were not committed"}
            </>,
          ],
          ...(address
            ? ([
                [
                  "CI job",
                  <a href={address} rel="noreferrer">
                    {visible(address)}
                  </a>,
                ],
              ] as const)
            : []),
          ...(image
            ? ([
                ["Tag", visible(image.ref)],
                ["Image", <Digest of={image.manifest_digest} />],
                ["Size", `${sizeText(image.size)} in ${image.layers} layers`],
              ] as const)
            : ([["Image", "none"]] as const)),
          [
            "Tools",
            Object.entries(tools)
              .map(([name, version]) => visible(`${name} ${version}`))
              .join(", ") || "none",
          ],
        ]}
      />
    </>
  );
}

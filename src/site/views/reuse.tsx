import type { RecordAction } from "../../records/record-action.ts";
import { visible } from "../../model/visible.ts";
import type { RecordView } from "../record-view.ts";
import { sitePaths } from "../site-paths.ts";
import { Digest, Facts } from "./parts.tsx";

/** Why an attempt did no more than it did. */
const WHY: Readonly<Record<RecordAction, string>> = {
  build: "The image was built: no image with this build key was to be used.",
  retest:
    "An image with the same build key was there already, so it was not built again. It had no verdict under this verdict key, so it was tested.",
  retag:
    "An earlier record proves an image with the same build key and the same verdict key. Neither build nor tests were repeated: the image only got its tag.",
  repack: "The files of a proven image were packed into other layers, and tested again.",
};

interface ReuseProps {
  view: RecordView;
  root: string;
  known: (id: string) => boolean;
}

/** What an attempt took over from earlier ones, and why. */
export function Reuse({ view: { record, entry, steps }, root, known }: ReuseProps) {
  const { cache, retries } = record;
  const link = (id: string) =>
    known(id) ? <a href={root + sitePaths.record(id)}>{id}</a> : <>{visible(id)}, which is not here</>;
  const now = record.schema_version === 2 ? record : null;
  const cached = steps.filter(({ state }) => state === "cached").length;
  return (
    <>
      <p>{WHY[entry.action]}</p>
      <Facts
        facts={[
          [
            "Build cache",
            cache.total === 0
              ? "no step of a Dockerfile ran"
              : `${cache.hits} of ${cache.total} steps came from it (${Math.round((cache.hits / cache.total) * 100)} %)`,
          ],
          ...(cached > 0 && cache.total === 0 ? [["Cached steps", String(cached)] as const] : []),
          ...(now?.proven_by ? [["Proven by", link(now.proven_by)] as const] : []),
          ...(now?.repacked
            ? ([
                ["Repacked from", link(now.repacked.record_id)],
                ["Repacked with", visible(now.repacked.with)],
              ] as const)
            : []),
          ...(now?.saving === undefined
            ? []
            : [["A pull saves", `${Math.round(now.saving * 100)} % of the bytes`] as const]),
          ...(now?.parent
            ? ([
                ["Starts from the image of", visible(now.parent.manifest_id)],
                ["Its build key", <Digest of={now.parent.build_key} />],
              ] as const)
            : []),
          ["Tried again", retries === 0 ? "nothing" : `${retries} times`],
          ["Build key", <Digest of={record.build_key} />],
          ["Verdict key", <Digest of={record.verdict_key} />],
        ]}
      />
    </>
  );
}

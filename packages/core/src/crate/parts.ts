/** Files and folders of a crate as entities, with what they are and the SHA-256 of their bytes. */
import { type Files, sha256 } from "../artifact.js"
import { pathSegment } from "../run/keptPath.js"
import { type Entity, fileId, idsOf, localId, type Reference, refer } from "./entity.js"
import type { Flow, Source } from "./flow.js"
import type { RunRecord } from "./record.js"

export const metadataPath = "ro-crate-metadata.json"
export const manifestPath = "manifest-sha256.txt"
export const previewPath = "ro-crate-preview.html"
export const graphPath = "graph.json"
export const metricsPath = "metrics.json"
export const lawsPath = "laws.json"

const formats: ReadonlyArray<readonly [RegExp, string]> = [
  [/\.jsonl$/, "application/jsonl"],
  [/croissant\.json$/, "application/ld+json"],
  [/\.json$/, "application/json"],
  [/\.html$/, "text/html"],
  [/\.png$/, "image/png"],
  [/\.md$/, "text/markdown"],
  [/\.txt$/, "text/plain"],
  [/\.csv$/, "text/csv"],
]

/** What is not in any registry of types is bytes. */
export const formatOf = (path: string): string =>
  formats.find(([end]) => end.test(path))?.[1] ?? "application/octet-stream"

const says: Readonly<Record<string, string>> = {
  [graphPath]: "The graph: every node with its version, config and wires",
  [previewPath]: "The report of the run",
  [manifestPath]: "SHA-256 of every other file of the crate, for `sha256sum -c`",
  "environment.json":
    "Where the run took place: engine with its threads, versions, processor with its instructions, and the seed",
  "events.jsonl": "Everything the run told while it happened, one event a line",
  "digests.json": "SHA-256 of what each stage made",
  "metrics.json": "The numbers of the run, with the tolerance under which they count as reproduced elsewhere",
  [lawsPath]: "Laws of the nodes that were checked, with their seeds and verdicts",
  "prov.json": "The provenance of the run in PROV-JSON",
  "SUMMARY.txt": "The run on one page",
  "README.md": "What the crate holds and how to use it",
  "ATTRIBUTION.md": "Where the data of the run come from, and their licences",
}

export const fileEntity = (path: string, bytes: Uint8Array | null): Entity => ({
  "@id": fileId(path),
  "@type": "File",
  name: path.split("/").at(-1) ?? path,
  encodingFormat: formatOf(path),
  ...(says[path] === undefined ? {} : { description: says[path] }),
  ...(path === "README.md" ? { about: refer("./") } : {}),
  ...(bytes === null ? {} : { contentSize: String(bytes.length), sha256: sha256(bytes) }),
})

/** `artifacts/ppo/out/` */
export const artifactPath = (stage: string, port: string): string =>
  `artifacts/${pathSegment(stage)}/${pathSegment(port)}/`

/** A stage's output in the run, if it made one. */
export const artifactReference = (record: RunRecord, stage: string, port: string): Reference | null =>
  record.digests[stage]?.[port] === undefined ? null : refer(fileId(artifactPath(stage, port)))

/** Every parameter that an artifact is the value of: the output that it is, and the inputs and outputs that it goes to. */
const readers = (flow: Flow, stage: string, port: string): ReadonlyArray<string> => {
  const isIt = (from: Source): boolean => from.stage === stage && from.port === port
  return [
    localId("output", stage, port),
    ...flow.stages.flatMap(({ name, inputs }) =>
      inputs.flatMap((input) => (isIt(input.from) ? [localId("input", name, input.port)] : [])),
    ),
    ...flow.outputs.flatMap(({ name, from }) => (isIt(from) ? [localId("graph-output", name)] : [])),
  ]
}

/** The folder of each artifact; it names its files, and a card that was added to them apart. */
export const artifactEntities = (
  record: RunRecord,
  flow: Flow,
  files: ReadonlyMap<string, Entity>,
): ReadonlyArray<Entity> =>
  flow.stages.flatMap(({ name, outputs }) =>
    outputs.flatMap(({ port, type }): ReadonlyArray<Entity> => {
      const digest = record.digests[name]?.[port]
      if (digest === undefined) return []
      const path = artifactPath(name, port)
      const own = [...files].flatMap(([file, entity]) => (file.startsWith(path) ? [{ file, entity }] : []))
      const made = own.filter(({ file }) => Object.hasOwn(record.files, file))
      const added = own.filter(({ file }) => !Object.hasOwn(record.files, file))
      return [
        {
          "@id": fileId(path),
          "@type": "Dataset",
          name: `${name}${port === "out" ? "" : ` ${port}`}`,
          description: `What the stage ${name} made: an artifact of kind ${type.unit}`,
          identifier: refer(localId("digest", name, port)),
          exampleOfWork: readers(flow, name, port).map(refer),
          hasPart: idsOf(made.map(({ entity }) => entity)),
          ...(added.length === 0 ? {} : { subjectOf: idsOf(added.map(({ entity }) => entity)) }),
        },
        {
          "@id": localId("digest", name, port),
          "@type": "PropertyValue",
          name: "sha256",
          description:
            "SHA-256 over the digests and names of the files, sorted by name, one a line as sha256sum writes them",
          value: digest,
        },
      ]
    }),
  )

/** `<digest>  <path>`, a line each, in the order of paths. */
export const manifestOf = (files: Files): string =>
  Object.keys(files)
    .sort((a, b) => (a < b ? -1 : 1))
    .map((path) => `${sha256(files[path]!)}  ${path}\n`)
    .join("")

/** A run as a crate: one zip archive that anyone can open, check and run again. */
import type { Files } from "../artifact.js"
import type { CheckedLaws } from "./checkedLaws.js"
import { croissantOf, croissantPath, publishedData } from "./croissant.js"
import { flowOf } from "./flow.js"
import { withLaws } from "./lawsSection.js"
import { metadataOf } from "./metadata.js"
import { defaultTolerance, metricsFile, metricsOf, type Tolerance } from "./metrics.js"
import { attributionPage, modelCard, readmePage } from "./pages.js"
import { artifactPath, lawsPath, manifestOf, manifestPath, metadataPath, metricsPath, previewPath } from "./parts.js"
import { programsOf } from "./programs.js"
import { provenanceOf } from "./provenance.js"
import { type DataSet, momentOf, type RunRecord } from "./record.js"
import { encodeZip } from "./zip/encode.js"

export interface CrateOptions {
  readonly dataSets?: ReadonlyArray<DataSet>
  /** The licence of what is published: an address, or a text. Unless given, that none was stated. */
  readonly license?: string
  /** Who publishes it. */
  readonly author?: string
  readonly tolerance?: Tolerance
  /** Whether the programs of the stages are written; they are unless said. */
  readonly programs?: boolean
  /** Laws of the graph's nodes that were checked; none were unless said. */
  readonly laws?: CheckedLaws
  /** The version of Millrace. */
  readonly version: string
  /** More files, by path: data, where they are to be published too. */
  readonly more?: Files
}

const unlicensed = "No licence was stated; ATTRIBUTION.md tells the terms of the data"

const text = (content: string): Uint8Array => new TextEncoder().encode(content)

/** The files of a crate. Nothing of them tells when or where it was published: one run gives one crate. */
export const crateFiles = (record: RunRecord, options: CrateOptions): Files => {
  const {
    dataSets = [],
    license = unlicensed,
    author,
    tolerance = defaultTolerance,
    version,
    laws,
    more = {},
  } = options
  const flow = flowOf(record.graph)
  const { programs, without } =
    options.programs === false ? { programs: [], without: [] } : programsOf(record.graph, record.hash)
  const metrics = metricsOf(record.story, record.digests, record.files)
  const { "report.html": report, ...rest } = record.files
  const cards = flow.stages.flatMap((stage) =>
    stage.outputs.flatMap(({ port, type }) => {
      const folder = artifactPath(stage.name, port)
      const weights = Object.keys(rest).some((path) => path.startsWith(folder) && path.endsWith(".safetensors"))
      if (!weights || Object.hasOwn(rest, `${folder}README.md`)) return []
      return [[`${folder}README.md`, text(modelCard(record, stage, type.unit, dataSets, metrics, license))] as const]
    }),
  )
  const published = momentOf(record, record.story.seconds).slice(0, 10)
  const files: Files = {
    ...more,
    ...Object.fromEntries(dataSets.flatMap((data) => Object.entries(publishedData(data)))),
    ...rest,
    ...(report === undefined ? {} : { [previewPath]: laws === undefined ? report : withLaws(report, laws) }),
    ...(laws === undefined ? {} : { [lawsPath]: text(`${JSON.stringify(laws, null, 1)}\n`) }),
    ...Object.fromEntries(programs.map(({ path, bytes }) => [path, bytes])),
    ...Object.fromEntries(dataSets.map((data) => [croissantPath(data), text(croissantOf(data, rest, published))])),
    ...Object.fromEntries(cards),
    [metricsPath]: text(metricsFile(metrics, tolerance)),
    "prov.json": text(provenanceOf(record, flow, version)),
    "README.md": text(readmePage({ record, flow, metrics, without, laws, dataSets })),
    "ATTRIBUTION.md": text(attributionPage(dataSets, license)),
  }
  const metadata = text(
    metadataOf({ record, flow, files, dataSets, programs, version, license, ...(author !== undefined && { author }) }),
  )
  const described = { ...files, [metadataPath]: metadata }
  return { ...described, [manifestPath]: text(manifestOf(described)) }
}

/**
 * A run as the bytes of a crate. The same run gives the same bytes.
 * @throws BadData  a file whose name no archive can hold, or more than one can hold
 */
export const makeCrate = (record: RunRecord, options: CrateOptions): Uint8Array =>
  encodeZip(crateFiles(record, options))

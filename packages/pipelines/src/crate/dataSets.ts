/** The data sets that a run used, told from the manifests that its stages left. */
import { artifactPath, type DataSet, type RecordSet, type RunRecord } from "@millrace/core/crate"
import { type GraphNode, isGraph, isPort } from "@millrace/core/definitions"
import { licenseOf } from "./licenses.js"

interface Manifest {
  readonly file: string
  readonly records: ReadonlyArray<RecordSet>
  /** Whether it holds the data themselves. */
  readonly whole?: true
}

const documents = (part: string, name: string): RecordSet => ({
  name,
  at: `$.${part}[*]`,
  fields: [
    { name: "title", type: "Text", says: "What the document is called" },
    { name: "characters", type: "Integer", says: "Its length in UTF-16 code units" },
    { name: "sha256", type: "Text", says: "SHA-256 of its text" },
  ],
})

const images = (part: string, name: string): RecordSet => ({
  name,
  at: `$.${part}`,
  fields: [
    { name: "count", type: "Integer", says: "How many images" },
    { name: "digest", type: "Text", says: "SHA-256 over what the images are made from: files and captions" },
  ],
})

/** Kinds of artifacts that are manifests of data from elsewhere. */
const manifests: Readonly<Record<string, Manifest>> = {
  corpus: { file: "corpus.json", records: [documents("train", "train"), documents("heldOut", "held-out")] },
  "captioned-images": { file: "images.json", records: [images("train", "train"), images("heldOut", "held-out")] },
  labeler: { file: "labeler.json", records: [], whole: true },
}

/** The source that a manifest tells; null where it is none. */
const sourceIn = (bytes: Uint8Array | undefined): string | null => {
  if (bytes === undefined) return null
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    const source = typeof value === "object" && value !== null && "source" in value ? value.source : null
    return typeof source === "string" ? source : null
  } catch {
    return null
  }
}

interface Made {
  readonly stage: string
  readonly port: string
  readonly kind: string
  /** What the node's type says of its source. */
  readonly of: string | undefined
}

const madeBy = (nodes: ReadonlyArray<GraphNode>, prefix = ""): ReadonlyArray<Made> =>
  nodes.flatMap(({ name, node }) => {
    if (isGraph(node)) return madeBy(node.nodes, `${prefix}${name}.`)
    const ports = isPort(node.out) ? { out: node.out } : node.out
    return Object.entries(ports).map(([port, { unit }]) => ({
      stage: prefix + name,
      port,
      kind: unit,
      of: node.source,
    }))
  })

/** What is told of where data come from: by the manifest, and where that names no known licence, by the type of the node too. */
const originOf = (told: string, of: string | undefined): string =>
  of === undefined || licenseOf(told).license !== told ? told : `${told}; ${of}`

/** The data sets of a run, in the order of its stages. */
export const dataSetsOf = (record: RunRecord): ReadonlyArray<DataSet> =>
  madeBy(record.graph.nodes).flatMap(({ stage, port, kind, of }) => {
    const known = Object.hasOwn(manifests, kind) ? manifests[kind] : undefined
    if (known === undefined) return []
    const manifest = `${artifactPath(stage, port)}${known.file}`
    const told = sourceIn(record.files[manifest])
    if (told === null) return []
    const source = originOf(told, of)
    const { license, url } = licenseOf(source)
    return [
      {
        stage,
        port,
        name: `${record.graph.name}-${stage}`,
        source,
        license,
        ...(url !== null && { url }),
        manifest,
        records: known.records,
        ...(known.whole && { whole: true }),
      },
    ]
  })

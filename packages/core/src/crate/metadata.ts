/**
 * The metadata of a crate: RO-Crate 1.1 with the profile Provenance Run Crate 0.5.
 * Source   https://www.researchobject.org/workflow-run-crate/profiles/provenance_run_crate
 */
import { type Files, sha256 } from "../artifact.js"
import { actionEntities } from "./actions.js"
import { croissantPath, dataFolder, publishedData } from "./croissant.js"
import { type Entity, fileId, idsOf, type JsonValue, localId, refer } from "./entity.js"
import type { Flow } from "./flow.js"
import { artifactEntities, fileEntity, graphPath, manifestPath, metadataPath } from "./parts.js"
import { type DataSet, momentOf, type RunRecord } from "./record.js"
import { type Program, workflowEntities } from "./workflow.js"

/** Versions of what the metadata claims to follow. */
const crateVersions = { crate: "1.1", run: "0.5", workflow: "1.0" } as const

const terms = "https://w3id.org/ro/terms/workflow-run#"

/** The terms of the profile that RO-Crate's own context lacks. */
const context: JsonValue = [
  `https://w3id.org/ro/crate/${crateVersions.crate}/context`,
  Object.fromEntries(
    ["ParameterConnection", "connection", "sourceParameter", "targetParameter", "resourceUsage", "sha256"].map(
      (term) => [term, terms + term],
    ),
  ),
]

export const profiles = [
  ...["process", "workflow", "provenance"].map((name) => `https://w3id.org/ro/wfrun/${name}/${crateVersions.run}`),
  `https://w3id.org/workflowhub/workflow-ro-crate/${crateVersions.workflow}`,
] as const

const profileNames = ["Process Run Crate", "Workflow Run Crate", "Provenance Run Crate", "Workflow RO-Crate"]

export interface MetadataInput {
  readonly record: RunRecord
  readonly flow: Flow
  /** Every file of the crate but the metadata and the manifest. */
  readonly files: Files
  readonly dataSets: ReadonlyArray<DataSet>
  readonly programs: ReadonlyArray<Program>
  /** The version of Millrace. */
  readonly version: string
  /** The licence of what is published: an address, or a text. */
  readonly license: string
  readonly author?: string
}

/** A licence goes by its address; a text by a name of the crate's own. */
const licenseId = (license: string): string =>
  /^https?:/.test(license) ? license : localId("license", sha256(license).slice(0, 12))

/** Each licence, of the crate and of the data, once. */
const licenseEntities = (license: string, dataSets: ReadonlyArray<DataSet>): ReadonlyArray<Entity> => {
  const uses = [
    [license, "of this crate"],
    ...dataSets.map((data): readonly [string, string] => [data.license, `of the data of ${data.stage}`]),
  ] as const
  const licenses = [...new Set(uses.map(([one]) => one))]
  return licenses.map((id) => ({
    "@id": licenseId(id),
    "@type": "CreativeWork",
    name: licenseId(id) === id ? (id.split("/").at(-1) ?? id) : id,
    description: `The licence ${uses.flatMap(([one, of]) => (one === id ? [of] : [])).join(", ")}`,
  }))
}

/** The folder of each data set: its description, its files where they are published, and the terms that they are under. */
const dataEntities = (dataSets: ReadonlyArray<DataSet>, files: ReadonlyMap<string, Entity>): ReadonlyArray<Entity> =>
  dataSets.map((data) => ({
    "@id": fileId(dataFolder(data)),
    "@type": "Dataset",
    name: data.name,
    description: `Data of the stage ${data.stage}: ${data.source}`,
    license: refer(licenseId(data.license)),
    ...(data.url === undefined ? {} : { url: data.url }),
    hasPart: [croissantPath(data), ...Object.keys(publishedData(data))].flatMap((path) => {
      const entity = files.get(path)
      return entity === undefined ? [] : [refer(entity["@id"])]
    }),
  }))

/** RO-Crate wants a list of one to be that one, and none to be nothing. */
const plain = (entity: Entity): Entity => ({
  ...Object.fromEntries(
    Object.entries(entity).flatMap(([name, value]) => {
      if (!Array.isArray(value) || value.length > 1) return [[name, value] as const]
      return value.length === 0 ? [] : [[name, value[0] as JsonValue] as const]
    }),
  ),
  "@id": entity["@id"],
  "@type": entity["@type"],
})

/** The metadata of a crate as text. The same run gives the same text. */
export const metadataOf = (input: MetadataInput): string => {
  const { record, flow, files, license, author } = input
  const described = new Map(Object.keys(files).map((path) => [path, fileEntity(path, files[path]!)] as const))
  const artifacts = artifactEntities(record, flow, described)
  const data = dataEntities(input.dataSets, described)
  const inFolders = new Set(
    [...artifacts, ...data].flatMap(({ hasPart }) =>
      Array.isArray(hasPart) ? hasPart.map((part) => part["@id"]) : [],
    ),
  )
  const workflow = workflowEntities(record, flow, input.programs, input.version)
  const others = [...described].flatMap(([path, entity]) => (path === graphPath ? [] : [entity]))
  const manifest = fileEntity(manifestPath, null)
  const actions = actionEntities(record, flow).map((action) =>
    author !== undefined && action["@type"] === "CreateAction" ? { ...action, agent: refer("#author") } : action,
  )
  const folders = [...artifacts, ...data].filter((entity) => entity["@type"] === "Dataset")
  const loose = others.filter((entity) => !inFolders.has(entity["@id"]))
  const root: Entity = {
    "@id": "./",
    "@type": "Dataset",
    name: `${record.graph.name}, run ${record.id}`,
    description: `A run of the graph ${record.graph.name} with seed ${String(record.environment.seed)}: graph, data, weights, numbers and report`,
    datePublished: momentOf(record, record.story.seconds),
    license: refer(licenseId(license)),
    conformsTo: profiles.map(refer),
    mainEntity: refer(fileId(graphPath)),
    mentions: idsOf(actions.filter(({ "@type": type }) => type === "CreateAction")),
    ...(author === undefined ? {} : { author: refer("#author") }),
    hasPart: [refer(fileId(graphPath)), ...idsOf(folders), ...idsOf(loose), refer(manifest["@id"])],
  }
  const graph: ReadonlyArray<Entity> = [
    {
      "@id": metadataPath,
      "@type": "CreativeWork",
      about: refer("./"),
      conformsTo: [
        refer(`https://w3id.org/ro/crate/${crateVersions.crate}`),
        refer(`https://w3id.org/workflowhub/workflow-ro-crate/${crateVersions.workflow}`),
      ],
    },
    root,
    ...profiles.map((id, i) => ({
      "@id": id,
      "@type": "CreativeWork",
      name: profileNames[i]!,
      version: id.split("/").at(-1)!,
    })),
    ...licenseEntities(license, input.dataSets),
    ...(author === undefined ? [] : [{ "@id": "#author", "@type": "Person", name: author }]),
    ...workflow,
    ...actions,
    ...artifacts,
    ...data,
    ...others,
    manifest,
  ]
  return `${JSON.stringify({ "@context": context, "@graph": graph.map(plain) }, null, 1)}\n`
}

/**
 * Data sets in Croissant 1.1: where the data come from, their licence, the checksum of their manifest and its fields.
 * The data themselves are not in the description.
 * Source   https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html
 */
import { type Files, sha256 } from "../artifact.js"
import { artifactPath } from "./parts.js"
import type { DataSet } from "./record.js"

const context = {
  "@language": "en",
  "@vocab": "https://schema.org/",
  citeAs: "cr:citeAs",
  column: "cr:column",
  conformsTo: "dct:conformsTo",
  cr: "http://mlcommons.org/croissant/",
  rai: "http://mlcommons.org/croissant/RAI/",
  data: { "@id": "cr:data", "@type": "@json" },
  dataType: { "@id": "cr:dataType", "@type": "@vocab" },
  dct: "http://purl.org/dc/terms/",
  equivalentProperty: "cr:equivalentProperty",
  examples: { "@id": "cr:examples", "@type": "@json" },
  extract: "cr:extract",
  field: "cr:field",
  fileProperty: "cr:fileProperty",
  fileObject: "cr:fileObject",
  fileSet: "cr:fileSet",
  format: "cr:format",
  includes: "cr:includes",
  isLiveDataset: "cr:isLiveDataset",
  jsonPath: "cr:jsonPath",
  key: "cr:key",
  md5: "cr:md5",
  parentField: "cr:parentField",
  path: "cr:path",
  recordSet: "cr:recordSet",
  references: "cr:references",
  regex: "cr:regex",
  repeated: "cr:repeated",
  replace: "cr:replace",
  samplingRate: "cr:samplingRate",
  sc: "https://schema.org/",
  separator: "cr:separator",
  source: "cr:source",
  subField: "cr:subField",
  transform: "cr:transform",
}

/** A name that can stand in an id. */
const plain = (name: string): string => name.replaceAll(/[^A-Za-z0-9-]+/g, "-")

/** Where the description of a data set is in the crate. */
export const croissantPath = ({ stage, port }: DataSet): string =>
  `data/${artifactPath(stage, port).split("/").slice(1, -1).join("/")}/croissant.json`

/**
 * @param published  the day of the run, as `2026-11-24`
 * @throws Error     the manifest is not among the files
 */
export const croissantOf = (data: DataSet, files: Files, published: string): string => {
  const manifest = files[data.manifest]
  if (manifest === undefined) throw new Error(`internal: no ${data.manifest} for the data set of ${data.stage}`)
  const up = croissantPath(data)
    .split("/")
    .slice(1)
    .map(() => "..")
    .join("/")
  const object = "manifest"
  const description = {
    "@context": context,
    "@type": "sc:Dataset",
    conformsTo: "http://mlcommons.org/croissant/1.1",
    name: plain(data.name),
    description: `${data.source}. Described by a manifest of checksums; the data are not in the crate.`,
    license: data.license,
    citeAs: data.source,
    version: "1.0.0",
    datePublished: published,
    url: data.url ?? `urn:sha256:${sha256(manifest)}`,
    distribution: [
      {
        "@type": "cr:FileObject",
        "@id": object,
        name: object,
        description: "Checksums of what the data set is made of",
        contentUrl: `${up}/${data.manifest.split("/").map(encodeURIComponent).join("/")}`,
        encodingFormat: "application/json",
        sha256: sha256(manifest),
      },
    ],
    recordSet: data.records.map((records) => ({
      "@type": "cr:RecordSet",
      "@id": plain(records.name),
      name: plain(records.name),
      field: records.fields.map(({ name, type, says }) => ({
        "@type": "cr:Field",
        "@id": `${plain(records.name)}/${name}`,
        name,
        description: says,
        dataType: `sc:${type}`,
        source: { fileObject: { "@id": object }, extract: { jsonPath: `${records.at}.${name}` } },
      })),
    })),
  }
  return `${JSON.stringify(description, null, 1)}\n`
}

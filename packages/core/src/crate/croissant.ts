/**
 * Data sets in Croissant 1.1: where the data come from, their licence, the checksum of their manifest and its fields;
 * of data that are published too, a checksum for each file.
 * Source   https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html
 */
import { type Files, sha256 } from "../artifact.js"
import { artifactPath, formatOf } from "./parts.js"
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

/** The folder of a data set in the crate: `data/corpus/out/`. */
export const dataFolder = ({ stage, port }: DataSet): string =>
  `data/${artifactPath(stage, port).split("/").slice(1, -1).join("/")}/`

/** Where the description of a data set is in the crate. */
export const croissantPath = (data: DataSet): string => `${dataFolder(data)}croissant.json`

/** The data of a set that are published, by their paths in the crate. */
export const publishedData = (data: DataSet): Files =>
  Object.fromEntries(
    Object.entries(data.files ?? {}).map(([name, bytes]) => [`${dataFolder(data)}files/${name}`, bytes]),
  )

const whereData = ({ whole, files }: DataSet): string => {
  if (whole === true) return "The manifest holds the data."
  const described = "Described by a manifest of checksums"
  return files === undefined
    ? `${described}; the data are not in the crate.`
    : `${described}, with the files it was made of.`
}

/** A file of a set as a resource of its own. */
const fileObject = (id: string, url: string, bytes: Uint8Array, description: string) => ({
  "@type": "cr:FileObject",
  "@id": id,
  name: id,
  description,
  contentUrl: url.split("/").map(encodeURIComponent).join("/"),
  contentSize: `${bytes.length} B`,
  encodingFormat: formatOf(url),
  sha256: sha256(bytes),
})

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
    description: `${data.source}. ${whereData(data)}`,
    license: data.license,
    citeAs: data.source,
    version: "1.0.0",
    datePublished: published,
    url: data.url ?? `urn:sha256:${sha256(manifest)}`,
    distribution: [
      fileObject(object, `${up}/${data.manifest}`, manifest, "Checksums of what the data set is made of"),
      ...Object.entries(data.files ?? {}).map(([name, bytes]) =>
        fileObject(`files/${name}`, `files/${name}`, bytes, "A file that the data set was made of"),
      ),
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

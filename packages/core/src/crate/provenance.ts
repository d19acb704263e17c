/**
 * The provenance of a run: stages are activities, artifacts entities.
 * Source   https://www.w3.org/submissions/prov-json
 */
import type { Flow } from "./flow.js"
import { placeText } from "./placeText.js"
import { momentOf, type RunRecord } from "./record.js"

type Records = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** A name of the run's own: what no qualified name may hold is percent-encoded. */
const own = (...parts: ReadonlyArray<string>): string => `run:${parts.map(encodeURIComponent).join("-")}`
const activity = (stage: string): string => own("stage", stage)
const entity = (stage: string, port: string): string => own("artifact", stage, port)

/** Relations have no names: they are counted. */
const counted = (letter: string, relations: ReadonlyArray<Readonly<Record<string, unknown>>>): Records =>
  Object.fromEntries(relations.map((relation, i) => [`_:${letter}${i + 1}`, relation]))

const agent = "millrace:engine"

const activities = (record: RunRecord, { stages }: Flow): Records =>
  Object.fromEntries(
    stages.flatMap(({ name, node }) => {
      const told = record.story.stages.get(name)
      if (told === undefined || told.status === "waiting") return []
      const times =
        told.from === undefined
          ? {
              "prov:startTime": momentOf(record, told.startedAt),
              "prov:endTime": momentOf(record, told.startedAt + told.seconds),
            }
          : { "millrace:from": told.from }
      return [[activity(name), { "prov:label": `${name}: ${node.type}@${node.version}`, ...times }] as const]
    }),
  )

/** The run as a PROV-JSON document. */
export const provenanceOf = (record: RunRecord, flow: Flow, version: string): string => {
  const ran = activities(record, flow)
  const made = flow.stages.flatMap(({ name, outputs }) =>
    outputs.flatMap(({ port, type }) => {
      const digest = record.digests[name]?.[port]
      return digest === undefined ? [] : [{ stage: name, port, digest, kind: type.unit }]
    }),
  )
  const there = new Set(made.map(({ stage, port }) => entity(stage, port)))
  const uses = flow.stages.flatMap(({ name, inputs }) =>
    ran[activity(name)] === undefined
      ? []
      : inputs.flatMap(({ port, from: { stage, port: of } }) =>
          stage !== null && there.has(entity(stage, of)) ? [{ name, port, stage, of }] : [],
        ),
  )
  const informed = [...new Map(uses.map(({ name, stage }) => [`${name}\n${stage}`, { name, stage }])).values()]
  const document = {
    prefix: { run: `urn:millrace:run:${encodeURIComponent(record.id)}:`, millrace: "urn:millrace:" },
    agent: {
      [agent]: {
        "prov:type": { $: "prov:SoftwareAgent", type: "prov:QUALIFIED_NAME" },
        "prov:label": `Millrace ${version}`,
        "millrace:runs-on": placeText(record.environment),
      },
    },
    activity: ran,
    entity: Object.fromEntries(
      made.map(({ stage, port, digest, kind }) => [
        entity(stage, port),
        {
          "prov:label": `${stage}${port === "out" ? "" : ` ${port}`}`,
          "millrace:kind": kind,
          "millrace:sha256": digest,
        },
      ]),
    ),
    used: counted(
      "u",
      uses.map(({ name, port, stage, of }) => ({
        "prov:activity": activity(name),
        "prov:entity": entity(stage, of),
        "prov:role": port,
      })),
    ),
    wasGeneratedBy: counted(
      "g",
      made.map(({ stage, port }) => ({ "prov:entity": entity(stage, port), "prov:activity": activity(stage) })),
    ),
    wasInformedBy: counted(
      "i",
      informed.map(({ name, stage }) => ({ "prov:informed": activity(name), "prov:informant": activity(stage) })),
    ),
    wasAssociatedWith: counted(
      "a",
      Object.keys(ran).map((name) => ({ "prov:activity": name, "prov:agent": agent })),
    ),
  }
  return `${JSON.stringify(document, null, 1)}\n`
}

import { rm } from "node:fs/promises"
import { crateFiles, entitiesOf, profileProblems, requirements } from "@millrace/core/crate"
import { afterAll, beforeAll, expect, test } from "vitest"
import { experiment, failing, options, recorded } from "./published.js"

interface Entity {
  "@id": string
  "@type": string | Array<string>
  [property: string]: unknown
}
interface Document {
  "@graph": Array<Entity>
}

let root = ""
let whole = ""
beforeAll(async () => {
  const run = await recorded()
  root = run.root
  whole = new TextDecoder().decode(crateFiles(run.record, options)["ro-crate-metadata.json"])
})
afterAll(() => rm(root, { recursive: true }))

type Change = (document: Document) => void

const isOf = (entity: Entity, type: string): boolean => [entity["@type"]].flat().includes(type)
/** Changes the first entity of a type that has the property, or the one of an id. */
const at =
  (which: string, property: string, change: (entity: Entity) => void): Change =>
  (document) => {
    const found = document["@graph"].find(
      (entity) =>
        entity["@id"] === which || (isOf(entity, which) && (property === "" || entity[property] !== undefined)),
    )
    if (found === undefined) throw new Error(`no ${which} with ${property}`)
    change(found)
  }
const without = (which: string, property: string): Change =>
  at(which, property, (entity) => {
    delete entity[property]
  })
const put = (which: string, property: string, value: unknown): Change =>
  at(which, property, (entity) => {
    entity[property] = value
  })
const untyped = (which: string, type: string): Change =>
  at(which, "", (entity) => {
    entity["@type"] = [entity["@type"]].flat().filter((one) => one !== type)
  })
const add =
  (entity: Entity): Change =>
  (document) => {
    document["@graph"].push(entity)
  }

/** What must be refused by which requirement. */
const mutants: Readonly<Record<string, ReadonlyArray<Change>>> = {
  "a descriptor names the root": [
    without("ro-crate-metadata.json", "about"),
    put("ro-crate-metadata.json", "conformsTo", { "@id": "https://w3id.org/ro/crate/1.0" }),
    put("ro-crate-metadata.json", "@type", "Dataset"),
  ],
  "the root is a data set": [put("./", "@type", "Thing")],
  "the root has a name and a description": [without("./", "name"), put("./", "description", "")],
  "the root has a date": [without("./", "datePublished"), put("./", "datePublished", "yesterday")],
  "the root has a license": [without("./", "license")],
  "the root claims the profiles": [
    without("./", "conformsTo"),
    put("./", "conformsTo", { "@id": "https://w3id.org/ro/wfrun/provenance/0.5" }),
    put("https://w3id.org/ro/wfrun/provenance/0.5", "@type", "Thing"),
  ],
  "the root's publisher is somebody": [put("./", "publisher", { "@id": "graph.json" })],
  "the parts of the root are data": [put("./", "hasPart", [{ "@id": "graph.json" }, { "@id": "nothing" }])],
  "all data belong to the root": [add({ "@id": "loose.txt", "@type": "File", name: "loose" })],
  "the main entity is a workflow": [
    without("./", "mainEntity"),
    untyped("graph.json", "SoftwareSourceCode"),
    untyped("graph.json", "File"),
  ],
  "the main workflow tells its language": [
    without("graph.json", "programmingLanguage"),
    put("graph.json", "programmingLanguage", { "@id": "#millrace" }),
  ],
  "an action ran the main workflow": [put("#run", "instrument", { "@id": "#millrace" })],
  "a workflow with steps is a HowTo": [untyped("graph.json", "HowTo")],
  "workflows have tools": [without("graph.json", "hasPart"), put("graph.json", "hasPart", { "@id": "#run" })],
  "inputs of workflows are parameters": [put("graph.json", "input", { "@id": "#run" })],
  "outputs of workflows are parameters": [put("graph.json", "output", "a text")],
  "connections of workflows are connections": [put("graph.json", "connection", { "@id": "#run" })],
  "connections of steps are connections": [put("HowToStep", "connection", { "@id": "#run" })],
  "tools take and give parameters": [
    put("#tool/judge", "input", { "@id": "#run" }),
    put("#tool/judge", "output", { "@id": "#run" }),
  ],
  "tools were used": [put("#action/judge", "instrument", { "@id": "#tool/words" })],
  "actions have instruments": [
    without("#action/judge", "instrument"),
    put("#action/judge", "instrument", { "@id": "#run" }),
  ],
  "usage is told by values": [put("#action/judge", "resourceUsage", { "@id": "#run" })],
  "usage says of what": [without("PropertyValue", "propertyID")],
  "parameters have a type": [without("FormalParameter", "additionalType")],
  "parameters are tied to data": [put("FormalParameter", "workExample", { "@id": "#run" })],
  "steps belong to workflows": [put("graph.json", "step", { "@id": "#step/judge" })],
  "steps have tools": [without("HowToStep", "workExample"), put("HowToStep", "workExample", { "@id": "#run" })],
  "steps have whole positions": [put("HowToStep", "position", "first"), put("HowToStep", "position", 1.5)],
  "control is of steps": [
    without("ControlAction", "instrument"),
    put("ControlAction", "instrument", { "@id": "#run" }),
  ],
  "control is over actions": [
    without("ControlAction", "object"),
    put("ControlAction", "object", { "@id": "#millrace" }),
  ],
  "organisation is by an engine": [without("OrganizeAction", "instrument")],
  "organisation leads to the run": [without("OrganizeAction", "result")],
  "organisation is of controls": [
    without("OrganizeAction", "object"),
    put("OrganizeAction", "object", { "@id": "#run" }),
  ],
  "connections have sources": [without("ParameterConnection", "sourceParameter")],
  "connections have targets": [put("ParameterConnection", "targetParameter", { "@id": "#run" })],
}

test("a published run meets every requirement of its profile", () => {
  expect(profileProblems(JSON.parse(whole))).toEqual([])
})

test("every requirement has mutants, and each is refused by it", () => {
  expect(Object.keys(mutants)).toEqual(Object.keys(requirements))
})

test.each(Object.keys(mutants))("%s: a crate of which this is not true is refused", (name) => {
  for (const [i, change] of mutants[name]!.entries()) {
    const document = JSON.parse(whole) as Document
    change(document)
    const entities = entitiesOf(document)
    if (typeof entities === "string") throw new Error(entities)
    expect(requirements[name]!(entities), `mutant ${i}`).not.toEqual([])
  }
})

test("metadata that are not flat, or name one thing twice, are refused", () => {
  const nested = JSON.parse(whole) as Document
  nested["@graph"][1]!.author = { "@id": "#a", "@type": "Person" }
  expect(profileProblems(nested)).toEqual([expect.stringMatching(/entity 2 .*flat/)])
  const twice = JSON.parse(whole) as Document
  twice["@graph"].push(twice["@graph"][1]!)
  expect(profileProblems(twice)).toEqual(["two entities of one @id"])
  for (const none of [null, 3, [], {}, { "@graph": [3] }, { "@graph": [{ "@id": "a" }] }]) {
    expect(profileProblems(none)).toHaveLength(1)
  }
})

test("every wire of the graph is a connection from the output that makes it to the input that reads it", () => {
  const entities = (JSON.parse(whole) as Document)["@graph"]
  const wires = entities.flatMap((entity) =>
    isOf(entity, "ParameterConnection")
      ? [[entity.sourceParameter, entity.targetParameter].map((end) => (end as Entity)["@id"]).join(" -> ")]
      : [],
  )
  expect(wires).toEqual([
    "#output/words/out -> #input/inner.learn/list",
    "#output/inner.learn/average -> #input/judge/model",
    "#output/judge/out -> #graph-output/judge",
  ])
})

/** The entities of a run's crate, by id, after a check of its profile. */
const described = async (...run: Parameters<typeof recorded>) => {
  const { record, root: other } = await recorded(...run)
  const document = JSON.parse(
    new TextDecoder().decode(crateFiles(record, { version: "0.0.0" })["ro-crate-metadata.json"]),
  ) as Document
  expect(profileProblems(document)).toEqual([])
  return { other, byId: new Map(document["@graph"].map((entity) => [entity["@id"], entity])) }
}

test("a run that failed can be published too: what failed says why, and what never ran says so", async () => {
  const { other, byId } = await described(failing)
  await rm(other, { recursive: true })
  expect(byId.get("#action/words")).toMatchObject({
    actionStatus: "http://schema.org/FailedActionStatus",
    error: "no words",
  })
  expect(byId.get("#run")).toMatchObject({ actionStatus: "http://schema.org/FailedActionStatus", error: "no words" })
  expect(byId.get("#action/judge")).toMatchObject({ actionStatus: "http://schema.org/PotentialActionStatus" })
  expect(byId.get("#action/judge")).not.toHaveProperty("startTime")
})

test("what was taken from the store is told as reuse of the run that made it, and not as work", async () => {
  const { other, byId: first } = await described(experiment, { cache: "use" })
  const { byId: second } = await described(experiment, { root: other, cache: "use" })
  await rm(other, { recursive: true })
  expect(first.get("#action/judge")).toHaveProperty("resourceUsage")
  expect(second.get("#action/judge")).not.toHaveProperty("resourceUsage")
  expect(second.get("#action/judge")).not.toHaveProperty("startTime")
  expect(second.get("#control/judge")?.name).toMatch(/^Reuse of what judge made in run \w+$/)
  expect(second.get("#control/judge")?.object).toEqual({ "@id": "#action/judge" })
})

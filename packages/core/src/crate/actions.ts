/** The run as actions: the run of the graph, of each of its stages, and the engine that led them. */
import type { StageStory } from "../report/story.js"
import { type Entity, fileId, idsOf, localId, refer } from "./entity.js"
import type { Flow, FlowStage } from "./flow.js"
import { settingParameters } from "./parameters.js"
import { artifactReference, graphPath, metricsPath } from "./parts.js"
import { placeText } from "./placeText.js"
import { momentOf, type RunRecord } from "./record.js"
import { engineId, stepId, toolId } from "./workflow.js"

const runActionId = "#run"
const stageActionId = (stage: string): string => localId("action", stage)

const statusOf = (status: string): string =>
  `http://schema.org/${
    status === "done" || status === "cached"
      ? "CompletedActionStatus"
      : status === "waiting"
        ? "PotentialActionStatus"
        : status === "running"
          ? "ActiveActionStatus"
          : "FailedActionStatus"
  }`

/** Codes of UN/CEFACT, recommendation 20; what is counted is a "one". */
const codes: Readonly<Record<string, string>> = { second: "SEC", byte: "AD" }

const usage = (stage: string, name: string, value: number, unit: string): Entity => ({
  "@id": localId("usage", stage, name),
  "@type": "PropertyValue",
  name,
  propertyID: `urn:millrace:${name}`,
  value,
  unitText: unit,
  unitCode: codes[unit] ?? "C62",
})

/** What the run of a stage took. */
const usagesOf = (stage: string, told: StageStory): ReadonlyArray<Entity> => [
  usage(stage, "wall-time", told.seconds, "second"),
  ...(told.memory === undefined ? [] : [usage(stage, "peak-memory", told.memory, "byte")]),
  ...(told.step > 0 ? [usage(stage, "steps", told.step, "step")] : []),
  ...(told.amount > 0 && told.unit !== "" ? [usage(stage, "work", told.amount, told.unit)] : []),
]

/** The run that a stage's output was taken from, where the stage did not run itself. */
const reusedFrom = (told: StageStory | undefined): string | null =>
  told !== undefined && "from" in told && typeof told.from === "string" ? told.from : null

const stageAction = (record: RunRecord, { name, node, inputs, outputs }: FlowStage): ReadonlyArray<Entity> => {
  const told = record.story.stages.get(name)
  const ran = told !== undefined && told.status !== "waiting"
  const from = reusedFrom(told)
  const used = inputs.flatMap(({ from: { stage, port } }) =>
    stage === null ? [] : (artifactReference(record, stage, port) ?? []),
  )
  const made = outputs.flatMap(({ port }) => artifactReference(record, name, port) ?? [])
  const usages = ran && from === null ? usagesOf(name, told) : []
  return [
    {
      "@id": stageActionId(name),
      "@type": "CreateAction",
      name: from === null ? `Run of ${name}` : `Run of ${name}, in the earlier run ${from}`,
      description: `The stage ${name}, a ${node.type}@${node.version}`,
      instrument: refer(toolId(name)),
      object: [...used, ...idsOf(settingParameters({ name, node }).values)],
      result: made,
      actionStatus: statusOf(told?.status ?? "waiting"),
      // The times of an earlier run are in that run's own record.
      ...(ran &&
        from === null && {
          startTime: momentOf(record, told.startedAt),
          endTime: momentOf(record, told.startedAt + told.seconds),
        }),
      ...(told?.error === undefined ? {} : { error: told.error }),
      ...(usages.length === 0 ? {} : { resourceUsage: idsOf(usages) }),
    },
    ...usages,
    {
      "@id": localId("control", name),
      "@type": "ControlAction",
      name: from === null ? `Orchestration of ${name}` : `Reuse of what ${name} made in run ${from}`,
      instrument: refer(stepId(name)),
      object: refer(stageActionId(name)),
      actionStatus: statusOf(told?.status ?? "waiting"),
    },
  ]
}

/** The actions of a run. */
export const actionEntities = (record: RunRecord, flow: Flow): ReadonlyArray<Entity> => {
  const { story } = record
  const failure = [...story.stages.values()].find(({ error }) => error !== undefined)?.error
  const results = flow.outputs.flatMap(({ from: { stage, port } }) =>
    stage === null ? [] : (artifactReference(record, stage, port) ?? []),
  )
  const whole = {
    startTime: momentOf(record, 0),
    endTime: momentOf(record, story.seconds),
    actionStatus: statusOf(story.status),
    ...(failure === undefined ? {} : { error: failure }),
  }
  return [
    {
      "@id": "#orchestration",
      "@type": "OrganizeAction",
      name: `Millrace ran ${record.graph.name}`,
      instrument: refer(engineId),
      object: flow.stages.map(({ name }) => refer(localId("control", name))),
      result: refer(runActionId),
      ...whole,
    },
    {
      "@id": runActionId,
      "@type": "CreateAction",
      name: `Run ${record.id} of ${record.graph.name}`,
      description: `All stages of the graph with seed ${String(record.environment.seed)}, on ${placeText(record.environment)}`,
      instrument: refer(fileId(graphPath)),
      object: refer("environment.json"),
      result: [...results, refer(metricsPath)],
      ...whole,
    },
    ...flow.stages.flatMap((stage) => stageAction(record, stage)),
  ]
}

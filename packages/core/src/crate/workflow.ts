/** The graph as a workflow: what would be done, by which tools, in which order, and what flows between them. */
import { type Entity, fileId, idsOf, localId, type Reference, refer } from "./entity.js"
import type { Flow } from "./flow.js"
import {
  connectionsOf,
  graphInputId,
  graphOutputId,
  inputId,
  outputId,
  portParameter,
  settingParameters,
  sourceId,
} from "./parameters.js"
import { artifactReference, fileEntity, graphPath } from "./parts.js"
import type { RunRecord } from "./record.js"

export const engineId = "#millrace"
const languageId = "#graph-language"
export const toolId = (stage: string): string => localId("tool", stage)
export const stepId = (stage: string): string => localId("step", stage)

export interface Program {
  readonly stage: string
  readonly path: string
}

const softwareOf = (version: string): ReadonlyArray<Entity> => [
  {
    "@id": engineId,
    "@type": "SoftwareApplication",
    name: "Millrace",
    description: "Runs typed graphs of stages",
    softwareVersion: version,
  },
  {
    "@id": languageId,
    "@type": "ComputerLanguage",
    name: "Millrace graph",
    description: "A graph of typed nodes as JSON: type@version, config and wires",
    version,
  },
]

/** The workflow itself, its steps, tools, parameters and wires. */
export const workflowEntities = (
  record: RunRecord,
  flow: Flow,
  programs: ReadonlyArray<Program>,
  version: string,
): ReadonlyArray<Entity> => {
  const connections = connectionsOf(flow)
  const wiresOf = (stage: string | null): ReadonlyArray<Reference> =>
    idsOf(connections.flatMap((one) => (one.stage === stage ? [one.entity] : [])))
  const outcomes = new Map(
    flow.stages.flatMap(({ name, outputs }) =>
      outputs.map(
        ({ port, type }) => [outputId(name, port), { type, example: artifactReference(record, name, port) }] as const,
      ),
    ),
  )
  const arriving = (id: string): Reference | null => outcomes.get(id)?.example ?? null

  const stages = flow.stages.flatMap((stage, i): ReadonlyArray<Entity> => {
    const { name, node, inputs, outputs } = stage
    const settings = settingParameters(stage)
    const ins = inputs.map(({ port, type, from }) =>
      portParameter(inputId(name, port), port, type, arriving(sourceId(from))),
    )
    const outs = outputs.map(({ port, type }) =>
      portParameter(outputId(name, port), port, type, artifactReference(record, name, port)),
    )
    const lowered = programs.filter((program) => program.stage === name)
    return [
      {
        "@id": stepId(name),
        "@type": "HowToStep",
        name,
        position: String(i + 1),
        workExample: refer(toolId(name)),
        ...(inputs.length === 0 ? {} : { connection: wiresOf(name) }),
      },
      {
        "@id": toolId(name),
        "@type": "SoftwareApplication",
        name: `${node.type}@${node.version}`,
        softwareVersion: String(node.version),
        ...(node.source === undefined ? {} : { description: `Follows ${node.source}` }),
        input: [...idsOf(ins), ...idsOf(settings.parameters)],
        output: idsOf(outs),
        ...(lowered.length === 0 ? {} : { subjectOf: lowered.map(({ path }) => refer(fileId(path))) }),
      },
      ...ins,
      ...outs,
      ...settings.parameters,
      ...settings.values,
    ]
  })
  const inputs = Object.entries(flow.inputs).map(([name, type]) => portParameter(graphInputId(name), name, type, null))
  const outputs = flow.outputs.flatMap(({ name, from }) => {
    const found = outcomes.get(sourceId(from))
    return found === undefined ? [] : [portParameter(graphOutputId(name), name, found.type, found.example)]
  })
  return [
    {
      ...fileEntity(graphPath, record.files[graphPath] ?? null),
      "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
      name: record.graph.name,
      version: record.hash.slice(0, 12),
      identifier: refer("#graph-digest"),
      conformsTo: refer("https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"),
      programmingLanguage: refer(languageId),
      input: idsOf(inputs),
      output: idsOf(outputs),
      hasPart: flow.stages.map(({ name }) => refer(toolId(name))),
      step: flow.stages.map(({ name }) => refer(stepId(name))),
      connection: wiresOf(null),
    },
    {
      "@id": "#graph-digest",
      "@type": "PropertyValue",
      name: "sha256",
      description: "SHA-256 of the graph in canonical form",
      value: record.hash,
    },
    ...softwareOf(version),
    ...stages,
    ...inputs,
    ...outputs,
    ...connections.map(({ entity }) => entity),
  ]
}

/** What goes into stages and comes out of them: ports and settings as formal parameters, tied to their values in a run. */
import type { Port } from "../port.js"
import { type Entity, localId, type Reference, refer } from "./entity.js"
import type { Flow, FlowStage, Source } from "./flow.js"
import { settingsOf } from "./settings.js"

const profile = refer("https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE")

export const inputId = (stage: string, port: string): string => localId("input", stage, port)
export const outputId = (stage: string, port: string): string => localId("output", stage, port)
export const graphInputId = (name: string): string => localId("graph-input", name)
export const graphOutputId = (name: string): string => localId("graph-output", name)
export const sourceId = ({ stage, port }: Source): string =>
  stage === null ? graphInputId(port) : outputId(stage, port)

/** A port, with the data that came through it in the run, where there was any. */
export const portParameter = (id: string, name: string, type: Port, example: Reference | null): Entity => ({
  "@id": id,
  "@type": "FormalParameter",
  name,
  additionalType: "Dataset",
  description:
    type.dtype === "artifact" ? `artifact of kind ${type.unit}` : `${type.dtype} [${type.axes}] ${type.unit}`,
  valueRequired: true,
  conformsTo: profile,
  ...(example === null ? {} : { workExample: example }),
})

const typeOf = (value: string | number | boolean): string =>
  typeof value === "string"
    ? "Text"
    : typeof value === "boolean"
      ? "Boolean"
      : Number.isInteger(value)
        ? "Integer"
        : "Float"

export interface Settings {
  readonly parameters: ReadonlyArray<Entity>
  readonly values: ReadonlyArray<Entity>
}

/** The settings of a stage: what each is, and its value in the run. */
export const settingParameters = ({ name: stage, node }: Pick<FlowStage, "name" | "node">): Settings => {
  const settings = settingsOf(node.config)
  const formal = (path: string): string => localId("setting", stage, path)
  const actual = (path: string): string => localId("value", stage, path)
  return {
    parameters: settings.map(([path, value]) => ({
      "@id": formal(path),
      "@type": "FormalParameter",
      name: path,
      additionalType: typeOf(value),
      valueRequired: true,
      conformsTo: profile,
      workExample: refer(actual(path)),
    })),
    values: settings.map(([path, value]) => ({
      "@id": actual(path),
      "@type": "PropertyValue",
      name: path,
      value,
      exampleOfWork: refer(formal(path)),
    })),
  }
}

/** The wires of the graph: what is made here is read there. */
export const connectionsOf = (
  flow: Flow,
): ReadonlyArray<{ readonly stage: string | null; readonly entity: Entity }> => [
  ...flow.stages.flatMap(({ name, inputs }) =>
    inputs.map(({ port, from }) => ({
      stage: name,
      entity: {
        "@id": localId("wire", name, port),
        "@type": "ParameterConnection",
        sourceParameter: refer(sourceId(from)),
        targetParameter: refer(inputId(name, port)),
      },
    })),
  ),
  ...flow.outputs.map(({ name, from }) => ({
    stage: null,
    entity: {
      "@id": localId("wire-out", name),
      "@type": "ParameterConnection",
      sourceParameter: refer(sourceId(from)),
      targetParameter: refer(graphOutputId(name)),
    },
  })),
]

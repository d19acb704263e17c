/** What a stage returned, as files. */
import { Cause, Effect } from "effect"
import { digestFiles, type Files } from "../artifact.js"
import { BadData, type NodeFailed } from "../errors.js"
import { isPort, type StageNode } from "../node.js"
import { nodeFailed } from "./nodeFailed.js"

export interface StageOutput {
  readonly port: string
  readonly kind: string
  readonly value: unknown
  readonly files: Files
  readonly digest: string
}

/** The ports of a node's outputs: `out` where it has one alone. */
export const outputPorts = ({ out }: Pick<StageNode, "out">) =>
  isPort(out) ? [["out", out] as const] : Object.entries(out)

/** @fails BadData  the stage returned less than its ports promise */
export const stageOutputs = (
  node: StageNode,
  where: string,
  result: unknown,
): Effect.Effect<ReadonlyArray<StageOutput>, BadData | NodeFailed> =>
  Effect.forEach(outputPorts(node), ([port, spec]) =>
    Effect.gen(function* () {
      const value = isPort(node.out) ? result : (result as Readonly<Record<string, unknown>>)[port]
      const { kind } = spec
      if (value === undefined || kind === undefined) {
        return yield* new BadData({
          where: `${where} > ${port}`,
          expected: `${spec.unit === "" ? "a value" : `an artifact of kind ${spec.unit}`} for every output of the stage`,
          received: value === undefined ? "nothing" : "a port that carries no artifact",
          fix: "return every port that the node's `out` names, each made with artifact(kind)",
        })
      }
      const files = yield* Effect.try({
        try: () => kind.files(value),
        catch: (error) => nodeFailed(where, Cause.fail(error)),
      })
      return { port, kind: kind.name, value, files, digest: digestFiles(files) }
    }),
  )

/**
 * InstructGPT with one node swapped: a rule written in code in place of the reward model.
 *
 *   npm run example 04      about five seconds
 *
 * The rule likes short words. Comparisons are still made and shown in the graph, but nothing is learnt from them: PPO
 * raises the rule's own score instead, which the printed rewards show.
 */
import { fileURLToPath } from "node:url"
import { artifact, defineStageNode, Engines, recordRun, replaceNode, runEvents } from "@millrace/core"
import { instructgpt, instructgptPresets, type Reward, rewardKind } from "@millrace/pipelines"
import { Effect, Schema } from "effect"
import { afinn } from "./data/afinn.js"
import { sotu } from "./data/sotu.js"

/** Minus the mean length of an answer's words. */
const shortWords = defineStageNode({
  type: "example.short-words",
  version: 1,
  config: Schema.Struct({}),
  ports: { in: {}, out: artifact(rewardKind) },
  run: () =>
    Effect.succeed<Reward>({
      source: "a rule: minus the mean length of the words",
      files: { "rule.txt": new TextEncoder().encode("minus the mean length of the words") },
      open: () =>
        Effect.succeed(({ texts, batch }) =>
          Effect.succeed(
            Float32Array.from({ length: batch }, (_, i) => {
              const words = texts[i]?.match(/\S+/g) ?? [""]
              return -words.join("").length / words.length
            }),
          ),
        ),
    }),
})

const { tiny } = instructgptPresets
const config = {
  ...tiny,
  ppo: { ...tiny.ppo, iterations: 12, schedule: { ...tiny.ppo.schedule, peak: 3e-3, warmup: 2 } },
}
const learnt = instructgpt(config, sotu({ heldOut: 24, since: 1990 }), afinn({}))

/** The same graph: `reward` now comes from the rule, every other node and wire stays. */
export const ruled = replaceNode(learnt, "reward", shortWords({}))

export const main = async (print: (line: string) => void = console.log, root = ".runs"): Promise<void> => {
  const events = runEvents()
  const rewards: Array<number> = []
  events.all.subscribe((event) => {
    if (event.type === "stage.step" && event.stage === "ppo") rewards.push(event.values.reward!)
  })
  print(`nodes: ${ruled.nodes.map(({ name, node }) => `${name} (${node.type})`).join(", ")}`)
  const run = recordRun(ruled, { seed: 1, root, events })
  await Effect.runPromise(run.pipe(Effect.provide(Engines.layer("onnx"))))
  print(`mean reward of the first rollout ${rewards[0]!.toFixed(2)}, of the last ${rewards.at(-1)!.toFixed(2)}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()

import { adamW, flatten, type HostTensors, initParams, isParamSpec, keyFromSeed, split } from "@millrace/core"
import {
  clipParams,
  type DvaeConfig,
  dvaeDecoderParams,
  dvaeEncoderParams,
  type SparseConfig,
  sparseParams,
} from "@millrace/models"
import { captionTokenizerStage, codePpoStage } from "@millrace/pipelines"
import { Effect, Exit } from "effect"
import { expect, test } from "vitest"
import { stageRunner } from "./onStage.js"
import { patchImages } from "./patches.js"
import { shelf } from "./shelf.js"

const on = stageRunner()
const images = patchImages(16)
const fresh = (specs: Parameters<typeof flatten>[0], name: string): HostTensors =>
  initParams(flatten(specs, isParamSpec) as Parameters<typeof initParams>[0], split(keyFromSeed(3), name))

const dvaeConfig: DvaeConfig = { vocab: 12, rows: 4, columns: 4, groups: 3, blocks: 1, width: 8, first: 16 }
const dvae = {
  config: dvaeConfig,
  params: fresh({ encoder: dvaeEncoderParams(dvaeConfig), decoder: dvaeDecoderParams(dvaeConfig) }, "dvae"),
}

const config: Parameters<typeof codePpoStage>[0] = {
  iterations: 12,
  episodes: 32,
  minibatch: 16,
  epochs: 2,
  schedule: { kind: "constant", peak: 5e-3, warmup: 0, floor: 1 },
  optimizer: { ...adamW, weightDecay: 0 },
  clip: 1,
  valueRate: 1,
  rewardScale: 20,
  beta: 0,
  lambda: 0.95,
  ratioClip: 0.2,
  valueClip: 0.2,
  valueCoefficient: 0.1,
  captions: 2,
  shown: 4,
}

/** PPO from weights that have learnt nothing: what the score means does not matter to whether it rises. */
const trained = (changed: Partial<typeof config>) =>
  Effect.gen(function* () {
    const tokenizer = yield* captionTokenizerStage({ vocab: 270 }).run({ images })
    const model: SparseConfig = {
      textVocab: tokenizer.size,
      imageVocab: 12,
      text: 8,
      rows: 4,
      columns: 4,
      width: 16,
      layers: 2,
      heads: 2,
      kernel: 3,
    }
    const clipConfig = {
      joint: 8,
      image: { kind: "vit", size: 16, patch: 4, width: 16, layers: 1, heads: 2 },
      text: { context: 16, width: 16, layers: 1, heads: 2, vocab: tokenizer.size },
    } as const
    const clip = { config: clipConfig, params: fresh(clipParams(clipConfig), "clip"), tokenizer }
    const prior = { config: model, params: fresh(sparseParams(model), "prior") }
    const policy = yield* codePpoStage({ ...config, ...changed }).run({ prior, dvae, tokenizer, clip, images })
    return { prior, policy }
  })

test("the score of the same captions with the same random numbers rises, image by image, beyond its interval", async () => {
  const { events, result } = await on(trained({}))
  const rows = events.flatMap((event) => (event.type === "stage.table" ? event.rows : []))
  expect(rows.map(([name]) => name)).toEqual(["before", "after", "rise"])
  const [before, after, rise] = rows.map(([, mean]) => Number(mean))
  expect(rise).toBeCloseTo(after! - before!, 3)
  expect(Number(String(rows[2]![2]).split(" to ")[0])).toBeGreaterThan(0)
  expect(Object.keys(result.policy.params).sort()).toEqual(Object.keys(result.prior.params).sort())
  expect(result.policy.params["unembedding.image"]!.data).not.toEqual(result.prior.params["unembedding.image"]!.data)
})

test("before its first update the policy is the prior: the ratio is 1 and the KL is 0", async () => {
  const { events } = await on(trained({ iterations: 1, epochs: 1, minibatch: 32 }))
  const [step] = events.flatMap((event) => (event.type === "stage.step" ? [event] : []))
  expect(Math.abs(step!.values.kl!)).toBeLessThan(1e-4)
  expect(step!.values.clipped).toBe(0)
})

test("a run that stops between iterations goes on with the same bits, and with the scores of before the first", async () => {
  const stage = trained({ iterations: 2, episodes: 16, minibatch: 16, epochs: 1 })
  const undisturbed = await on(stage)
  const kept = shelf()
  const first = await on(Effect.exit(stage), 1, { checkpoints: kept.checkpoints, stopping: () => kept.step() === 1 })
  expect(Exit.isFailure(first.result)).toBe(true)
  const last = await on(stage, 1, { checkpoints: kept.checkpoints })
  // The tokenizer before it tells its own, twice.
  const told = (events: typeof last.events) => events.filter(({ type }) => type !== "stage.note")
  expect(told([...first.events, ...last.events])).toEqual(told(undisturbed.events))
  expect(last.result.policy).toEqual(undisturbed.result.policy)
})

/** A step in the story of its stage, which does not grow with their number. */
import type { RunEvent } from "../run/event.js"
import type { StageStory } from "./story.js"

const mostPoints = 2048
const mostBroken = 200

/** Steps after the checkpoint that a run goes on from are done again: what was told of them before no longer counts. */
const goBack = (stage: StageStory, step: number, amount: number): void => {
  stage.amount = Math.max(0, stage.amount - (stage.step - step) * amount)
  stage.points = stage.points.filter((point) => point.step <= step)
  const broken = stage.broken.filter((one) => one.step <= step)
  stage.nonFinite -= stage.broken.length - broken.length
  stage.broken = broken
}

export const addStep = (stage: StageStory, event: Extract<RunEvent, { type: "stage.step" }>): void => {
  const { step, steps, values, amount, unit } = event
  if (step <= stage.step) goBack(stage, step - 1, amount)
  stage.step = step
  stage.steps = steps
  stage.amount += amount
  stage.unit = unit
  stage.last = values
  const names = Object.keys(values).filter((name) => !Number.isFinite(values[name]))
  if (names.length > 0) {
    stage.nonFinite++
    if (stage.broken.length < mostBroken) stage.broken = [...stage.broken, { step, names }]
  }
  if (step % stage.stride === 0) stage.points.push({ step, values })
  if (stage.points.length > mostPoints) {
    stage.stride *= 2
    stage.points = stage.points.filter((point) => point.step % stage.stride === 0)
  }
}

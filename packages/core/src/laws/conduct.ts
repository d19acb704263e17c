/** Laws that hold for every function of tensors, whatever it computes: what its ports promise, and nothing else happens. */
import * as tf from "@tensorflow/tfjs-core"
import { showPort } from "../port.js"
import { expectSame, expectThat } from "./close.js"
import { law } from "./law.js"
import {
  applied,
  type Example,
  examplesOf,
  expectSameResults,
  outPorts,
  paramsOf,
  resultsOf,
  type SubjectLaw,
  shapeOf,
  tensorsOf,
} from "./subject.js"
import { rangeOfUnit } from "./units.js"

/** The same inputs give the same bits. */
export const deterministic = (): SubjectLaw => (subject) =>
  law("the same inputs give the same bits", examplesOf(subject), (example) => {
    expectSameResults(resultsOf(subject, example), resultsOf(subject, example))
  })

/** Every output is there, has the dtype and the shape of its port, and lies in the range that its unit promises. */
export const honestPorts = (): SubjectLaw => (subject) =>
  law("outputs are what their ports say", examplesOf(subject), (example: Example) => {
    const inputs = tensorsOf(subject, example)
    const results: Readonly<Record<string, unknown>> = applied(subject, inputs, paramsOf(subject))
    const sizes: Record<string, number> = { ...subject.sizes, ...example.sizes }
    for (const [name, port] of Object.entries(outPorts(subject))) {
      const found = results[name]
      if (!(found instanceof tf.Tensor)) throw new Error(`${name} is no tensor; the port says ${showPort(port)}`)
      // An axis that no input has is as long as it comes.
      const free = port.axes.split(" ").filter((axis) => /^[a-z]\w*$/.test(axis) && sizes[axis] === undefined)
      if (free.length > 0 && found.rank === port.axes.split(" ").length) {
        for (const axis of free) sizes[axis] = found.shape[port.axes.split(" ").indexOf(axis)]!
      }
      const expected = shapeOf(port, sizes)
      expectThat(
        found.dtype === port.dtype && found.shape.join() === expected.join(),
        () =>
          `${name} is ${found.dtype} [${found.shape}]; the port says ${port.dtype} [${expected}], ${showPort(port)}`,
      )
      const range = rangeOfUnit(port.unit)
      if (range === null) continue
      const wrong = Array.from(found.dataSync()).find((x) => !(x >= range[0] - 1e-5 && x <= range[1] + 1e-5))
      expectThat(wrong === undefined, () => `${name} has ${wrong}, which is not in ${port.unit}`)
    }
  })

/** Inputs and parameters are as they were, and nothing stays in memory but the results. */
export const leavesNothing = (): SubjectLaw => (subject) =>
  law("no input is changed, and no tensor is left behind", examplesOf(subject), (example) => {
    const [inputs, params] = [tensorsOf(subject, example), paramsOf(subject)]
    const given = [...Object.values(inputs), ...Object.values(params)]
    const before = given.map((tensor) => Array.from(tensor.dataSync()))
    const alive = tf.memory().numTensors
    tf.tidy(() => {
      applied(subject, inputs, params)
    })
    expectThat(tf.memory().numTensors <= alive, () => `${tf.memory().numTensors - alive} tensors are left behind`)
    expectThat(
      given.every((tensor) => !tensor.isDisposed),
      () => "an input was disposed",
    )
    for (const [i, tensor] of given.entries()) expectSame(Array.from(tensor.dataSync()), before[i]!)
  })

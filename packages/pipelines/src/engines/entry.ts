/** Files of an installed engine that are written here: what makes tfjs-node's modules one that takes the tfjs of who loads it. */
import { engineLayout, handedTfjs } from "@millrace/core"
import type { NativeEngineName } from "@millrace/core/engine"

/** A package that is no second copy of tfjs: that would register kernels and gradients again, and undo what Millrace repairs. */
const tfjsOfTheProgram = (name: string): Readonly<Record<string, string>> => ({
  [`node_modules/@tensorflow/${name}/index.js`]: `"use strict"
const tfjs = globalThis[Symbol.for("${handedTfjs}")]
if (tfjs === undefined) throw new Error("this engine is loaded by Millrace alone")
module.exports = tfjs
`,
  [`node_modules/@tensorflow/${name}/package.json`]: `${JSON.stringify({ name: `@tensorflow/${name}`, main: "index.js" })}\n`,
})

/** By path in the engine's folder. */
export const writtenFiles = (name: NativeEngineName): Readonly<Record<string, string>> => ({
  [engineLayout.entry]: `"use strict"
// Written by millrace engines add. Registers the backend "tensorflow" with the tfjs that the program handed over.
const tf = require("@tensorflow/tfjs")
const bindings = require("./${engineLayout.addon}")
require("./${engineLayout.tfjsNode}/dist/register_all_kernels")
const { NodeJSKernelBackend } = require("./${engineLayout.tfjsNode}/dist/nodejs_kernel_backend")
tf.registerBackend("tensorflow", () => new NodeJSKernelBackend(bindings, "@tensorflow/${name}"), 3)
`,
  ...tfjsOfTheProgram("tfjs"),
  ...tfjsOfTheProgram("tfjs-core"),
})

/** Who takes part: how each is started, and what is counted as its memory. */
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Command } from "./workers/worker.js"

export const peerNames = [
  "torch",
  "torch-channels-last",
  "torch.compile",
  "transformers",
  "tfjs-wasm",
  "tfjs-node",
  "jax-js",
  "millrace-uncached",
] as const
export type PeerName = (typeof peerNames)[number]
export type Contestant = "millrace" | PeerName

/** How tables call them. */
export const titles: Readonly<Record<Contestant, string>> = {
  millrace: "Millrace",
  torch: "PyTorch eager",
  "torch-channels-last": "PyTorch eager, channels last",
  "torch.compile": "torch.compile",
  transformers: "transformers.generate",
  "tfjs-wasm": "tfjs-wasm",
  "tfjs-node": "tfjs-node",
  "jax-js": "@jax-js/jax",
  "millrace-uncached": "Millrace without the cache",
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Python with `bench/peers/requirements.txt` installed. */
const python = (): string => {
  const own = here("../peers/.venv/bin/python")
  return process.env.MILLRACE_BENCH_PYTHON ?? (existsSync(own) ? own : "python3")
}

const node = (file: string, ...args: ReadonlyArray<string>): Command => ({
  command: process.execPath,
  args: ["--expose-gc", here(`./workers/${file}.js`), ...args],
})
const peer = (how: string): Command => ({ command: python(), args: [here("../peers/serve.py"), how] })

export const commandOf: Readonly<Record<Contestant, () => Command>> = {
  millrace: () => node("millrace", "onnx"),
  torch: () => peer("eager"),
  "torch-channels-last": () => peer("channels-last"),
  "torch.compile": () => peer("compile"),
  transformers: () => peer("transformers"),
  "tfjs-wasm": () => node("millrace", "tfjs:wasm"),
  "tfjs-node": () => node("millrace", "tfjs:node"),
  "jax-js": () => node("jax"),
  "millrace-uncached": () => node("millrace", "onnx", "uncached"),
}

/**
 * Whether a contestant's own children work for it. The engine of Millrace does; what torch.compile starts in order to
 * compile does not, and is not held against it.
 */
export const hasEngineProcess = (name: Contestant): boolean => name === "millrace" || name === "millrace-uncached"

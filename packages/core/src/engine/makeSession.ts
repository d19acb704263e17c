/** ONNX Runtime sessions for the provider of this engine. Runs in the engine's child. */
import { InferenceSession, Tensor } from "onnxruntime-node"
import { type Model, wholeModel } from "./model.js"
import { placedSession } from "./placement.js"
import type { Probe } from "./probe.js"
import type { ChildOptions } from "./protocol.js"
import type { MakeRecording } from "./recording.js"
import type { Session } from "./sessions.js"

const providerNames = { cpu: "CPUExecutionProvider", webgpu: "WebGpuExecutionProvider" } as const

export interface MakeSession {
  readonly plain: (model: Model) => Promise<Session>
  readonly recording: MakeRecording
}

export const makeSession = ({ threads, provider }: ChildOptions): MakeSession => {
  const create = ({ bytes, weights }: Model, more: InferenceSession.SessionOptions = {}): Promise<InferenceSession> =>
    InferenceSession.create(bytes, {
      executionProviders: [provider],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: "all",
      // One block for all values of a run, planned ahead, takes half as much again as giving each its memory when it is due.
      enableMemPattern: false,
      // To wake a thread takes longer than most kernels. A thread that waits for as long as a small kernel takes, in µs, and
      // then sleeps, saves that; one that spins on takes the other processes' time, and on a busy machine its own.
      extra: {
        session: {
          intra_op: { allow_spinning: "1", spin_duration_us: "20" },
          // An arena keeps what it has given out once: the weights as they come, when their packed copies are all that is read.
          ...(weights.length === 0 ? {} : { use_device_allocator_for_initializers: "1" }),
        },
      },
      ...(weights.length === 0 ? {} : { externalData: weights }),
      logSeverityLevel: 3,
      ...more,
    })
  const recording: MakeRecording = (model, profileFilePrefix) =>
    create(model, { enableProfiling: true, profileFilePrefix })
  return {
    recording,
    plain:
      provider === "cpu"
        ? (model) => create(model)
        : (model) => placedSession(providerNames[provider], recording, model),
  }
}

/**
 * Runs the probe.
 * @throws Error  the provider does not start, leaves the product to another one, or computes it wrongly
 */
export const runProbe = async ({ plain }: MakeSession, { model, size }: Probe): Promise<void> => {
  const session = await plain(wholeModel(Buffer.from(model, "base64")))
  const x = new Float32Array(size * size).map((_, i) => (i % 7) - 3)
  const y = new Tensor("float32", new Float32Array(size * size), [size, size])
  await session.run({ x: new Tensor("float32", x, [size, size]) }, { y })
  await session.release()
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      let wanted = 0
      for (let k = 0; k < size; k++) wanted += x[i * size + k]! * x[k * size + j]!
      const got = Number(y.data[i * size + j])
      if (got !== wanted) throw new Error(`a product of whole numbers came out as ${got} where it is ${wanted}`)
    }
  }
}

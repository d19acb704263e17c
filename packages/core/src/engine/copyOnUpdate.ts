/** A repair of tfjs 4.22 on cpu: its TensorScatterUpdate writes into the tensor that it is given. Here it gets a copy. */
import * as tf from "@tensorflow/tfjs-core"
import "../tfjs.js"

const kernel = tf.getKernel("TensorScatterUpdate", "cpu")
if (kernel !== undefined) {
  tf.unregisterKernel("TensorScatterUpdate", "cpu")
  tf.registerKernel({
    ...kernel,
    kernelFunc: ({ inputs, backend, ...others }) => {
      const cpu = backend as tf.KernelBackend
      const { dataId, shape, dtype } = inputs.tensor!
      const values = (cpu.readSync(dataId) as Float32Array).slice()
      const tensor = { dataId: cpu.write(values, shape, dtype), shape, dtype }
      try {
        return kernel.kernelFunc({ ...others, backend, inputs: { ...inputs, tensor } })
      } finally {
        cpu.disposeData(tensor.dataId)
      }
    },
  })
}

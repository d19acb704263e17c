/** The laws run on tfjs's cpu backend, in plain JavaScript. The core registers every gradient. */
import "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"

await tf.setBackend("cpu")

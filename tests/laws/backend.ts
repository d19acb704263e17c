/** The laws run on tfjs's cpu backend, in plain JavaScript, with every gradient registered. */
import "@tensorflow/tfjs"
import * as tf from "@tensorflow/tfjs-core"

await tf.setBackend("cpu")

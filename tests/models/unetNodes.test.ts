/** U-Nets, decoders, upsamplers and corruptions as nodes of one graph, on two engines. */
import "@tensorflow/tfjs-backend-cpu"
import {
  Engines,
  flatten,
  forward,
  graph,
  type HostTensor,
  type HostTensors,
  initParams,
  int32,
  isParamSpec,
  keyFromSeed,
  objectiveOf,
  type ParamSpec,
  random,
  tensor,
} from "@millrace/core"
import {
  corruption,
  type DecoderConfig,
  decoder,
  drawDegradation,
  textEncoder,
  type UnetConfig,
  unet,
  upsampler,
} from "@millrace/models"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"

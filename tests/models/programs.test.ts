/** The programs of the models, as they are printed: a change in the compiler shows here as a change in a program. */
import {
  captureSync,
  crossEntropy,
  flatten,
  isParamSpec,
  mapTree,
  optimize,
  printProgram,
  spec,
  type TensorFunction,
} from "@millrace/core"
import { type GptConfig, type GptParams, gptLogits, gptParams } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"

const config: GptConfig = { vocab: 5, context: 3, width: 4, layers: 1, heads: 2 }
const specs = gptParams(config)
const names = Object.keys(flatten(specs, isParamSpec))

const gradients: TensorFunction = {
  name: "gpt",
  state: {},
  inputs: {
    tokens: spec("int32", [2, 3]),
    labels: spec("int32", [2, 3]),
    ...Object.fromEntries(
      Object.entries(flatten(specs, isParamSpec)).map(([name, { shape }]) => [name, spec("float32", shape)]),
    ),
  },
  body: (_, inputs) => {
    const loss = (...learning: ReadonlyArray<tf.Tensor>): tf.Scalar => {
      const params = mapTree(specs, isParamSpec, (name) => learning[names.indexOf(name)]!) as GptParams
      return tf.mean(crossEntropy(gptLogits(config, params, inputs.tokens!), inputs.labels!))
    }
    const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => inputs[name]!))
    return { outputs: { loss: value, ...Object.fromEntries(names.map((name, i) => [name, grads[i]!])) } }
  },
}

test("the loss of a GPT and its gradients", () => {
  expect(`\n${printProgram(optimize(captureSync(gradients)))}\n`).toMatchInlineSnapshot(`
    "
    program gpt(tokens: int32[2, 3], labels: int32[2, 3], token: float32[5, 4], position: float32[3, 4], blocks.0.norm1.gain: float32[4], blocks.0.norm1.bias: float32[4], blocks.0.attention.qkv.weight: float32[4, 12], blocks.0.attention.qkv.bias: float32[12], blocks.0.attention.out.weight: float32[4, 4], blocks.0.attention.out.bias: float32[4], blocks.0.norm2.gain: float32[4], blocks.0.norm2.bias: float32[4], blocks.0.mlp.up.weight: float32[4, 16], blocks.0.mlp.up.bias: float32[16], blocks.0.mlp.down.weight: float32[16, 4], blocks.0.mlp.down.bias: float32[4], norm.gain: float32[4], norm.bias: float32[4]) {
      %1: float32[] = constant 1
      %2: float32[] = constant 4
      %3: float32[] = constant 0.0713548
      %4: float32[] = constant 1.59577
      %5: float32[] = constant 3
      %6: float32[3, 3] = constant 0, -1000000000, -1000000000, 0, …
      %7: int32[6] = constant 0, 5, 10, 15, …
      %8: float32[] = constant 0.166667
      %9: int32[6] = Reshape(%tokens) shape=[6]   # embed
      %10: float32[6, 4] = GatherV2(%token, %9) axis=0 batchDims=0   # embed
      %11: float32[2, 3, 4] = Reshape(%10) shape=[2, 3, 4]   # embed
      %12: float32[2, 3, 4] = Add(%11, %position)   # embed
      %13: float32[6, 4] = Reshape(%12) shape=[6, 4]   # blocks.0
      %14: float32[6, 4], %15: float32[6, 1], %16: float32[6, 1] = LayerNorm(%13, %blocks.0.norm1.gain, %blocks.0.norm1.bias) epsilon=0.00001   # blocks.0
      %17: float32[6, 12] = _FusedMatMul(%14, %blocks.0.attention.qkv.weight, %blocks.0.attention.qkv.bias) activation=linear   # blocks.0
      %18: float32[2, 3, 12] = Reshape(%17) shape=[2, 3, 12]   # blocks.0
      %19: float32[2, 3, 4], %20: float32[2, 3, 4], %21: float32[2, 3, 4] = SplitV(%18) axis=2 numOrSizeSplits=[4, 4, 4]   # blocks.0
      %22: float32[2, 3, 2, 2] = Reshape(%19) shape=[2, 3, 2, 2]   # blocks.0
      %23: float32[2, 2, 3, 2] = Transpose(%22) perm=[0, 2, 1, 3]   # blocks.0
      %24: float32[2, 3, 2, 2] = Reshape(%20) shape=[2, 3, 2, 2]   # blocks.0
      %25: float32[2, 2, 3, 2] = Transpose(%24) perm=[0, 2, 1, 3]   # blocks.0
      %26: float32[2, 3, 2, 2] = Reshape(%21) shape=[2, 3, 2, 2]   # blocks.0
      %27: float32[2, 2, 3, 2] = Transpose(%26) perm=[0, 2, 1, 3]   # blocks.0
      %28: float32[2, 2, 3, 3] = ScaledMatMul(%23, %25) scale=0.7071067690849304 transposeB=true   # blocks.0
      %29: float32[2, 2, 3, 3] = Add(%28, %6)   # blocks.0
      %30: float32[2, 2, 3, 3] = Softmax(%29) dim=3   # blocks.0
      %31: float32[2, 2, 3, 2] = BatchMatMul(%30, %27)   # blocks.0
      %32: float32[2, 3, 2, 2] = Transpose(%31) perm=[0, 2, 1, 3]   # blocks.0
      %33: float32[6, 4] = Reshape(%32) shape=[6, 4]   # blocks.0
      %34: float32[6, 4] = _FusedMatMul(%33, %blocks.0.attention.out.weight, %blocks.0.attention.out.bias) activation=linear   # blocks.0
      %35: float32[2, 3, 4] = Reshape(%34) shape=[2, 3, 4]   # blocks.0
      %36: float32[2, 3, 4] = Add(%12, %35)   # blocks.0
      %37: float32[6, 4] = Reshape(%36) shape=[6, 4]   # blocks.0
      %38: float32[6, 4], %39: float32[6, 1], %40: float32[6, 1] = LayerNorm(%37, %blocks.0.norm2.gain, %blocks.0.norm2.bias) epsilon=0.00001   # blocks.0
      %41: float32[6, 16] = _FusedMatMul(%38, %blocks.0.mlp.up.weight, %blocks.0.mlp.up.bias) activation=linear   # blocks.0
      %42: float32[2, 3, 16] = Reshape(%41) shape=[2, 3, 16]   # blocks.0
      %43: float32[2, 3, 16] = GeluTanh(%42)   # blocks.0
      %44: float32[6, 16] = Reshape(%43) shape=[6, 16]   # blocks.0
      %45: float32[6, 4] = _FusedMatMul(%44, %blocks.0.mlp.down.weight, %blocks.0.mlp.down.bias) activation=linear   # blocks.0
      %46: float32[2, 3, 4] = Reshape(%45) shape=[2, 3, 4]   # blocks.0
      %47: float32[2, 3, 4] = Add(%36, %46)   # blocks.0
      %48: float32[6, 4] = Reshape(%47) shape=[6, 4]   # norm
      %49: float32[6, 4], %50: float32[6, 1], %51: float32[6, 1] = LayerNorm(%48, %norm.gain, %norm.bias) epsilon=0.00001   # norm
      %52: float32[6, 5] = BatchMatMul(%49, %token) transposeB=true   # unembed
      %53: float32[6, 5] = LogSoftmax(%52) axis=1
      %54: int32[6] = Reshape(%labels) shape=[6]
      %55: int32[6] = Add(%7, %54)
      %56: float32[30] = Reshape(%53) shape=[30]
      %57: float32[6] = GatherV2(%56, %55) axis=0 batchDims=0
      %58: float32[6] = Neg(%57)
      %59: float32[2, 3] = Reshape(%58) shape=[2, 3]
      %60: float32[] = Mean(%59) axis=[0, 1]
      %61: float32[6, 5] = Exp(%53)
      %62: float32[6, 5] = Multiply(%61, %8)
      %63: float32[30] = Reshape(%62) shape=[30]
      %64: float32[6] = Exp(%57)
      %65: float32[6] = Sub(%64, %1)
      %66: float32[6] = Multiply(%65, %8)
      %67: int32[6, 1] = Reshape(%55) shape=[6, 1]
      %68: float32[30] = TensorScatterUpdate(%63, %67, %66)
      %69: float32[6, 5] = Reshape(%68) shape=[6, 5]   # unembed
      %70: float32[6, 4] = BatchMatMul(%69, %token)   # unembed
      %71: float32[5, 4] = BatchMatMul(%69, %49) transposeA=true   # unembed
      %72: float32[6, 4] = Sub(%48, %50)   # norm
      %73: float32[6, 4] = Multiply(%72, %51)   # norm
      %74: float32[6, 4] = Multiply(%70, %73)   # norm
      %75: float32[4] = RealDiv(%norm.gain, %2)   # norm
      %76: float32[4, 1] = Reshape(%75) shape=[4, 1]   # norm
      %77: float32[6, 1] = BatchMatMul(%70, %76)   # norm
      %78: float32[6, 1] = BatchMatMul(%74, %76)   # norm
      %79: float32[6, 4] = Multiply(%70, %norm.gain)   # norm
      %80: float32[6, 4] = Sub(%79, %77)   # norm
      %81: float32[6, 4] = Multiply(%73, %78)   # norm
      %82: float32[6, 4] = Sub(%80, %81)   # norm
      %83: float32[6, 4] = Multiply(%82, %51)   # norm
      %84: float32[4] = Sum(%74) axis=[0]   # norm
      %85: float32[4] = Sum(%70) axis=[0]   # norm
      %86: float32[6, 16] = BatchMatMul(%83, %blocks.0.mlp.down.weight) transposeB=true   # blocks.0
      %87: float32[16, 4] = BatchMatMul(%44, %83) transposeA=true   # blocks.0
      %88: float32[4] = Sum(%83) axis=[0]   # blocks.0
      %89: float32[2, 3, 16] = Reshape(%86) shape=[2, 3, 16]   # blocks.0
      %90: float32[2, 3, 16] = Square(%42)   # blocks.0
      %91: float32[2, 3, 16] = Multiply(%90, %3)   # blocks.0
      %92: float32[2, 3, 16] = Add(%91, %4)   # blocks.0
      %93: float32[2, 3, 16] = Multiply(%42, %92)   # blocks.0
      %94: float32[2, 3, 16] = Sigmoid(%93)   # blocks.0
      %95: float32[2, 3, 16] = Multiply(%91, %5)   # blocks.0
      %96: float32[2, 3, 16] = Add(%95, %4)   # blocks.0
      %97: float32[2, 3, 16] = Multiply(%43, %94)   # blocks.0
      %98: float32[2, 3, 16] = Sub(%43, %97)   # blocks.0
      %99: float32[2, 3, 16] = Multiply(%98, %96)   # blocks.0
      %100: float32[2, 3, 16] = Add(%94, %99)   # blocks.0
      %101: float32[2, 3, 16] = Multiply(%89, %100)   # blocks.0
      %102: float32[6, 16] = Reshape(%101) shape=[6, 16]   # blocks.0
      %103: float32[6, 4] = BatchMatMul(%102, %blocks.0.mlp.up.weight) transposeB=true   # blocks.0
      %104: float32[4, 16] = BatchMatMul(%38, %102) transposeA=true   # blocks.0
      %105: float32[16] = Sum(%102) axis=[0]   # blocks.0
      %106: float32[6, 4] = Sub(%37, %39)   # blocks.0
      %107: float32[6, 4] = Multiply(%106, %40)   # blocks.0
      %108: float32[6, 4] = Multiply(%103, %107)   # blocks.0
      %109: float32[4] = RealDiv(%blocks.0.norm2.gain, %2)   # blocks.0
      %110: float32[4, 1] = Reshape(%109) shape=[4, 1]   # blocks.0
      %111: float32[6, 1] = BatchMatMul(%103, %110)   # blocks.0
      %112: float32[6, 1] = BatchMatMul(%108, %110)   # blocks.0
      %113: float32[6, 4] = Multiply(%103, %blocks.0.norm2.gain)   # blocks.0
      %114: float32[6, 4] = Sub(%113, %111)   # blocks.0
      %115: float32[6, 4] = Multiply(%107, %112)   # blocks.0
      %116: float32[6, 4] = Sub(%114, %115)   # blocks.0
      %117: float32[6, 4] = Multiply(%116, %40)   # blocks.0
      %118: float32[4] = Sum(%108) axis=[0]   # blocks.0
      %119: float32[4] = Sum(%103) axis=[0]   # blocks.0
      %120: float32[6, 4] = Add(%83, %117)
      %121: float32[6, 4] = BatchMatMul(%120, %blocks.0.attention.out.weight) transposeB=true   # blocks.0
      %122: float32[4, 4] = BatchMatMul(%33, %120) transposeA=true   # blocks.0
      %123: float32[4] = Sum(%120) axis=[0]   # blocks.0
      %124: float32[2, 3, 2, 2] = Reshape(%121) shape=[2, 3, 2, 2]   # blocks.0
      %125: float32[2, 2, 3, 2] = Transpose(%124) perm=[0, 2, 1, 3]   # blocks.0
      %126: float32[2, 2, 3, 2] = Multiply(%125, %31)   # blocks.0
      %127: float32[2, 2, 3, 1] = Sum(%126) axis=[3] keepDims=true   # blocks.0
      %128: float32[2, 2, 3, 3] = BatchMatMul(%125, %27) transposeB=true   # blocks.0
      %129: float32[2, 2, 3, 3] = Sub(%128, %127)   # blocks.0
      %130: float32[2, 2, 3, 3] = Multiply(%30, %129)   # blocks.0
      %131: float32[2, 2, 3, 2] = ScaledMatMul(%130, %25) scale=0.7071067690849304   # blocks.0
      %132: float32[2, 2, 3, 2] = ScaledMatMul(%130, %23) scale=0.7071067690849304 transposeA=true   # blocks.0
      %133: float32[2, 2, 3, 2] = BatchMatMul(%30, %125) transposeA=true   # blocks.0
      %134: float32[2, 3, 2, 2] = Transpose(%133) perm=[0, 2, 1, 3]   # blocks.0
      %135: float32[2, 3, 4] = Reshape(%134) shape=[2, 3, 4]   # blocks.0
      %136: float32[2, 3, 2, 2] = Transpose(%132) perm=[0, 2, 1, 3]   # blocks.0
      %137: float32[2, 3, 4] = Reshape(%136) shape=[2, 3, 4]   # blocks.0
      %138: float32[2, 3, 2, 2] = Transpose(%131) perm=[0, 2, 1, 3]   # blocks.0
      %139: float32[2, 3, 4] = Reshape(%138) shape=[2, 3, 4]   # blocks.0
      %140: float32[2, 3, 12] = Concat(%139, %137, %135) axis=2   # blocks.0
      %141: float32[6, 12] = Reshape(%140) shape=[6, 12]   # blocks.0
      %142: float32[6, 4] = BatchMatMul(%141, %blocks.0.attention.qkv.weight) transposeB=true   # blocks.0
      %143: float32[4, 12] = BatchMatMul(%14, %141) transposeA=true   # blocks.0
      %144: float32[12] = Sum(%141) axis=[0]   # blocks.0
      %145: float32[6, 4] = Sub(%13, %15)   # blocks.0
      %146: float32[6, 4] = Multiply(%145, %16)   # blocks.0
      %147: float32[6, 4] = Multiply(%142, %146)   # blocks.0
      %148: float32[4] = RealDiv(%blocks.0.norm1.gain, %2)   # blocks.0
      %149: float32[4, 1] = Reshape(%148) shape=[4, 1]   # blocks.0
      %150: float32[6, 1] = BatchMatMul(%142, %149)   # blocks.0
      %151: float32[6, 1] = BatchMatMul(%147, %149)   # blocks.0
      %152: float32[6, 4] = Multiply(%142, %blocks.0.norm1.gain)   # blocks.0
      %153: float32[6, 4] = Sub(%152, %150)   # blocks.0
      %154: float32[6, 4] = Multiply(%146, %151)   # blocks.0
      %155: float32[6, 4] = Sub(%153, %154)   # blocks.0
      %156: float32[6, 4] = Multiply(%155, %16)   # blocks.0
      %157: float32[4] = Sum(%147) axis=[0]   # blocks.0
      %158: float32[4] = Sum(%142) axis=[0]   # blocks.0
      %159: float32[6, 4] = Add(%120, %156)
      %160: float32[2, 3, 4] = Reshape(%159) shape=[2, 3, 4]
      %161: float32[3, 4] = Sum(%160) axis=[0]   # embed
      %162: float32[5, 4] = EmbedGrad(%9, %159, %71) vocabulary=5   # embed
      return loss=%60, token=%162, position=%161, blocks.0.norm1.gain=%157, blocks.0.norm1.bias=%158, blocks.0.attention.qkv.weight=%143, blocks.0.attention.qkv.bias=%144, blocks.0.attention.out.weight=%122, blocks.0.attention.out.bias=%123, blocks.0.norm2.gain=%118, blocks.0.norm2.bias=%119, blocks.0.mlp.up.weight=%104, blocks.0.mlp.up.bias=%105, blocks.0.mlp.down.weight=%87, blocks.0.mlp.down.bias=%88, norm.gain=%84, norm.bias=%85
    }
    "
  `)
})

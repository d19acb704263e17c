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
      %18: float32[6, 4], %19: float32[6, 4], %20: float32[6, 4] = SplitV(%17) axis=1 numOrSizeSplits=[4, 4, 4]   # blocks.0
      %21: float32[2, 3, 2, 2] = Reshape(%18) shape=[2, 3, 2, 2]   # blocks.0
      %22: float32[2, 2, 3, 2] = Transpose(%21) perm=[0, 2, 1, 3]   # blocks.0
      %23: float32[2, 3, 2, 2] = Reshape(%19) shape=[2, 3, 2, 2]   # blocks.0
      %24: float32[2, 2, 3, 2] = Transpose(%23) perm=[0, 2, 1, 3]   # blocks.0
      %25: float32[2, 3, 2, 2] = Reshape(%20) shape=[2, 3, 2, 2]   # blocks.0
      %26: float32[2, 2, 3, 2] = Transpose(%25) perm=[0, 2, 1, 3]   # blocks.0
      %27: float32[2, 2, 3, 3] = ScaledMatMul(%22, %24) scale=0.7071067690849304 transposeB=true   # blocks.0
      %28: float32[2, 2, 3, 3] = Add(%27, %6)   # blocks.0
      %29: float32[2, 2, 3, 3] = Softmax(%28) dim=3   # blocks.0
      %30: float32[2, 2, 3, 2] = BatchMatMul(%29, %26)   # blocks.0
      %31: float32[2, 3, 2, 2] = Transpose(%30) perm=[0, 2, 1, 3]   # blocks.0
      %32: float32[6, 4] = Reshape(%31) shape=[6, 4]   # blocks.0
      %33: float32[6, 4] = _FusedMatMul(%32, %blocks.0.attention.out.weight, %blocks.0.attention.out.bias) activation=linear   # blocks.0
      %34: float32[2, 3, 4] = Reshape(%33) shape=[2, 3, 4]   # blocks.0
      %35: float32[2, 3, 4] = Add(%12, %34)   # blocks.0
      %36: float32[6, 4] = Reshape(%35) shape=[6, 4]   # blocks.0
      %37: float32[6, 4], %38: float32[6, 1], %39: float32[6, 1] = LayerNorm(%36, %blocks.0.norm2.gain, %blocks.0.norm2.bias) epsilon=0.00001   # blocks.0
      %40: float32[6, 16] = _FusedMatMul(%37, %blocks.0.mlp.up.weight, %blocks.0.mlp.up.bias) activation=linear   # blocks.0
      %41: float32[2, 3, 16] = Reshape(%40) shape=[2, 3, 16]   # blocks.0
      %42: float32[2, 3, 16] = GeluTanh(%41)   # blocks.0
      %43: float32[6, 16] = Reshape(%42) shape=[6, 16]   # blocks.0
      %44: float32[6, 4] = _FusedMatMul(%43, %blocks.0.mlp.down.weight, %blocks.0.mlp.down.bias) activation=linear   # blocks.0
      %45: float32[2, 3, 4] = Reshape(%44) shape=[2, 3, 4]   # blocks.0
      %46: float32[2, 3, 4] = Add(%35, %45)   # blocks.0
      %47: float32[6, 4] = Reshape(%46) shape=[6, 4]   # norm
      %48: float32[6, 4], %49: float32[6, 1], %50: float32[6, 1] = LayerNorm(%47, %norm.gain, %norm.bias) epsilon=0.00001   # norm
      %51: float32[6, 5] = BatchMatMul(%48, %token) transposeB=true   # unembed
      %52: float32[6, 5] = LogSoftmax(%51) axis=1
      %53: int32[6] = Reshape(%labels) shape=[6]
      %54: int32[6] = Add(%7, %53)
      %55: float32[30] = Reshape(%52) shape=[30]
      %56: float32[6] = GatherV2(%55, %54) axis=0 batchDims=0
      %57: float32[6] = Neg(%56)
      %58: float32[2, 3] = Reshape(%57) shape=[2, 3]
      %59: float32[] = Mean(%58) axis=[0, 1]
      %60: float32[6, 5] = Exp(%52)
      %61: float32[6, 5] = Multiply(%60, %8)
      %62: float32[30] = Reshape(%61) shape=[30]
      %63: float32[6] = Exp(%56)
      %64: float32[6] = Sub(%63, %1)
      %65: float32[6] = Multiply(%64, %8)
      %66: int32[6, 1] = Reshape(%54) shape=[6, 1]
      %67: float32[30] = TensorScatterUpdate(%62, %66, %65)
      %68: float32[6, 5] = Reshape(%67) shape=[6, 5]   # unembed
      %69: float32[6, 4] = BatchMatMul(%68, %token)   # unembed
      %70: float32[5, 4] = BatchMatMul(%68, %48) transposeA=true   # unembed
      %71: float32[6, 4] = Sub(%47, %49)   # norm
      %72: float32[6, 4] = Multiply(%71, %50)   # norm
      %73: float32[6, 4] = Multiply(%69, %72)   # norm
      %74: float32[4] = RealDiv(%norm.gain, %2)   # norm
      %75: float32[4, 1] = Reshape(%74) shape=[4, 1]   # norm
      %76: float32[6, 1] = BatchMatMul(%69, %75)   # norm
      %77: float32[6, 1] = BatchMatMul(%73, %75)   # norm
      %78: float32[6, 4] = Multiply(%69, %norm.gain)   # norm
      %79: float32[6, 4] = Sub(%78, %76)   # norm
      %80: float32[6, 4] = Multiply(%72, %77)   # norm
      %81: float32[6, 4] = Sub(%79, %80)   # norm
      %82: float32[6, 4] = Multiply(%81, %50)   # norm
      %83: float32[4] = Sum(%73) axis=[0]   # norm
      %84: float32[4] = Sum(%69) axis=[0]   # norm
      %85: float32[6, 16] = BatchMatMul(%82, %blocks.0.mlp.down.weight) transposeB=true   # blocks.0
      %86: float32[16, 4] = BatchMatMul(%43, %82) transposeA=true   # blocks.0
      %87: float32[4] = Sum(%82) axis=[0]   # blocks.0
      %88: float32[2, 3, 16] = Reshape(%85) shape=[2, 3, 16]   # blocks.0
      %89: float32[2, 3, 16] = Square(%41)   # blocks.0
      %90: float32[2, 3, 16] = Multiply(%89, %3)   # blocks.0
      %91: float32[2, 3, 16] = Add(%90, %4)   # blocks.0
      %92: float32[2, 3, 16] = Multiply(%41, %91)   # blocks.0
      %93: float32[2, 3, 16] = Sigmoid(%92)   # blocks.0
      %94: float32[2, 3, 16] = Multiply(%90, %5)   # blocks.0
      %95: float32[2, 3, 16] = Add(%94, %4)   # blocks.0
      %96: float32[2, 3, 16] = Multiply(%42, %93)   # blocks.0
      %97: float32[2, 3, 16] = Sub(%42, %96)   # blocks.0
      %98: float32[2, 3, 16] = Multiply(%97, %95)   # blocks.0
      %99: float32[2, 3, 16] = Add(%93, %98)   # blocks.0
      %100: float32[2, 3, 16] = Multiply(%88, %99)   # blocks.0
      %101: float32[6, 16] = Reshape(%100) shape=[6, 16]   # blocks.0
      %102: float32[6, 4] = BatchMatMul(%101, %blocks.0.mlp.up.weight) transposeB=true   # blocks.0
      %103: float32[4, 16] = BatchMatMul(%37, %101) transposeA=true   # blocks.0
      %104: float32[16] = Sum(%101) axis=[0]   # blocks.0
      %105: float32[6, 4] = Sub(%36, %38)   # blocks.0
      %106: float32[6, 4] = Multiply(%105, %39)   # blocks.0
      %107: float32[6, 4] = Multiply(%102, %106)   # blocks.0
      %108: float32[4] = RealDiv(%blocks.0.norm2.gain, %2)   # blocks.0
      %109: float32[4, 1] = Reshape(%108) shape=[4, 1]   # blocks.0
      %110: float32[6, 1] = BatchMatMul(%102, %109)   # blocks.0
      %111: float32[6, 1] = BatchMatMul(%107, %109)   # blocks.0
      %112: float32[6, 4] = Multiply(%102, %blocks.0.norm2.gain)   # blocks.0
      %113: float32[6, 4] = Sub(%112, %110)   # blocks.0
      %114: float32[6, 4] = Multiply(%106, %111)   # blocks.0
      %115: float32[6, 4] = Sub(%113, %114)   # blocks.0
      %116: float32[6, 4] = Multiply(%115, %39)   # blocks.0
      %117: float32[4] = Sum(%107) axis=[0]   # blocks.0
      %118: float32[4] = Sum(%102) axis=[0]   # blocks.0
      %119: float32[6, 4] = Add(%82, %116)
      %120: float32[6, 4] = BatchMatMul(%119, %blocks.0.attention.out.weight) transposeB=true   # blocks.0
      %121: float32[4, 4] = BatchMatMul(%32, %119) transposeA=true   # blocks.0
      %122: float32[4] = Sum(%119) axis=[0]   # blocks.0
      %123: float32[2, 3, 2, 2] = Reshape(%120) shape=[2, 3, 2, 2]   # blocks.0
      %124: float32[2, 2, 3, 2] = Transpose(%123) perm=[0, 2, 1, 3]   # blocks.0
      %125: float32[2, 2, 3, 2] = Multiply(%124, %30)   # blocks.0
      %126: float32[2, 2, 3, 1] = Sum(%125) axis=[3] keepDims=true   # blocks.0
      %127: float32[2, 2, 3, 3] = BatchMatMul(%124, %26) transposeB=true   # blocks.0
      %128: float32[2, 2, 3, 3] = Sub(%127, %126)   # blocks.0
      %129: float32[2, 2, 3, 3] = Multiply(%29, %128)   # blocks.0
      %130: float32[2, 2, 3, 2] = ScaledMatMul(%129, %24) scale=0.7071067690849304   # blocks.0
      %131: float32[2, 2, 3, 2] = ScaledMatMul(%129, %22) scale=0.7071067690849304 transposeA=true   # blocks.0
      %132: float32[2, 2, 3, 2] = BatchMatMul(%29, %124) transposeA=true   # blocks.0
      %133: float32[2, 3, 2, 2] = Transpose(%132) perm=[0, 2, 1, 3]   # blocks.0
      %134: float32[2, 3, 4] = Reshape(%133) shape=[2, 3, 4]   # blocks.0
      %135: float32[2, 3, 2, 2] = Transpose(%131) perm=[0, 2, 1, 3]   # blocks.0
      %136: float32[2, 3, 4] = Reshape(%135) shape=[2, 3, 4]   # blocks.0
      %137: float32[2, 3, 2, 2] = Transpose(%130) perm=[0, 2, 1, 3]   # blocks.0
      %138: float32[2, 3, 4] = Reshape(%137) shape=[2, 3, 4]   # blocks.0
      %139: float32[2, 3, 12] = Concat(%138, %136, %134) axis=2   # blocks.0
      %140: float32[6, 12] = Reshape(%139) shape=[6, 12]   # blocks.0
      %141: float32[6, 4] = BatchMatMul(%140, %blocks.0.attention.qkv.weight) transposeB=true   # blocks.0
      %142: float32[4, 12] = BatchMatMul(%14, %140) transposeA=true   # blocks.0
      %143: float32[12] = Sum(%140) axis=[0]   # blocks.0
      %144: float32[6, 4] = Sub(%13, %15)   # blocks.0
      %145: float32[6, 4] = Multiply(%144, %16)   # blocks.0
      %146: float32[6, 4] = Multiply(%141, %145)   # blocks.0
      %147: float32[4] = RealDiv(%blocks.0.norm1.gain, %2)   # blocks.0
      %148: float32[4, 1] = Reshape(%147) shape=[4, 1]   # blocks.0
      %149: float32[6, 1] = BatchMatMul(%141, %148)   # blocks.0
      %150: float32[6, 1] = BatchMatMul(%146, %148)   # blocks.0
      %151: float32[6, 4] = Multiply(%141, %blocks.0.norm1.gain)   # blocks.0
      %152: float32[6, 4] = Sub(%151, %149)   # blocks.0
      %153: float32[6, 4] = Multiply(%145, %150)   # blocks.0
      %154: float32[6, 4] = Sub(%152, %153)   # blocks.0
      %155: float32[6, 4] = Multiply(%154, %16)   # blocks.0
      %156: float32[4] = Sum(%146) axis=[0]   # blocks.0
      %157: float32[4] = Sum(%141) axis=[0]   # blocks.0
      %158: float32[6, 4] = Add(%119, %155)
      %159: float32[2, 3, 4] = Reshape(%158) shape=[2, 3, 4]
      %160: float32[3, 4] = Sum(%159) axis=[0]   # embed
      %161: float32[5, 4] = EmbedGrad(%9, %158, %70) vocabulary=5   # embed
      return loss=%59, token=%161, position=%160, blocks.0.norm1.gain=%156, blocks.0.norm1.bias=%157, blocks.0.attention.qkv.weight=%142, blocks.0.attention.qkv.bias=%143, blocks.0.attention.out.weight=%121, blocks.0.attention.out.bias=%122, blocks.0.norm2.gain=%117, blocks.0.norm2.bias=%118, blocks.0.mlp.up.weight=%103, blocks.0.mlp.up.bias=%104, blocks.0.mlp.down.weight=%86, blocks.0.mlp.down.bias=%87, norm.gain=%83, norm.bias=%84
    }
    "
  `)
})

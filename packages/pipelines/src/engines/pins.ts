/**
 * What the native engines are made from, every byte of it pinned: TensorFlow's wheel for the machine, CUDA's and cuDNN's for
 * the GPU (the newest that the extra `and-cuda` of TensorFlow 2.21 allows), and three npm packages. The libraries in a wheel
 * depend on no version of Python: those for CPython 3.11 are taken, whatever Python fetches them.
 */
import type { NativeEngineName } from "@millrace/core/engine"
import { Context } from "effect"
import type { NpmPackage } from "./npmPackage.js"

/** A wheel of the Python package index. */
export interface Wheel {
  /** `tensorflow-cpu==2.21.0`. */
  readonly requirement: string
  /** As the index names it; it ends in the tags of Python, its ABI and the platform. */
  readonly file: string
  readonly sha256: string
  readonly bytes: number
  /** Of what is taken out of it. */
  readonly unpackedBytes: number
}

const tensorflow = "2.21.0"

const cpuLinuxX64: Wheel = {
  requirement: `tensorflow-cpu==${tensorflow}`,
  file: `tensorflow_cpu-${tensorflow}-cp311-cp311-manylinux_2_27_x86_64.whl`,
  sha256: "2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c",
  bytes: 273_829_956,
  unpackedBytes: 853_308_936,
}
const linuxX64: Wheel = {
  requirement: `tensorflow==${tensorflow}`,
  file: `tensorflow-${tensorflow}-cp311-cp311-manylinux_2_27_x86_64.whl`,
  sha256: "9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124",
  bytes: 572_440_367,
  unpackedBytes: 1_259_021_080,
}
const linuxArm64: Wheel = {
  requirement: `tensorflow==${tensorflow}`,
  file: `tensorflow-${tensorflow}-cp311-cp311-manylinux_2_27_aarch64.whl`,
  sha256: "4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c",
  bytes: 281_828_020,
  unpackedBytes: 883_062_208,
}
const macArm64: Wheel = {
  requirement: `tensorflow==${tensorflow}`,
  file: `tensorflow-${tensorflow}-cp311-cp311-macosx_12_0_arm64.whl`,
  sha256: "51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88",
  bytes: 223_405_849,
  unpackedBytes: 740_805_624,
}

const nvidia = (
  name: string,
  version: string,
  platform: string,
  sha256: string,
  bytes: number,
  unpackedBytes: number,
): Wheel => ({
  requirement: `nvidia-${name}-cu12==${version}`,
  file: `nvidia_${name.replaceAll("-", "_")}_cu12-${version}-py3-none-${platform}_x86_64.whl`,
  sha256,
  bytes,
  unpackedBytes,
})

const [glibc12, glibc17] = ["manylinux2010_x86_64.manylinux_2_12", "manylinux2014_x86_64.manylinux_2_17"]
// biome-ignore format: a table
const cuda: ReadonlyArray<Wheel> = [
  nvidia("cublas", "12.9.3.13", "manylinux_2_27", "d7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72", 581_217_458, 855_064_416),
  nvidia("cuda-cupti", "12.9.79", "manylinux_2_25", "096bcf334f13e1984ba36685ad4c1d6347db214de03dbb6eebb237b41d9d934f", 10_814_997, 43_365_768),
  nvidia("cuda-nvcc", "12.9.86", glibc12, "5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0", 40_546_229, 97_998_760),
  nvidia("cuda-nvrtc", "12.9.86", glibc12, "210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4", 89_568_129, 227_340_992),
  nvidia("cuda-runtime", "12.9.79", glibc17, "25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3", 3_493_179, 741_088),
  nvidia("cudnn", "9.28.0.42", "manylinux_2_27", "9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375", 716_538_495, 1_162_393_472),
  nvidia("cufft", "11.4.1.4", glibc17, "c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28", 200_877_592, 293_609_416),
  nvidia("curand", "10.3.10.19", "manylinux_2_27", "49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e", 68_295_626, 166_965_432),
  nvidia("cusolver", "11.7.5.82", "manylinux_2_27", "15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88", 338_117_415, 494_975_064),
  nvidia("cusparse", "12.5.10.65", glibc17, "73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78", 366_465_088, 486_556_368),
  nvidia("nccl", "2.32.3", "manylinux_2_27", "bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c", 351_526_311, 473_614_536),
  nvidia("nvjitlink", "12.9.86", glibc12, "e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9", 39_748_338, 95_935_344),
]

const compiled = ["register_all_kernels.js", "nodejs_kernel_backend.js", "int64_tensors.js", "kernels/", "proto/"]
const tfjsNodeFiles = ["package.json", "binding/", ...compiled.map((file) => `dist/${file}`)]

export interface EnginePins {
  /** The wheels of an engine for a machine, `linux-x64`; a machine that is not here has none. TensorFlow's is the first. */
  readonly wheels: Readonly<Record<NativeEngineName, Readonly<Record<string, ReadonlyArray<Wheel>>>>>
  /** The package of an engine: the kernels in JavaScript and the addon's source. */
  readonly tfjsNode: Readonly<Record<NativeEngineName, NpmPackage>>
  /** What the kernels' module requires beside tfjs. */
  readonly protobuf: NpmPackage
  /** Node's own headers of what addons may call, for any version of Node: nothing is fetched from nodejs.org. */
  readonly nodeApi: NpmPackage
}

const pinned: EnginePins = {
  wheels: {
    "tfjs-node": { "linux-x64": [cpuLinuxX64], "linux-arm64": [linuxArm64], "darwin-arm64": [macArm64] },
    "tfjs-node-gpu": { "linux-x64": [linuxX64, ...cuda] },
  },
  tfjsNode: {
    "tfjs-node": {
      name: "@tensorflow/tfjs-node",
      version: "4.22.0",
      integrity: "sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==",
      files: tfjsNodeFiles,
    },
    "tfjs-node-gpu": {
      name: "@tensorflow/tfjs-node-gpu",
      version: "4.22.0",
      integrity: "sha512-p//NN6DGiN4hInUmIkRffaFVMcdTREUMjPyjW04J7OXvB2zBlQimj61eFKSgRrH3f5TnOfKzb0n56he/B6a4bw==",
      files: tfjsNodeFiles,
    },
  },
  protobuf: {
    name: "google-protobuf",
    version: "3.21.4",
    integrity: "sha512-MnG7N936zcKTco4Jd2PX2U96Kf9PxygAPKBug+74LHzmHXmceN16MmRcdgZv+DGef/S9YvQAfRsNCn4cjf9yyQ==",
    files: ["package.json", "google-protobuf.js"],
  },
  nodeApi: {
    name: "node-api-headers",
    version: "1.9.0",
    integrity: "sha512-2oNILP4jXwRB4ywnYKjVk1YyJ96n2D4EOVJO6S3oYZ5PtbJrw3Yt9TpAuX3nBLMuzn74rnfGQrv13pS9vC+YiA==",
    files: ["include/"],
  },
}

/** A service with a default, so that tests can install something small. */
export const Pins: Context.Reference<EnginePins> = Context.Reference("millrace/Pins", { defaultValue: () => pinned })

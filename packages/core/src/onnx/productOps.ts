/** ONNX operators that are matrix products or convolutions, also as ONNX Runtime fuses them. */
export const productOps = /MatMul|Gemm|Conv|Attention/

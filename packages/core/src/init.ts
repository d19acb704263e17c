/** How parameters start: a distribution as data, so that it is part of the graph. */
export type Init =
  | { readonly kind: "zeros" }
  | { readonly kind: "ones" }
  | { readonly kind: "normal"; readonly std: number }
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }

export const zeros: Init = { kind: "zeros" }
export const ones: Init = { kind: "ones" }
export const normal = (std: number): Init => ({ kind: "normal", std })

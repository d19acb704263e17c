const softmax = (logits: ReadonlyArray<number>): Array<number> => {
  const top = Math.max(...logits)
  const masses = logits.map((x) => Math.exp(x - top))
  const sum = masses.reduce((a, b) => a + b, 0)
  return masses.map((x) => x / sum)
}

/** Σ p log(p / q), of logits. */
export const klReference = (logits: ReadonlyArray<number>, reference: ReadonlyArray<number>): number => {
  const [p, q] = [softmax(logits), softmax(reference)]
  let sum = 0
  p.forEach((mass, i) => {
    if (mass > 0) sum += mass * Math.log(mass / q[i]!)
  })
  return sum
}

export const entropyReference = (logits: ReadonlyArray<number>): number => {
  let sum = 0
  for (const mass of softmax(logits)) if (mass > 0) sum -= mass * Math.log(mass)
  return sum
}

/** With r = reference / policy. */
export const estimateReference = (estimator: "k1" | "k2" | "k3", logProb: number, reference: number): number => {
  const r = Math.exp(reference - logProb)
  return { k1: -Math.log(r), k2: Math.log(r) ** 2 / 2, k3: r - 1 - Math.log(r) }[estimator]
}

/** Measuring: cases that take turns, so that what disturbs the machine disturbs all of them alike. */

export interface Case {
  readonly name: string
  /** One repetition. */
  readonly run: () => Promise<void>
}

export interface Measured {
  readonly name: string
  /** Seconds a repetition. */
  readonly median: number
  readonly fastest: number
  readonly slowest: number
}

/**
 * Runs the cases in turn (A B A B …), after `warmup` rounds that do not count.
 * @returns one row a case, in the order given
 */
export const alternate = async (
  cases: ReadonlyArray<Case>,
  rounds: number,
  warmup: number,
): Promise<ReadonlyArray<Measured>> => {
  const times = cases.map((): Array<number> => [])
  for (let round = -warmup; round < rounds; round++) {
    for (const [i, { run }] of cases.entries()) {
      const start = performance.now()
      await run()
      if (round >= 0) times[i]!.push((performance.now() - start) / 1000)
    }
  }
  return cases.map(({ name }, i) => {
    const sorted = times[i]!.sort((a, b) => a - b)
    return {
      name,
      median: sorted[Math.floor(sorted.length / 2)]!,
      fastest: sorted[0]!,
      slowest: sorted.at(-1)!,
    }
  })
}

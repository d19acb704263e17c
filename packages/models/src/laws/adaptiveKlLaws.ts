import { expectClose, expectThat, type Law, law, real, size } from "@millrace/core/laws"
import fc from "fast-check"

/** A controller of β for a target and a horizon: β, the KL that was found and the number of episodes to the next β. */
export type AdaptiveKlOf = (config: {
  readonly target: number
  readonly horizon: number
}) => (beta: number, kl: number, episodes: number) => number

const steering = fc.record({
  beta: real(1).map((x) => Math.abs(x) + 0.001),
  kl: real(20).map(Math.abs),
  target: real(8).map((x) => Math.abs(x) + 0.5),
  episodes: size(1, 512),
})
const horizon = 10_000

/** What the adaptive penalty obeys. @source lm-human-preferences, `AdaptiveKLController` */
export const adaptiveKlLaws = (adaptiveKl: AdaptiveKlOf): ReadonlyArray<Law> => [
  law("KL at the target leaves β as it is", steering, ({ beta, target, episodes }) => {
    const found = adaptiveKl({ target, horizon })(beta, target, episodes)
    expectThat(found === beta, () => `${beta} became ${found}`)
  }),
  law(
    "β changes by a factor within 1 ± 0.2 n / horizon, and stays positive",
    steering,
    ({ beta, kl, target, episodes }) => {
      const factor = adaptiveKl({ target, horizon })(beta, kl, episodes) / beta
      const most = (0.2 * episodes) / horizon
      expectThat(factor > 0 && Math.abs(factor - 1) <= most + 1e-12, () => `a factor of ${factor}`)
    },
  ),
  law("β never falls as KL grows", fc.tuple(steering, real(5)), ([{ beta, kl, target, episodes }, more]) => {
    const control = adaptiveKl({ target, horizon })
    expectThat(control(beta, kl + Math.abs(more), episodes) >= control(beta, kl, episodes), () => "β fell")
  }),
  law("two half batches are one batch to first order", steering, ({ beta, kl, target, episodes }) => {
    const control = adaptiveKl({ target, horizon })
    const [whole, halves] = [control(beta, kl, 2 * episodes), control(control(beta, kl, episodes), kl, episodes)]
    const order = ((0.2 * episodes) / horizon) ** 2
    expectThat(Math.abs(whole - halves) <= beta * order + 1e-12, () => `${whole} and ${halves}`)
  }),
  law("within the limits it is the published update", steering, ({ beta, target, episodes }) => {
    expectClose(
      adaptiveKl({ target, horizon })(beta, 1.1 * target, episodes),
      beta * (1 + (0.1 * episodes) / horizon),
      {
        relative: 1e-9,
        absolute: 0,
      },
    )
  }),
]

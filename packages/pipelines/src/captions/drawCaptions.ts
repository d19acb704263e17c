/** Which of its captions each image of a step is seen with. */
import { type Key, random, split } from "@millrace/core"

/**
 * One caption of each image, any as likely as any other: a function of the key and the step alone.
 * @param counts  how many captions each has
 * @returns       the place of one among them
 */
export const drawCaptions = (key: Key, step: number, counts: ReadonlyArray<number>): ReadonlyArray<number> => {
  const draws = random.uniform(split(split(key, "captions"), step), [counts.length]).data
  return counts.map((count, i) => Math.floor(draws[i]! * count))
}

/** How well a discrete VAE writes images, and how much of its codebook it uses. */
import type { Table } from "../artifacts/evaluation.js"
import { interval, rounded } from "../statistics.js"
import { codebookUse, peakSignalToNoise } from "./codebook.js"
import type { Reconstructed } from "./reconstruct.js"

/** A row for each set: PSNR is the mean of the images' own. */
export const reconstructionTable = (
  sets: ReadonlyArray<readonly [name: string, Reconstructed]>,
  vocab: number,
): Table => ({
  title: "Reconstruction",
  columns: ["images", "count", "PSNR, dB", "95 %", "squared error", "codes in use", "perplexity"],
  rows: sets.map(([name, { errors, codes }]) => {
    const { mean, low, high } = interval(errors.map(peakSignalToNoise))
    const { share, perplexity } = codebookUse(codes, vocab)
    return [
      name,
      errors.length,
      rounded(mean, 2),
      `${low.toFixed(2)} to ${high.toFixed(2)}`,
      rounded(errors.reduce((sum, error) => sum + error, 0) / errors.length, 5),
      `${Math.round(share * vocab)} of ${vocab}`,
      rounded(perplexity, 1),
    ]
  }),
})

/** `after 700 steps 20.1 dB on 64 held-out images, 180 codes in use, perplexity 60.2` */
export const reconstructionText = (step: number, { errors, codes }: Reconstructed, vocab: number): string => {
  const { share, perplexity } = codebookUse(codes, vocab)
  const decibel = interval(errors.map(peakSignalToNoise)).mean
  return `after ${step} steps ${decibel.toFixed(1)} dB on ${errors.length} held-out images, ${Math.round(share * vocab)} codes in use, perplexity ${perplexity.toFixed(1)}`
}

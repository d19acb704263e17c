import { defineConfig } from "vitest/config"

/** Tests that leave nothing behind in their process: their files share what a worker has loaded. */
const pure = [
  "tests/examples/**/*.test.ts",
  "tests/pipelines/{captions,clip,clipMeasures,clipTrain,dalle,dalle2,dalle2Parts,dalle2Pipeline}.test.ts",
  "tests/pipelines/{dalleDvae,dallePpo,dalleStages,fit,partedStep,ppo}.test.ts",
  "tests/pipelines/images/{decode*,imageFolder,resize}.test.ts",
  "tests/laws/**/*.test.ts",
  "tests/models/**/*.test.ts",
  "tests/parity/**/*.test.ts",
  "tests/types/**/*.test.ts",
]

/** What a test may take: a thousand examples a law take their time. */
const limit = process.env.MILLRACE_LONG ? 3_600_000 : 60_000

export default defineConfig({
  test: {
    reporters: ["default", "./tests/closingLine.ts"],
    testTimeout: limit,
    hookTimeout: 2 * limit,
    pool: "forks",
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: "pure", include: pure, isolate: false } },
      {
        extends: true,
        test: {
          name: "apart",
          include: ["tests/**/*.test.ts"],
          exclude: ["**/node_modules/**", "**/dist/**", ...pure],
        },
      },
    ],
  },
})

import { defineConfig } from "vitest/config"

/** Tests that leave nothing behind in their process: their files share what a worker has loaded. */
const pure = [
  "tests/examples/**/*.test.ts",
  "tests/core/{checkpoint,crate,files,store,tensorboard}/*.test.ts",
  // What a stage holds is measured in a process of its own.
  "tests/core/run/!(peakMemory).test.ts",
  "tests/core/{comparison,costs,damagedSafetensors,functionFacts,graph,graphDraw,json,openSafetensors}.test.ts",
  "tests/core/{random,readStory,report,reportImages,safetensors}.test.ts",
  "tests/pipelines/{artifacts,captions,clip*,commandLine,dalle*,fit,partedStep,pixels,ppo,preset}.test.ts",
  "tests/pipelines/{instructgpt,instructgptErrors,readableKinds,resumedFit,runs,showImages,view,viewImages}.test.ts",
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

import { defineConfig } from "vitest/config"

/** Tests of pure functions: their files share what a worker has loaded. */
const pure = [
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
    hookTimeout: limit,
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

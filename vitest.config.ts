import { defineConfig } from "vitest/config"

/** Tests of pure functions: their files share what a worker has loaded. */
const pure = [
  "tests/laws/**/*.test.ts",
  "tests/models/**/*.test.ts",
  "tests/parity/**/*.test.ts",
  "tests/types/**/*.test.ts",
]

export default defineConfig({
  test: {
    reporters: ["default", "./tests/closingLine.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
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

import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    reporters: ["default", "./tests/closingLine.ts"],
    // A thousand examples of each law take their time.
    testTimeout: process.env.MILLRACE_LONG === undefined ? 60_000 : 600_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
  },
})

import { defineConfig } from "vitest/config";

// Each file starts its own backend. Running two at once is slower on a small machine.
export default defineConfig({
  test: {
    include: ["e2e/*.e2e.ts"],
    // Generous, because they only bound a failure.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    fileParallelism: false,
    reporters: ["verbose"],
  },
});

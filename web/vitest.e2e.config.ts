import { defineConfig } from "vitest/config";

// Each file starts its own backend. Running two at once is slower on a small machine.
export default defineConfig({
  test: {
    include: ["e2e/*.e2e.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    reporters: ["verbose"],
  },
});

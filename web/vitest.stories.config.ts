import { defineConfig } from "vitest/config";

// Each story has its own backend; two of them at once would only be slower on a small machine.
export default defineConfig({
  test: { include: ["stories/*.story.ts"], testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false, reporters: ["verbose"] },
});

import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Restricts what the built page can load. Not applied in development, where hot reloading needs inline scripts. */
const contentSecurityPolicy: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      injectTo: "head-prepend",
      attrs: {
        "http-equiv": "Content-Security-Policy",
        content:
          "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
          "connect-src ws: wss:; base-uri 'none'; form-action 'none'",
      },
    },
  ],
};

export default defineConfig({
  // Relative URLs work at the root of a bucket and at any path of a development server.
  base: "./",
  plugins: [react(), contentSecurityPolicy],
  resolve: {
    alias: { "@damso/client": fileURLToPath(new URL("../clients/typescript/src/index.ts", import.meta.url)) },
  },
  build: { target: "es2022", modulePreload: { polyfill: false } },
});

import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** What the built page may load and connect to. Not while developing: hot reloading needs inline scripts. */
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
  // Relative addresses: the same files lie at the root of a bucket and under any path of a development server.
  base: "./",
  plugins: [react(), contentSecurityPolicy],
  resolve: {
    alias: { "@damso/client": fileURLToPath(new URL("../clients/typescript/src/index.ts", import.meta.url)) },
  },
  build: { target: "es2022", modulePreload: { polyfill: false } },
});

/// <reference types="vitest/config" />
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { type Plugin, defineConfig } from "vite";

/** Puts `.br` and `.gz` beside what compresses, so that serving is no work. */
function compressed(): Plugin {
  let folder = "";
  return {
    name: "compressed",
    apply: "build",
    configResolved: (config) => {
      folder = resolve(config.root, config.build.outDir);
    },
    closeBundle: () => {
      const assets = join(folder, "assets");
      for (const name of readdirSync(assets)) {
        if (!/\.(js|css)$/.test(name)) continue;
        const bytes = readFileSync(join(assets, name));
        writeFileSync(join(assets, `${name}.br`), brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }));
        writeFileSync(join(assets, `${name}.gz`), gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), compressed()],
  base: "/",
  html: { cspNonce: "__NONCE__" }, // the server puts a fresh one in its place, every time it serves the page
  build: {
    outDir: "../static",
    emptyOutDir: true, // it lies outside of this folder, so that must be said
    target: "es2022",
    cssTarget: ["chrome123", "firefox121", "safari17.5"], // keeps light-dark() as it is written
    assetsInlineLimit: 0, // the policy of the page allows no data: but images
    sourcemap: false,
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        // What changes with a version of a library, and what changes with ours.
        codeSplitting: { groups: [{ name: "react", test: /node_modules\/(react|react-dom|scheduler)\// }, { name: "mantine", test: /node_modules\/@mantine\// }] },
      },
    },
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/v1", "/admin", "/login", "/logout", "/ready"].map((path) => [path, "http://127.0.0.1:4000"]),
    ),
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing.ts"],
    isolate: false, // a document for each file takes longer to make than all tests take
  },
});

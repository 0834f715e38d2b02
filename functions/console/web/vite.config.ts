import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const dist = fileURLToPath(new URL("../dist", import.meta.url));

/** zipped leaves the assets gzipped only: the hub sends them so, and the binary stays small. */
function zipped(): Plugin {
  return {
    name: "zipped",
    apply: "build",
    closeBundle() {
      for (const name of readdirSync(`${dist}/assets`)) {
        if (!/\.(js|css|svg)$/.test(name)) continue;
        const file = `${dist}/assets/${name}`;
        writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
        rmSync(file);
      }
    },
  };
}

// The hub sets <base href>, so relative addresses work below any mount prefix.
export default defineConfig({
  base: "./",
  plugins: [react(), tailwindcss(), zipped()],
  build: {
    outDir: dist,
    emptyOutDir: true,
    target: "es2023",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    assetsInlineLimit: 0,
    manifest: "manifest.json",
    license: { fileName: "assets/licences.txt" },
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": "http://127.0.0.1:3030", "/v1": "http://127.0.0.1:3030" } },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});

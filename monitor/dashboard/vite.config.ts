import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { sourceDigest } from "./digest.mjs";

/** Leaves beside the bundle what it was built from, so that a test can tell an old bundle without Node. */
const builtFrom: Plugin = {
  name: "built-from",
  generateBundle() {
    this.emitFile({ type: "asset", fileName: "built-from.txt", source: `${sourceDigest()}\n` });
  },
};

export default defineConfig({
  plugins: [react(), tailwindcss(), builtFrom],
  base: "/",
  build: {
    outDir: "../web/static",
    emptyOutDir: true,
    target: "es2022",
    cssCodeSplit: false,
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    rollupOptions: {
      output: {
        entryFileNames: "app.js",
        chunkFileNames: "[name].js",
        assetFileNames: (asset) => (asset.names.some((name) => name.endsWith(".css")) ? "app.css" : "[name][extname]"),
      },
    },
  },
  // `npm run dev` shows the page of a daemon that runs beside it.
  server: {
    proxy: Object.fromEntries(
      ["/api", "/healthz", "/readyz"].map((path) => [path, { target: "http://127.0.0.1:8788", changeOrigin: true }]),
    ),
  },
});

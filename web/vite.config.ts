import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

/** The licences of what the bundle contains, beside it, as those licences ask. */
function licences(packages: string[]): Plugin {
  return {
    name: "licences",
    generateBundle() {
      const texts = packages.map((name) => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf-8").trim()}\n`);
      this.emitFile({ type: "asset", fileName: "assets/licenses.txt", source: texts.join("\n----\n\n") });
    },
  };
}

export default defineConfig({
  plugins: [licences(["preact", "@preact/signals", "@preact/signals-core", "smol-toml"])],
  build: {
    outDir: "../src/selfieart/app/static",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    // The page's content security policy knows no inline code and no data: scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { include: ["test/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);

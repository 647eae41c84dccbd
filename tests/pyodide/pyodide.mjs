// Runs a Python program in Pyodide, the Python of the browser, with the network cut off:
//     node pyodide.mjs '{"pyodide": FOLDER, "wheels": [FILE, …], "drive": FOLDER, "program": FILE, "arguments": […]}'
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const task = JSON.parse(process.argv[2]);
const { loadPyodide } = await import(pathToFileURL(join(task.pyodide, "pyodide.mjs")));
const python = await loadPyodide({ indexURL: task.pyodide });
const extractDir = python.runPython("import sysconfig; sysconfig.get_path('purelib')");
for (const wheel of task.wheels) {
  python.unpackArchive(new Uint8Array(readFileSync(wheel)), "wheel", { extractDir });
}
globalThis.fetch = (address) => {
  console.error(`Something tried to leave this process: ${address}`);
  process.exit(3);
};
// Where JupyterLite mounts the notebooks.
python.mountNodeFS("/drive", task.drive);
python.pyimport("sys").argv = python.toPy([task.program, ...task.arguments]);
try {
  await python.runPythonAsync(readFileSync(task.program, "utf8"), { filename: task.program });
} catch (error) {
  // Without the line of Pyodide that Node shows of an uncaught error: it is a megabyte long.
  console.error(error.message);
  process.exit(1);
}

// Asks AsyncAPI's own parser whether clients/asyncapi.json is what it says it is. The parser is looked for in NODE_PATH.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { Parser } = createRequire(`${process.env.NODE_PATH}/`)("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync("clients/asyncapi.json", "utf8"));
for (const { severity, code, message, path } of diagnostics) {
  console.log(severity === 0 ? "error" : "warning", code, message, path.join("."));
}
if (!document || diagnostics.length > 0) process.exit(1);
console.log(`clients/asyncapi.json is a valid AsyncAPI ${document.version()} document, and nothing is to be said against it`);

// Validates clients/asyncapi.json with AsyncAPI's own parser, which has to be installed in NODE_PATH.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { Parser } = createRequire(`${process.env.NODE_PATH}/`)("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync("clients/asyncapi.json", "utf8"));
for (const { severity, code, message, path } of diagnostics) {
  console.log(severity === 0 ? "error" : "warning", code, message, path.join("."));
}
if (!document || diagnostics.length > 0) process.exit(1);
console.log(`clients/asyncapi.json is a valid AsyncAPI ${document.version()} document, without warnings`);

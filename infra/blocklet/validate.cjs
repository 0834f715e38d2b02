// Checks a staged folder as a Blocklet Server will: node validate.cjs <folder with node_modules/@blocklet/meta> <stage>
const { createRequire } = require("node:module");
const load = createRequire(`${process.argv[2]}/node_modules/@blocklet/meta/package.json`);
const stage = process.argv[3];
const { parse } = load("@blocklet/meta/lib/parse");
const meta = parse(stage, { ensureFiles: true, schemaOptions: { stripUnknown: false } });
load("@blocklet/meta/lib/entry").validateBlockletEntry(stage, meta);
process.stdout.write(`${meta.did} ${meta.version}\n`);

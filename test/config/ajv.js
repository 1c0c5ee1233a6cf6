// SPDX-License-Identifier: Apache-2.0
// What the JSON schema says of files named *.good.json, *.bad.json, *.semantic.json, example.*.json:
// good, semantic and examples must pass, bad must not. Prints TAP.
"use strict";
const fs = require("fs");
const path = require("path");
const Ajv = require("ajv/dist/2020");

const [schema, ...files] = process.argv.slice(2);
const validate = new Ajv({ strict: false, allErrors: true }).compile(JSON.parse(fs.readFileSync(schema)));

for (const file of files) {
	const name = path.basename(file);
	const wanted = !name.includes(".bad.");
	const got = validate(JSON.parse(fs.readFileSync(file)));
	console.log(`${got === wanted ? "ok" : "not ok"} - schema: ${name} ${wanted ? "passes" : "is refused"}`);
	if (got !== wanted && validate.errors)
		for (const e of validate.errors.slice(0, 3))
			console.log(`# ${e.instancePath}: ${e.message}`);
}

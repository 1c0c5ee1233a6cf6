// SPDX-License-Identifier: Apache-2.0
// What the tests of the page share: the server, the browser, and TAP.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const BUILD = resolve(process.argv[2] ?? "build");
export const SHOTS = join(BUILD, "web");
const require = createRequire(join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../../build/npm/test/package.json"));

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync"];

export const axeSource = () => require("axe-core").source;

/** Chromium of the system; CHROMIUM names another. */
export async function browser()
{
	mkdirSync(SHOTS, { recursive: true });
	return require("playwright-core").chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

const running = new Set();

/** build/test/web/server with a store of its own. Resolves to {port, base, stop()}, rejects with what it said. */
export function server(...args)
{
	const dir = mkdtempSync(join(tmpdir(), "fl-web-"));
	const child = spawn(join(BUILD, "test/web/server"), [join(dir, "store.db"), ...args], { stdio: ["pipe", "pipe", "pipe"] });
	let said = "";

	running.add(child);

	child.stderr.on("data", (data) => { said += data; });
	const ended = new Promise((done) => { child.on("close", (code) => { running.delete(child); rmSync(dir, { recursive: true, force: true }); done(code); }); });

	return new Promise((done, failed) => {
		child.stdout.once("data", (data) => done({
			port: Number(data), base: `http://127.0.0.1:${Number(data)}`, dir, said: () => said,
			stop: () => { child.stdin.end(); return ended; },
		}));
		ended.then((code) => failed(Object.assign(new Error(said), { code })));
	});
}

let bad = 0;

/** One line of TAP. */
export async function test(name, fn)
{
	try {
		await fn();
		console.log(`ok - ${name}`);
	} catch (error) {
		bad++;
		console.log(String(error.stack ?? error).replace(/^/gm, "# "));
		console.log(`not ok - ${name}`);
	}
}

/** Ends what a failed test left running. */
export function finish()
{
	running.forEach((child) => child.stdin.end());
	process.exitCode = bad ? 1 : 0;
}

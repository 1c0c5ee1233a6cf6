// SPDX-License-Identifier: Apache-2.0
// The page of fairlead-insightd itself, against the stub of Zoom over TLS: linked in the browser,
// synced, and a call is there with its cause; webhooks; a changed configuration.
//
// usage: node insightd.mjs BUILD
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browser, BUILD, finish, SHOTS, test } from "./harness.mjs";

const dir = mkdtempSync(join(tmpdir(), "fl-page-"));
const certs = join(BUILD, "zoom/certs");
const stubDir = new URL("../zoom/stub/", import.meta.url).pathname;
const SECRET = "example-secret-token";

async function until(what, condition)
{
	for (const end = Date.now() + 40000; Date.now() < end; await new Promise((done) => { setTimeout(done, 50); }))
		if (await condition())
			return;
	assert.fail(`in vain waited for ${what}`);
}

async function freePort()
{
	const server = net.createServer();

	await new Promise((done) => { server.listen(0, "127.0.0.1", done); });
	const { port } = server.address();

	await new Promise((done) => { server.close(done); });
	return port;
}

execFileSync(join(stubDir, "certs.sh"), [certs]);
const stub = spawn("python3", ["-B", join(stubDir, "stub.py"), "--port-file", join(dir, "port"), "--cert", join(certs, "stub.pem"), "--key", join(certs, "stub.key")], { stdio: "inherit" });

await until("the stub", () => existsSync(join(dir, "port")) && readFileSync(join(dir, "port"), "utf8"));
const zoom = `https://localhost:${readFileSync(join(dir, "port"), "utf8")}`;
const port = await freePort();
const base = `http://127.0.0.1:${port}`;

function tellStub(what, body)
{
	return new Promise((done, failed) => {
		const request = https.request(`${zoom}/_ctl/${what}`, { method: "POST", ca: readFileSync(join(certs, "stub-ca.pem")) }, (reply) => { reply.resume(); reply.on("end", done); });

		request.on("error", failed);
		request.end(JSON.stringify(body));
	});
}

const conf = {
	enabled: true, routers: "", organisation: "acme",
	web: { listen: `127.0.0.1:${port}` },
	sites: [{ name: "hq", "time-zone": "America/New_York", lans: ["10.20.0.0/16"], "public-addresses": ["198.51.100.17"] }],
	zoom: {
		"client-id": "EXAMPLECLIENTID", "client-secret": "example-client-secret", "redirect-uri": `${base}/zoom/callback`,
		"oauth-base": zoom, "api-base": zoom, "ca-file": join(certs, "stub-ca.pem"), "allow-private-addresses": true,
		"request-rate-percent": 10000, "first-days": 1, "start-delay-seconds": 0, live: false, "webhook-secret": SECRET,
	},
};

let log = "";
const write = () => writeFileSync(join(dir, "insight.json"), JSON.stringify(conf));

write();
const insightd = spawn(join(BUILD, "fairlead-insightd"), ["-c", join(dir, "insight.json"), "--state", join(dir, "state"), "--run", join(dir, "run")], { stdio: ["ignore", "ignore", "pipe"] });

insightd.stderr.on("data", (data) => { log += data; });
await until("the page", () => log.includes("the page is served on") || insightd.exitCode !== null);
assert.equal(insightd.exitCode, null, log);
await tellStub("set", { redirect_uri: conf.zoom["redirect-uri"] });

const chromium = await browser();
const context = await chromium.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } });
const page = await context.newPage();

page.setDefaultTimeout(60000);

async function post(path, body, headers = {})
{
	return new Promise((done, failed) => {
		const request = http.request(base + path, { method: "POST", headers }, (reply) => {
			let text = "";

			reply.on("data", (data) => { text += data; });
			reply.on("end", () => done({ status: reply.statusCode, text }));
		});

		request.on("error", failed);
		request.end(body);
	});
}

await test("G23 before anything is linked: the checklist says so", async () => {
	await page.goto(base);
	await page.locator(".check-problem", { hasText: "No Zoom account is linked" }).waitFor();
});

await test("A1 consent denied: said plainly, nothing linked", async () => {
	await page.goto(`${base}/zoom/callback?error=access_denied&state=wrong`);
	await page.locator(".notice.bad").waitFor();
	assert.equal(await page.locator("td.empty", { hasText: "No account is linked yet." }).count(), 1);
});

await test("A1 link in the browser: to Zoom, consent, and back", async () => {
	await page.goto(`${base}/#/accounts`);
	await page.getByLabel("Your name").fill("Dana Okafor");
	await page.getByLabel("Collect call quality of this organisation").check();
	await page.getByRole("button", { name: "Link account" }).click();
	await page.locator(".notice.good, .notice.bad").waitFor();
	assert.match(await page.locator(".notice.good, .notice.bad").textContent(), /Linked/);
	await page.locator("tbody th a", { hasText: "Example Corp" }).waitFor();
	await page.screenshot({ path: join(SHOTS, "insightd-linked.png"), fullPage: true });
});

await test("A3 after a sync the account's page says success", async () => {
	await page.locator("tbody th a", { hasText: "Example Corp" }).click();
	await page.getByRole("button", { name: "Sync now" }).click();
	await page.locator(".notice.good").waitFor();
	await until("a sync", async () => {
		const { accounts: [account] } = await (await fetch(`${base}/api/accounts`)).json();

		return account.last_sync && !account.open_meetings && !account.catching_up;
	});
	await page.reload();
	await page.locator(".seven .status.good").waitFor();
	assert.deepEqual((await page.locator(".seven dd").allTextContents()).slice(2, 5), ["7000012345", "dana.okafor@example.com", "Example Corp"]);
});

await test("C8, D15 the calls of the managed network, and nobody else's", async () => {
	const { sites: [site] } = await (await fetch(`${base}/api/sites`)).json();

	await page.goto(`${base}/#/calls/${site.id}?range=7d`);
	await page.locator(".pages span", { hasText: "1–3 of 3" }).waitFor();
	const clients = await page.locator("table.calls tbody tr td:nth-child(7)").allTextContents();

	assert.deepEqual([...new Set(clients)].sort(), ["HQ-WS-0431", "MATEO-MBP"]);
	await page.locator("nav a", { hasText: "Overview" }).click();
	await page.locator("section.chart canvas").first().waitFor();
	await page.screenshot({ path: join(SHOTS, "insightd-site.png"), fullPage: true });
});

await test("webhooks: a signature of Zoom's is all that opens their path", async () => {
	const body = JSON.stringify({ event: "endpoint.url_validation", event_ts: Date.now(), payload: { plainToken: "qgg8vlvZRS6UYooatFL8Aw" } });
	const timestamp = String(Math.floor(Date.now() / 1000));
	const mac = (text) => createHmac("sha256", SECRET).update(text).digest("hex");
	const headers = { "x-zm-request-timestamp": timestamp, "x-zm-signature": `v0=${mac(`v0:${timestamp}:${body}`)}`, "content-type": "application/json", host: "portal.example.net" };
	const good = await post("/zoom/webhook", body, headers);

	assert.equal(good.status, 200);
	assert.equal(JSON.parse(good.text).encryptedToken, mac("qgg8vlvZRS6UYooatFL8Aw"));
	assert.equal((await post("/zoom/webhook", body, { ...headers, "x-zm-signature": `v0=${mac("other")}` })).status, 401);
	assert.equal((await post("/zoom/webhook", body)).status, 401);
	assert.equal((await fetch(`${base}/zoom/webhook`)).status, 405);
});

await test("a changed configuration is applied: now a token is asked for", async () => {
	conf.web.token = "a-token-of-this-test-0123";
	write();
	insightd.kill("SIGHUP");
	await until("the change", () => log.includes("configuration applied"));
	await page.goto(`${base}/?again`);
	await page.getByLabel("Token").fill(conf.web.token);
	await page.getByRole("button", { name: "Sign in" }).click();
	await page.locator("section.chart, .checklist").first().waitFor();
	assert.equal((await fetch(`${base}/api/sites`)).status, 401);
});

await test("A4 unlinked: the account is gone", async () => {
	page.on("dialog", (dialog) => dialog.accept());
	await page.goto(`${base}/#/accounts/7000012345`);
	await page.getByRole("button", { name: "Unlink account" }).click();
	await page.locator("td.empty", { hasText: "No account is linked yet." }).waitFor();
});

await test("no secret is in the log, and it ends well", async () => {
	await chromium.close();
	insightd.kill("SIGTERM");
	await until("its end", () => insightd.exitCode !== null);
	assert.equal(insightd.exitCode, 0, log);
	for (const secret of [SECRET, "example-client-secret", "a-token-of-this-test-0123", "dana.okafor@example.com"])
		assert.ok(!log.includes(secret), secret);
});

if (insightd.exitCode === null)
	insightd.kill("SIGKILL");
stub.kill("SIGKILL");
rmSync(dir, { recursive: true, force: true });
finish();

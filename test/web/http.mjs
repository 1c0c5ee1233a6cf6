// SPDX-License-Identifier: Apache-2.0
// The server without a browser: whom it lets in, where it listens, what it refuses.
//
// usage: node http.mjs BUILD
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finish, server, test } from "./harness.mjs";

const TOKEN = "a-token-of-this-test-0123";
const dir = mkdtempSync(join(tmpdir(), "fl-http-"));

/* fetch() would not let us choose Host or Cookie. */
function ask(where, path, { method = "GET", headers = {}, body, tls } = {})
{
	return new Promise((done, failed) => {
		const request = (tls ? https : http).request({ ...where, path, method, headers, ...tls, agent: false }, (response) => {
			let text = "";

			response.setEncoding("utf8");
			response.on("data", (data) => { text += data; });
			response.on("end", () => done({ status: response.statusCode, headers: response.headers, text, json: () => JSON.parse(text) }));
		});

		request.on("error", failed);
		request.end(body);
	});
}

/* A browser's session: its cookie and its token against forged requests. */
async function session(where, options = {})
{
	const reply = await ask(where, "/api/session", options);

	return { cookie: reply.headers["set-cookie"][0].split(";")[0], whole: reply.headers["set-cookie"][0], ...reply.json() };
}

const as = ({ cookie, csrf }) => ({ cookie, "x-csrf-token": csrf, "content-type": "application/json" });

function certificate()
{
	execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
		"-addext", "subjectAltName=DNS:localhost", "-keyout", join(dir, "key.pem"), "-out", join(dir, "cert.pem")], { stdio: "ignore" });
	return { cert: join(dir, "cert.pem"), key: join(dir, "key.pem") };
}

/* --- on loopback, without a token ------------------------------------------------------------- */

const plain = await server("--empty");
const at = { host: "127.0.0.1", port: plain.port };

await test("a strict policy and no sniffing, on every answer", async () => {
	for (const path of ["/", "/app.css", "/api/sites", "/nothing"]) {
		const { headers } = await ask(at, path);
		const policy = headers["content-security-policy"];

		assert.match(policy, /default-src 'none'/);
		assert.match(policy, /frame-ancestors 'none'/);
		assert.doesNotMatch(policy, /unsafe|https?:|\*/);
		assert.equal(headers["x-content-type-options"], "nosniff");
		assert.equal(headers["referrer-policy"], "no-referrer");
	}
});

await test("figures are never kept by the browser, files are asked for again", async () => {
	assert.equal((await ask(at, "/api/sites")).headers["cache-control"], "no-store");
	const file = await ask(at, "/main.js");

	assert.equal(file.headers["content-type"], "text/javascript; charset=utf-8");
	assert.equal((await ask(at, "/main.js", { headers: { "if-none-match": file.headers.etag } })).status, 304);
	assert.equal((await ask(at, "/main.js", { headers: { "if-none-match": '"other"' } })).text, file.text);
});

await test("a name that somebody pointed here is refused", async () => {
	for (const host of ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example"])
		assert.equal((await ask(at, "/api/sites", { headers: { host } })).status, 421, host);
	for (const host of ["localhost", `localhost:${at.port}`, `127.0.0.1:${at.port}`])
		assert.equal((await ask(at, "/api/sites", { headers: { host } })).status, 200, host);
});

await test("what changes something needs the session and its token", async () => {
	const mine = await session(at), other = await session(at);
	const post = (headers) => ask(at, "/api/zoom/sync", { method: "POST", headers, body: "{}" });

	assert.match(mine.whole, /HttpOnly; SameSite=Lax/);
	assert.equal((await post({})).status, 403);
	assert.equal((await post({ cookie: mine.cookie })).status, 403);
	assert.equal((await post({ "x-csrf-token": mine.csrf })).status, 403);
	assert.equal((await post({ cookie: mine.cookie, "x-csrf-token": other.csrf })).status, 403);
	assert.equal((await post({ ...as(mine), "sec-fetch-site": "cross-site" })).status, 403);
	assert.equal((await post({ ...as(mine), "sec-fetch-site": "same-origin" })).status, 200);
});

await test("a page of another site cannot link: the way back needs this browser's session", async () => {
	const mine = await session(at), other = await session(at);
	const linked = (who, state) => ask(at, `/zoom/callback?code=c&state=${state}`, { headers: { cookie: who.cookie } });
	const result = async (who) => (await ask(at, "/api/zoom/link-result", { method: "POST", headers: as(who), body: JSON.stringify({ id: 1 }) })).json();
	const settled = async (who) => { const first = await result(who); return first.data.state === "pending" ? result(who) : first; };
	const state = mine.cookie.split("=")[1];

	assert.equal((await linked(other, state)).status, 303);
	assert.equal((await settled(other)).ok, false);
	assert.equal((await linked(mine, state)).headers.location, "/#/accounts/linking?id=1");
	assert.equal((await settled(mine)).data.words, "Example Corp is linked.");
});

await test("what is not understood, not there or too long", async () => {
	const mine = await session(at);
	const post = (path, body) => ask(at, path, { method: "POST", headers: as(mine), body });

	for (const [path, status] of [["/api/series", 400], ["/api/series?site=nowhere&from=1&to=2", 404], ["/api/calls?from=5&to=1", 400],
		["/api/calls?from=1&to=99999999999", 400], ["/api/call?call=x", 400], ["/api/call?call=99", 404], ["/api/calls?from=1&to=2&limit=101", 400],
		["/api/ranking?call=1&stream=smell", 400], ["/api/", 404], ["/../etc/passwd", 404], ["/%2e%2e/etc/passwd", 404]])
		assert.equal((await ask(at, path)).status, status, path);
	assert.equal((await ask(at, "/", { method: "DELETE" })).status, 405);
	assert.equal((await post("/api/sites", "{}")).status, 405);
	assert.equal((await post("/api/zoom/sync", "{")).status, 400);
	assert.equal((await post("/api/zoom/sync", "[]")).status, 400);
	assert.equal((await post("/api/zoom/drop", "{}")).status, 404);
	assert.equal((await post("/api/zoom/link", JSON.stringify({ consent: "" }))).status, 422);
	assert.equal((await post("/api/zoom/sync", "x".repeat(70000))).status, 413);
	await assert.rejects(post("/api/zoom/sync", "x".repeat(8 << 20)), "eight megabytes are not even read");
	assert.equal((await ask(at, "/api/sites")).status, 200);
});

await test("requests in bits, half requests and noise do it no harm", async () => {
	const socket = () => new Promise((done) => { const s = net.connect(at.port, at.host, () => done(s)); s.on("error", () => {}); });
	const half = await Promise.all(Array.from({ length: 60 }, socket));

	half.forEach((s, i) => s.write(i % 2 ? "GET / HTTP/1.1\r\nHost: local" : "\0\xff\r\n\r\n"));
	const slow = await socket();
	let got = "";

	const closed = new Promise((done) => { slow.on("close", done); });

	slow.on("data", (data) => { got += data; });
	for (const part of ["GET /api/si", "tes HTTP/1.1\r\nHo", "st: localhost\r\nConnection: close\r\n\r\n"]) {
		slow.write(part);
		await new Promise((done) => { setTimeout(done, 30); });
	}
	await closed;
	assert.match(got, /^HTTP\/1.1 200/);
	half.forEach((s) => s.destroy());
	assert.equal((await ask(at, "/api/sites")).status, 200);
});

assert.equal(await plain.stop(), 0);

/* --- token ---------------------------------------------------------------------------------------- */

const guarded = await server("--empty", "--token", TOKEN);
const there = { host: "127.0.0.1", port: guarded.port };

await test("with a token, nothing is shown without it", async () => {
	const mine = await session(there);

	assert.equal(mine.authorised, false);
	assert.equal((await ask(there, "/")).status, 200);
	assert.equal((await ask(there, "/api/sites", { headers: { cookie: mine.cookie } })).status, 401);
	assert.equal((await ask(there, "/api/zoom/sync", { method: "POST", headers: as(mine), body: "{}" })).status, 401);
	assert.equal((await ask(there, "/api/sites", { headers: { authorization: `Bearer ${TOKEN}` } })).status, 200);
	assert.equal((await ask(there, "/api/login", { method: "POST", headers: as(mine), body: JSON.stringify({ token: TOKEN.slice(1) }) })).status, 401);
	assert.equal((await ask(there, "/api/login", { method: "POST", headers: as(mine), body: JSON.stringify({ token: TOKEN }) })).status, 200);
	assert.equal((await ask(there, "/api/sites", { headers: { cookie: mine.cookie } })).status, 200);
	assert.equal((await ask(there, "/api/sites", { headers: { cookie: (await session(there)).cookie } })).status, 401);
});

await test("guessing ends after ten wrong tokens; who is in stays in", async () => {
	const mine = await session(there), guess = await session(there);
	const login = (who, token) => ask(there, "/api/login", { method: "POST", headers: as(who), body: JSON.stringify({ token }) });

	assert.equal((await login(mine, TOKEN)).status, 200);
	for (let i = 0; i < 12; i++)
		await login(guess, `wrong ${i}`);
	assert.equal((await login(guess, TOKEN)).status, 429);
	assert.equal((await ask(there, "/api/sites", { headers: { cookie: mine.cookie } })).status, 200);
});

await test("a thousand strangers do not push out who is in", async () => {
	const fresh = await server("--empty", "--token", TOKEN);
	const where = { host: "127.0.0.1", port: fresh.port };
	const mine = await session(where);

	await ask(where, "/api/login", { method: "POST", headers: as(mine), body: JSON.stringify({ token: TOKEN }) });
	for (let i = 0; i < 20; i++)
		await Promise.all(Array.from({ length: 50 }, () => session(where)));
	assert.equal((await ask(where, "/api/sites", { headers: { cookie: mine.cookie } })).status, 200);
	await fresh.stop();
});

await guarded.stop();

/* --- where it listens ------------------------------------------------------------------------------- */

const tls = certificate();

await test("off this host only with TLS and a token", async () => {
	const refused = (...args) => server("--empty", ...args).then((s) => s.stop().then(() => assert.fail("it listens")), (error) => error);

	for (const args of [[], ["--token", TOKEN], ["--cert", tls.cert, "--key", tls.key]]) {
		const error = await refused("--listen", "0.0.0.0:0", ...args);

		assert.equal(error.code, 3);
		assert.match(error.message, /needs TLS \(certificate and key\) and a token/);
	}
	assert.match((await refused("--token", "short")).message, /shorter than 16/);
	assert.match((await refused("--cert", tls.cert)).message, /go together/);
	assert.match((await refused("--listen", "nowhere")).message, /expected unix:/);
	assert.match((await refused("--listen", "127.0.0.1:99999")).message, /expected unix:/);
	assert.match((await refused("--cert", tls.key, "--key", tls.cert)).message, /PEM/);
});

await test("over TLS, with a cookie that stays there", async () => {
	const safe = await server("--empty", "--listen", "0.0.0.0:0", "--token", TOKEN, "--cert", tls.cert, "--key", tls.key);
	const options = { tls: { ca: readFileSync(tls.cert), servername: "localhost" } };
	const where = { host: "127.0.0.1", port: safe.port };
	const mine = await session(where, options);

	assert.match(mine.whole, /; Secure/);
	assert.match((await ask(where, "/", options)).headers["strict-transport-security"], /max-age/);
	assert.equal((await ask(where, "/api/sites", { ...options, headers: { authorization: `Bearer ${TOKEN}` } })).status, 200);
	await assert.rejects(ask(where, "/", { tls: { ...options.tls, maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" } }));
	await safe.stop();
});

await test("on a Unix socket, which a dead server's successor takes over", async () => {
	const path = join(dir, "page.sock");
	const first = await server("--empty", "--listen", `unix:${path}`);

	assert.equal(statSync(path).mode & 0o777, 0o660);
	assert.equal((await ask({ socketPath: path }, "/api/sites")).status, 200);
	await assert.rejects(server("--empty", "--listen", `unix:${path}`), /in use/);
	await first.stop();
	execFileSync("python3", ["-c", "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", path]);
	const second = await server("--empty", "--listen", `unix:${path}`);

	assert.equal((await ask({ socketPath: path }, "/api/sites")).status, 200);
	await second.stop();
	assert.throws(() => statSync(path));
});

rmSync(dir, { recursive: true });
finish();

// SPDX-License-Identifier: Apache-2.0
// The page, clicked through in Chromium against the server over a week of generated calls. Keeps
// screenshots in BUILD/web/ for a person to look at. What is shown is held against the API's figures.
//
// usage: node page.mjs BUILD
import assert from "node:assert/strict";
import { join } from "node:path";
import { axeSource, browser, finish, server, SHOTS, test } from "./harness.mjs";

const site = await server();
const chromium = await browser();
const problems = [];

/* A page that reports whatever goes wrong in it, and whatever it asks of other hosts. */
async function open(options = {}, base = site.base)
{
	const context = await chromium.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "light", ...options });
	const page = await context.newPage();

	page.setDefaultTimeout(30000);
	page.on("pageerror", (error) => problems.push(`error: ${error.stack}`));
	page.on("console", (message) => { if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) problems.push(`console: ${message.text()}`); });
	page.on("request", (request) => { if (!request.url().startsWith(base)) problems.push(`request: ${request.url()}`); });
	page.on("dialog", (dialog) => dialog.accept());
	page.base = base;
	return page;
}

async function settled(page)
{
	await page.waitForFunction(() => document.querySelector("main").getAttribute("aria-busy") === "false");
}

let loads = 0;

async function go(page, hash)
{
	/* The number makes it another document: only a change of the fragment would load nothing. */
	await page.goto(`${page.base}/?${++loads}${hash}`);
	await settled(page);
}

/* Click, and wait until the page that it leads to stands. */
async function follow(page, selector, heading)
{
	await page.locator(selector).first().click();
	await page.locator("h1", { hasText: heading }).waitFor();
	await settled(page);
}

async function shot(page, name)
{
	await page.evaluate(() => scrollTo(0, 0));
	await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
}

const now = Math.ceil(Date.now() / 60000) * 60;
const day = { from: now - 86400, to: now }, week = { from: now - 7 * 86400, to: now };

async function api(name, params)
{
	const reply = await fetch(`${site.base}/api/${name}?${new URLSearchParams(params)}`);

	assert.equal(reply.status, 200, name);
	return reply.json();
}

const { sites } = await api("sites");
const hq = sites.find(({ name }) => name === "hq"), branch = sites.find(({ name }) => name === "branch1"), lab = sites.find(({ name }) => name === "lab");
const number = (text) => Number(text.replaceAll(",", "").replace("−", "-"));
const texts = (page, selector) => page.locator(selector).allTextContents();
const chart = (page, title) => page.locator("section.chart", { has: page.locator("h2", { hasText: title }) });
const fixed = ({ from, to }) => `from=${from}&to=${to}`;

const page = await open();

/* --- one site --------------------------------------------------------------------------------- */

await test("C9 latency, loss and jitter: six series each, and wan-avg-latency", async () => {
	await go(page, `#/site/${hq.id}?${fixed(week)}`);
	for (const title of ["Latency", "Packet loss", "Jitter"]) {
		const names = await texts(page, `section.chart:has(h2:text("${title}")) .chip`);

		assert.deepEqual(names.slice(0, 6).map((text) => text.replace(/[\d.–]+$/, "")), ["Audio in", "Audio out", "Video in", "Video out", "Screen in", "Screen out"]);
		assert.match(names[6], /^wan-avg-latency/);
	}
	await page.locator("section.chart canvas").nth(3).waitFor();
	await shot(page, "site-light");
});

await test("C9 the legend switches series, one can be held against wan-avg-latency", async () => {
	const latency = chart(page, "Latency");
	const chip = latency.locator("[data-series=audio_out]");
	const drawn = () => latency.locator(".plot canvas").evaluate((canvas) => canvas.toDataURL().length + canvas.toDataURL());
	const before = await drawn();

	await chip.click();
	assert.equal(await chip.getAttribute("aria-pressed"), "false");
	assert.notEqual(await drawn(), before);
	await chip.click();
	assert.equal(await drawn(), before);
	await latency.locator("select").selectOption("video_in");
	assert.deepEqual(await latency.locator(".chip[aria-pressed=true]").evaluateAll((chips) => chips.map((c) => c.dataset.series)), ["video_in", "wan-avg-latency"]);
	await chart(page, "Packet loss").locator("select").selectOption("audio_in");
	await shot(page, "site-solo");
});

await test("C9 the table behind a chart has the figures of the API", async () => {
	const series = await api("series", { site: hq.id, ...week });
	const latency = chart(page, "Latency");

	await latency.locator("select").selectOption("");
	await latency.getByRole("button", { name: "Table" }).click();
	const rows = await latency.locator(".behind tbody tr").evaluateAll((all) => all.map((tr) => [...tr.cells].map((cell) => cell.textContent)));
	const keys = ["audio_in", "audio_out", "video_in", "video_out", "screen_in", "screen_out"].map((name) => `latency.${name}`).concat("wan-avg-latency");
	const wanted = series.series.cpu.map((_, i) => keys.map((key) => series.series[key][i])).filter((values) => values.some((v) => v !== null));

	assert.ok(rows.length > 40);
	assert.equal(rows.length, wanted.length);
	rows.forEach((cells, i) => cells.slice(1).forEach((text, k) => {
		const value = wanted[i][k];

		assert.equal(text, value === null ? "–" : value.toFixed(value >= 100 ? 0 : 1));
	}));
});

await test("C9 arrow keys walk along a chart and say its values", async () => {
	const plot = chart(page, "Jitter").locator(".plot");

	await plot.focus();
	await page.keyboard.press("Home");
	await page.keyboard.press("ArrowRight");
	assert.match(await page.locator("#live").textContent(), /^\d\d \w{3}, \d\d:\d\d: /);
	assert.match(await plot.getAttribute("aria-label"), /^Jitter\. Means: Audio in [\d.]+ ms/);
});

await test("C12 ten minutes under 24 hours, one hour from there on", async () => {
	for (const [range, text] of [["6h", "10 minutes"], ["1d", "1 hour"], ["30d", "1 hour"]]) {
		await page.locator("#range").selectOption(range);
		await page.waitForFunction((key) => location.hash.includes(`range=${key}`), range);
		await settled(page);
		assert.equal(await page.locator(".head .faint").first().textContent(), `averages of ${text}`);
	}
});

await test("times of one's own, in the site's zone", async () => {
	await page.locator("#range").selectOption("");
	await page.locator("#range-from").fill(new Date((day.from - 86400) * 1000).toLocaleString("sv", { timeZone: hq.time_zone }).slice(0, 16).replace(" ", "T"));
	await page.getByRole("button", { name: "Apply" }).click();
	await page.waitForFunction(() => /from=\d+&to=\d+/.test(location.hash));
	await settled(page);
	assert.equal(Number(/from=(\d+)/.exec(page.url())[1]), day.from - 86400);
});

await test("a stretch of a chart that is drawn over becomes the time", async () => {
	await go(page, `#/site/${hq.id}?${fixed(week)}`);
	const over = chart(page, "Latency").locator(".u-over");
	const { x, y, width } = await over.boundingBox();

	await page.mouse.move(x + width * 0.5, y + 40);
	await page.mouse.down();
	await page.mouse.move(x + width * 0.7, y + 60, { steps: 4 });
	await page.mouse.up();
	await page.waitForFunction((from) => Number(/from=(\d+)/.exec(location.hash)[1]) > from, week.from);
	await settled(page);
	const [, from, to] = /from=(\d+)&to=(\d+)/.exec(page.url()).map(Number);

	assert.ok(Math.abs(to - from - 0.2 * 7 * 86400) < 3 * 3600, `${to - from} s`);
});

await test("C11 the histogram counts people; sums and causes are those of the API", async () => {
	const summary = await api("summary", { site: hq.id, ...week });

	await go(page, `#/site/${hq.id}?${fixed(week)}`);
	assert.deepEqual((await texts(page, ".histogram td.n")).map(number), [summary.feedback.poor, summary.feedback.average, summary.feedback.good]);
	assert.ok(summary.feedback.poor && summary.feedback.good);
	assert.equal(number((await texts(page, ".tile dd"))[1]), summary.total_minutes);
	const causes = Object.fromEntries((await texts(page, ".causes li")).map((text) => text.split(/ (?=[\d,]+$)/)));

	assert.equal(number(causes.WAN), summary.bad_minutes_site_wan);
	assert.equal(number(causes.Client), summary.bad_minutes_client);
	assert.equal(number(causes.Wireless), summary.bad_minutes_wireless);
});

await test("C10 a point of the CPU graph shows its clients, which lead on", async () => {
	const cpu = chart(page, "Client CPU");
	const plot = cpu.locator(".plot");

	await plot.focus();
	await page.keyboard.press("End");
	for (let i = 0; i < 40 && /no values/.test(await page.locator("#live").textContent()); i++)
		await page.keyboard.press("ArrowLeft");
	await page.keyboard.press("Enter");
	await cpu.locator(".drill tbody tr").first().waitFor();
	const cells = await texts(page, ".drill tbody tr:first-child > *");

	assert.match(cells[1], /^0a:1b:2c:3d:40:[0-9a-f]{2}$/);
	assert.ok(number(cells[2]) > 10);
	await follow(page, ".drill tbody a", cells[0]);
});

/* --- clients ------------------------------------------------------------------------------------- */

await test("C13 clients: MAC, host name, IP, lowest rating, user; searched; a MAC leads on", async () => {
	const view = await api("clients", { site: hq.id, ...week });

	await go(page, `#/site/${hq.id}?${fixed(week)}`);
	await follow(page, "a.button", "Clients of hq");
	await shot(page, "clients");
	assert.deepEqual((await texts(page, "thead th")).slice(0, 5), ["MAC", "Host name", "IP", "Min. rating", "User"]);
	const rows = await page.locator("tbody tr").evaluateAll((all) => all.map((tr) => [...tr.cells].map((cell) => cell.textContent)));

	assert.equal(rows.length, view.total);
	rows.forEach((cells, i) => {
		const c = view.results[i];

		assert.deepEqual(cells.slice(1, 5), [c.hostname, c.ip, c.min_rating === null ? "--" : String(c.min_rating), c.user]);
		assert.equal(cells[0].replaceAll(":", ""), c.mac);
	});
	assert.ok(rows.some((cells) => cells[3] === "1") && rows.some((cells) => cells[3] === "--"));
	await page.getByLabel("Search clients").fill(view.results[0].hostname.toLowerCase());
	assert.equal(await page.locator("tbody tr").count(), 1);
	await follow(page, "tbody tr th a", view.results[0].hostname);
});

await test("D14 latency, loss, jitter, CPU and signal of a client, under one cursor", async () => {
	const { results } = await api("calls", { site: hq.id, ...week, limit: 100 });
	const wifi = results.find(({ network, bad_minutes: bad }) => network === "wifi" && bad);
	const view = await api("client", { client: wifi.client, from: wifi.join_time, to: wifi.leave_time });

	await go(page, `#/client/${wifi.client}?from=${wifi.join_time}&to=${wifi.leave_time}`);
	assert.deepEqual((await texts(page, "section.chart h2")).map((text) => text.split(" ")[0]), ["Latency", "Packet", "Jitter", "CPU", "Wi-Fi"]);
	const plot = chart(page, "Wi-Fi signal").locator(".plot");

	await plot.focus();
	await page.keyboard.press("Home");
	assert.equal(await chart(page, "Wi-Fi signal").locator(".chip b").textContent(), view.series.rssi[0].toFixed(1));
	assert.equal(await chart(page, "CPU").locator(".chip b").textContent(), view.series.cpu[0].toFixed(1));
	assert.equal(await chart(page, "Latency").locator("[data-series=video_in] b").textContent(), view.series["latency.video_in"][0].toFixed(view.series["latency.video_in"][0] >= 100 ? 0 : 1));
	await shot(page, "client");
});

/* --- calls ------------------------------------------------------------------------------------------ */

await test("D15 calls: classes with their range, newest first, in pages", async () => {
	const first = await api("calls", { site: hq.id, ...week, limit: 10 });

	await go(page, `#/calls/${hq.id}?${fixed(week)}`);
	assert.equal(await page.locator(".pages span").textContent(), `1–10 of ${first.total}`);
	const meetings = await texts(page, "tbody tr > td:nth-child(3)");

	assert.deepEqual(meetings, first.results.map((c) => c.meeting_id));
	const grades = await page.locator("tbody .grade").evaluateAll((all) => [...new Set(all.map((g) => g.title))]);

	assert.ok(grades.includes("Good (MOS 4-5)"));
	assert.ok(grades.includes("Not Applicable"));
	await page.getByRole("button", { name: "Older" }).click();
	await page.locator(".pages span", { hasText: `11–20 of ${first.total}` }).waitFor();
	assert.notDeepEqual(await texts(page, "tbody tr > td:nth-child(3)"), meetings);
	await shot(page, "calls");
});

await test("D15 calls are searched, and bad ones stand alone", async () => {
	const bad = await api("calls", { site: hq.id, ...week, limit: 10, bad: 1 });
	const one = bad.results[0];

	await page.getByLabel("Bad only").check();
	await page.locator(".pages span", { hasText: `of ${bad.total}` }).waitFor();
	await page.getByLabel("Search calls").fill(one.user);
	await page.waitForFunction((user) => [...document.querySelectorAll("tbody tr > td:nth-child(8)")].every((td) => td.textContent === user), one.user);
	await page.getByLabel("Search calls").fill("nobody of that name");
	await page.locator("td.empty").waitFor();
});

let ranked = null; /* a call whose WAN was to blame */

await test("D15, F20 a caret where a ranking exists unfolds it; WAN first, with its capacity", async () => {
	const { results } = await api("calls", { site: hq.id, ...week, limit: 100 });

	for (const call of results.filter((c) => c.has_feature_ranking)) {
		const view = await api("ranking", { call: call.call });

		if (view.results.every(({ dominant }) => dominant === "wan")) {
			ranked = { call, view };
			break;
		}
	}
	assert.ok(ranked);
	await go(page, `#/calls/${hq.id}?from=${ranked.call.join_time - 60}&to=${ranked.call.leave_time + 60}`);
	assert.equal(await page.locator("button.caret").count(), (await api("calls", { site: hq.id, from: ranked.call.join_time - 60, to: ranked.call.leave_time + 60 })).results.filter((c) => c.has_feature_ranking).length);
	const row = page.locator("tbody tr", { hasText: ranked.call.hostname }).first();

	await row.locator(".caret").click();
	await page.locator("tr.unfolded .contributions").waitFor();
	assert.equal(await row.locator(".caret").getAttribute("aria-expanded"), "true");
	assert.equal(await page.locator("tr.unfolded .pick select").first().locator("option").count(), ranked.view.results.length);
	await page.locator("tr.unfolded .fold[data-category=wan]").click();
	assert.match((await texts(page, "tr.unfolded .b-feature th")).join("\n"), /Download capacity[\d.]+ % used of \d+ Mbps/);
	await shot(page, "calls-unfolded");
	await row.locator(".caret").click();
	assert.equal(await page.locator("tr.unfolded").count(), 0);
});

/* The figures of the bars that are shown, by their kind. */
async function bars(from)
{
	return from.locator(".contributions tr").evaluateAll((rows) => rows.map((tr) => [tr.className.split(" ")[0].slice(2), Number(tr.cells[1].textContent.replace("−", "-"))]));
}

await test("F20, F22 pick a minute and a stream; site average, three categories and the rest are what was observed", async () => {
	const { call, view } = ranked;

	await go(page, `#/call/${call.call}`);
	await shot(page, "call");
	const panel = page.locator(".ranking");
	const select = panel.locator("select").first();

	assert.deepEqual((await texts(page, ".ranking select >> nth=1 >> option")), ["Worst stream", "Audio in", "Audio out", "Video in", "Video out"]);
	for (const result of view.results.slice(0, 5)) {
		await select.selectOption(String(result.timestamp));
		const shown = await bars(panel);
		const sum = shown.filter(([kind]) => kind !== "sum").reduce((total, [, ms]) => total + ms, 0);

		assert.deepEqual(shown.map(([kind]) => kind), ["site", "category", "category", "category", "rest", "sum"]);
		assert.ok(Math.abs(sum - result.observed) <= 0.8, `${sum} is not ${result.observed}: rounded to tenths, to ones from 100 on`);
	}
	const others = await api("ranking", { call: call.call, stream: "audio_in" });

	await panel.locator("select").nth(1).selectOption("audio_in");
	await panel.locator(".verdict", { hasText: "Audio in" }).waitFor();
	assert.equal(await select.locator("option").count(), others.results.length);
});

await test("F20 categories unfold to eleven features, one by one or all", async () => {
	const panel = page.locator(".ranking");

	await panel.locator(".fold[data-category=client]").click();
	assert.equal(await panel.locator(".b-feature").count(), 3);
	await panel.getByRole("button", { name: "Show all" }).click();
	assert.equal(await panel.locator(".b-feature").count(), 11);
	await shot(page, "call-all");
	const shown = await bars(panel);
	const features = shown.filter(([kind]) => kind === "feature").reduce((sum, [, ms]) => sum + ms, 0);
	const categories = shown.filter(([kind]) => kind === "category").reduce((sum, [, ms]) => sum + ms, 0);

	assert.ok(Math.abs(features - categories) < 1);
	await panel.getByRole("button", { name: "Show less" }).click();
	assert.equal(await panel.locator(".b-feature").count(), 0);
});

await test("F20 minutes are picked with the keyboard", async () => {
	const { call, view } = ranked;
	const strip = page.getByRole("toolbar");
	const minutes = (await api("call", { call: call.call })).minutes;
	const bad = minutes.findIndex((m) => m.timestamp === view.results[1].timestamp);

	assert.equal(await strip.locator("button").count(), minutes.length);
	assert.equal(await strip.locator("button[tabindex='0']").count(), 1);
	await strip.locator("button[tabindex='0']").focus();
	for (let i = 0; i < bad; i++)
		await page.keyboard.press("ArrowRight");
	assert.equal(await page.locator(".ranking select").first().inputValue(), String(view.results[1].timestamp));
	assert.match(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), /: bad \(.*\), WAN$/);
});

await test("F21 a full tunnel is the client's, and not the WAN's", async () => {
	const { results } = await api("calls", { site: hq.id, ...week, limit: 100 });
	const call = results.find((c) => c.vpn && c.bad_minutes > 5 && c.connection === "proxy");

	await go(page, `#/call/${call.call}`);
	assert.match(await page.locator(".verdict").textContent(), /Client \+\d+ ms, most of it (VPN|connection); it was not the WAN/);
	assert.ok(await page.locator(".b-category.dominant th", { hasText: "Client" }).count());
	await shot(page, "call-vpn");
});

/* --- events ----------------------------------------------------------------------------------------- */

await test("D16 joins and leaves between the router's own events, in order, with totals that filter", async () => {
	const view = await api("events", { site: hq.id, ...week });

	await go(page, `#/site/${hq.id}?${fixed(week)}`);
	const panel = page.locator("section", { has: page.locator("h2", { hasText: "Events" }) });

	assert.deepEqual((await texts(page, ".legend .chip.s-good b, .legend .chip.s-neutral b, .legend .chip.s-bad b")).map(number), [view.totals.good, view.totals.neutral, view.totals.bad]);
	await panel.getByRole("button", { name: /Show all/ }).click();
	const shown = await panel.locator(".event").evaluateAll((all) => all.map((li) => [Date.parse(li.querySelector("time").dateTime) / 1000, li.querySelector("b").textContent]));

	assert.deepEqual(shown, view.events.map((e) => [e.timestamp, e.display]).reverse());
	const names = new Set(shown.map(([, name]) => name));

	for (const name of ["Client Joined Call (Zoom)", "Client Left Call (Zoom)", "Client Disconnected From Call (Zoom)", "Path down", "Vector moved", "SLA violated"])
		assert.ok(names.has(name), name);
	await panel.getByRole("button", { name: "good" }).click();
	await panel.getByRole("button", { name: "Router" }).click();
	assert.deepEqual([...new Set(await texts(page, ".event b"))], ["Client Disconnected From Call (Zoom)"]);
	assert.match((await texts(page, ".event"))[0], /meeting 841\d+, audio \w+, video \w+/);
});

await test("D16 a client's events tell of its processor too", async () => {
	const { results } = await api("clients", { site: hq.id, ...week });
	const busy = (view) => view.events.filter(({ type }) => type === "HIGH_CPU_OBSERVED");
	let found = null;

	for (const { client } of results) {
		const view = await api("events", { site: hq.id, client, ...week });

		if (busy(view).length) {
			found = { client, view };
			break;
		}
	}
	assert.ok(found, "nobody's processor was busy in a whole week");
	await go(page, `#/client/${found.client}?${fixed(week)}`);
	/* Only the newest are shown at first, and a busy processor may be older than those. */
	const all = page.getByRole("button", { name: /^Show all \d/ });

	if (await all.count())
		await all.click();
	assert.equal(await page.locator(".event b", { hasText: "High CPU Observed" }).count(), busy(found.view).length);
});

await test("what people call themselves is text", async () => {
	await go(page, `#/clients/${branch.id}?${fixed(week)}`);
	await page.locator("td", { hasText: "<img src=x onerror=alert(1)>" }).first().waitFor();
	await go(page, `#/site/${branch.id}?${fixed(week)}`);
	assert.equal(await page.locator("main img").count(), 0);
});

/* --- accounts ------------------------------------------------------------------------------------------ */

await test("A3 accounts: a row each, and a page with the seven fields; a failure is named", async () => {
	await follow(page, "nav a[href='#/accounts']", "Accounts");
	await shot(page, "accounts");
	assert.deepEqual(await texts(page, "tbody tr th"), ["Example Corp", "Example Labs"]);
	assert.match((await texts(page, "tbody .status"))[1], /failed: Token refresh failed, link the account again/);
	await follow(page, "tbody tr:nth-child(2) th a", "Example Labs");
	assert.deepEqual(await texts(page, ".seven dt"), ["Last sync", "Last status", "Account ID", "Linked by", "Company name", "Linked", "Application"]);
	assert.equal((await texts(page, ".seven dd"))[2], "7000067890");
	await shot(page, "account");
});

await test("A1, A7 linking: not without consent, to Zoom and back, and what came of it", async () => {
	await go(page, "#/accounts");
	await page.getByLabel("Your name").fill("Dana Okafor");
	await page.getByRole("button", { name: "Link account" }).click();
	assert.ok(await page.locator("#consent:invalid").count());
	await page.getByLabel("Collect call quality of this organisation").check();
	await page.getByRole("button", { name: "Link account" }).click();
	await page.locator(".notice.good", { hasText: "Example Corp is linked." }).waitFor();
	assert.match(page.url(), /#\/accounts\/linking\?id=1$/);
});

await test("A1 a link that another browser began is refused, in words", async () => {
	const other = await open();

	await go(other, "#/accounts");
	await other.goto(`${site.base}/zoom/callback?code=c&state=stolen`);
	await other.locator(".notice.bad", { hasText: "The link was not begun in this browser." }).waitFor();
	await other.context().close();
});

await test("A4 sync and unlink", async () => {
	await go(page, "#/accounts/7000067890");
	await page.getByRole("button", { name: "Sync now" }).click();
	await page.locator(".notice.good", { hasText: "Zoom is asked now." }).waitFor();
	await page.getByRole("button", { name: "Unlink account" }).click();
	await page.locator("h1", { hasText: "Accounts" }).waitFor();
	await settled(page);
	assert.deepEqual(await texts(page, "tbody tr th"), ["Example Corp"]);
});

/* --- the rest -------------------------------------------------------------------------------------------- */

await test("G23 no data: the checklist", async () => {
	await go(page, `#/site/${lab.id}`);
	await page.locator(".checklist h2", { hasText: "Nothing in this time" }).waitFor();
	const empty = await server("--empty");
	const fresh = await open({}, empty.base);

	await go(fresh, "");
	assert.match(fresh.url(), /#\/accounts$/);
	const list = (await texts(fresh, ".checklist li")).join("\n");

	for (const words of [/managed network/, /Business plan/, /sign in to Zoom before they join/, /quality score/, /Feedback to Zoom/])
		assert.match(list, words);
	await shot(fresh, "empty");
	await fresh.context().close();
	await empty.stop();
});

await test("E17 the ask box answers, and says what it does not understand", async () => {
	await go(page, `#/site/${hq.id}`);
	await page.getByLabel("Ask about calls").fill("list bad zoom calls in last 7 days");
	await page.keyboard.press("Enter");
	await page.locator("pre", { hasText: /\d+ bad Zoom calls from/ }).waitFor();
	await shot(page, "ask");
	await page.getByLabel("Ask about calls").fill("fly me to the moon");
	await page.getByRole("button", { name: "Ask" }).click();
	await page.locator("pre", { hasText: "I understand for example:" }).waitFor();
	await page.locator("pre a", { hasText: "list clients for last 24 hours" }).click();
	await page.locator("pre", { hasText: "Site hq, clients in Zoom calls" }).waitFor();
});

await test("what is not there is said plainly, and the page goes on", async () => {
	await go(page, "#/call/999999");
	await page.locator(".notice.bad", { hasText: "There is no such site, client or call." }).waitFor();
	await page.locator("nav a", { hasText: "Overview" }).click();
	await page.locator("section.chart").first().waitFor();
});

await test("dark, light, or as the system; the choice stays", async () => {
	const dark = await open({ colorScheme: "dark" });
	const ground = () => dark.evaluate(() => getComputedStyle(document.body).backgroundColor);

	await go(dark, `#/site/${hq.id}?${fixed(week)}`);
	const night = await ground();

	await shot(dark, "site-dark");
	await dark.locator("#theme").click();
	const light = await ground();

	assert.notEqual(light, night);
	await dark.reload();
	await settled(dark);
	assert.equal(await ground(), light);
	await dark.locator("#theme").click();
	assert.equal(await ground(), night);
	await go(dark, `#/call/${ranked.call.call}`);
	await shot(dark, "call-dark");
	await dark.context().close();
});

await test("a narrow window loses nothing", async () => {
	const phone = await open({ viewport: { width: 390, height: 844 } });

	await go(phone, `#/site/${hq.id}?${fixed(week)}`);
	assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways");
	await shot(phone, "site-narrow");
	await phone.context().close();
});

await test("by keyboard alone: skip link, and every control in the tab order", async () => {
	await go(page, `#/site/${hq.id}?${fixed(week)}`);
	await page.keyboard.press("Tab");
	assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
	const seen = new Set();

	for (let i = 0; i < 90; i++) {
		await page.keyboard.press("Tab");
		seen.add(await page.evaluate(() => document.activeElement.className || document.activeElement.id || document.activeElement.tagName));
	}
	for (const stop of ["site", "askfield", "range", "button", "chip", "plot", "quiet", "caret"])
		assert.ok([...seen].some((name) => name.split(" ").includes(stop)), `${stop} is not among ${[...seen]}`);
});

for (const scheme of ["light", "dark"]) {
	await test(`axe finds nothing serious, ${scheme}`, async () => {
		const view = await open({ colorScheme: scheme });

		for (const hash of [`#/site/${hq.id}?${fixed(week)}`, `#/clients/${hq.id}?${fixed(week)}`, `#/calls/${hq.id}?${fixed(week)}`, `#/client/${ranked.call.client}?${fixed(week)}`,
			`#/call/${ranked.call.call}`, "#/accounts", "#/accounts/7000012345", "#/ask?q=hello", `#/site/${lab.id}`]) {
			await go(view, hash);
			await view.evaluate(() => [...document.querySelectorAll("main button")].filter((b) => /^(Table|Show all)$/.test(b.textContent)).forEach((b) => b.click()));
			await view.evaluate(axeSource());
			const { violations } = await view.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
			const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");

			assert.deepEqual(serious.map(({ id, nodes }) => `${hash} ${id}: ${nodes.slice(0, 3).map((n) => `${n.html.slice(0, 120)} ${n.any.map((a) => a.message).join()}`).join(" | ")}`), []);
		}
		await view.context().close();
	});
}

await test("a token is asked for where the configuration wants one", async () => {
	const guarded = await server("--empty", "--token", "a-token-of-this-test-0123");
	const view = await open({}, guarded.base);

	await view.goto(guarded.base);
	await view.getByLabel("Token").fill("wrong");
	await view.getByRole("button", { name: "Sign in" }).click();
	await view.locator(".notice.bad", { hasText: "That is not the token." }).waitFor();
	await shot(view, "token");
	await view.getByLabel("Token").fill("a-token-of-this-test-0123");
	await view.getByRole("button", { name: "Sign in" }).click();
	await view.locator("h1", { hasText: "Accounts" }).waitFor();
	await view.context().close();
	await guarded.stop();
});

await test("no error, no breach of the policy, no request to anybody else", async () => {
	assert.deepEqual(problems, []);
	assert.equal(site.said(), "");
});

await chromium.close();
await site.stop();
finish();

// SPDX-License-Identifier: Apache-2.0
// How long the page takes on loopback, for bench/web.sh: "NAME MILLISECONDS" a line, a round each.
// Time runs until what was asked for stands and the next frame is painted.
//
// usage: node speed.mjs BUILD [ROUNDS]
import { browser, server } from "./harness.mjs";

const rounds = Number(process.argv[3] ?? 5);
const site = await server();
const chromium = await browser();
const week = 7 * 86400;
const now = Math.ceil(Date.now() / 60000) * 60;
const api = async (path) => (await fetch(`${site.base}/api/${path}`)).json();
const { sites } = await api("sites");
const hq = sites.find(({ name }) => name === "hq").id;
const { results } = await api(`calls?site=${hq}&from=${now - week}&to=${now}&limit=100`);
const call = results.filter((c) => c.has_feature_ranking).sort((a, b) => b.bad_minutes - a.bad_minutes)[0];

/* Until a condition, written as an expression, is true and a frame is painted. */
function until(page, done, first = "")
{
	return page.evaluate(`new Promise((finished) => {
		const started = performance.now();
		const look = () => requestAnimationFrame(() => ((${done}) ? setTimeout(() => finished(performance.now() - started)) : look()));

		${first}
		look();
	})`);
}

/* Click on an element, or choose an option. */
function click(selector)
{
	return `const before = document.querySelector("main").firstElementChild;
		const target = document.querySelector(${JSON.stringify(selector)});

		if (target.tagName === "OPTION") {
			target.selected = true;
			target.parentElement.dispatchEvent(new Event("change"));
		} else {
			target.click();
		}`;
}

const READY = 'document.querySelector("main").getAttribute("aria-busy") === "false"';
const drawn = (n) => `${READY} && document.querySelectorAll("section.chart canvas").length >= ${n}`;

/* [name, page that it begins on, what to click, when it is done] */
const CLICKS = [
	["range", `#/site/${hq}?range=1d`, "#range option[value='7d']", `document.querySelector("main").firstElementChild !== before && ${drawn(4)}`],
	["clients", `#/site/${hq}?range=7d`, "a.button", `document.querySelector("h1").textContent.startsWith("Clients") && ${READY}`],
	["client", `#/clients/${hq}?range=7d`, "tbody th a", `document.querySelectorAll("section.chart").length === 5 && ${drawn(5)}`],
	["older-calls", `#/calls/${hq}?range=7d`, "[aria-label=Older]", 'document.querySelector(".pages span").textContent.startsWith("11")'],
	["ranking", `#/calls/${hq}?range=7d`, "button.caret", 'document.querySelector("tr.unfolded .contributions")'],
	["meeting", `#/calls/${hq}?from=${call.join_time - 1}&to=${call.leave_time + 1}`, "tbody td:nth-child(3) a", `document.querySelector(".strip") && ${drawn(2)}`],
	["unfold", `#/call/${call.call}`, ".fold", 'document.querySelector(".b-feature")'],
	["legend", `#/site/${hq}?range=7d`, ".chip", 'document.querySelector(".chip").getAttribute("aria-pressed") === "false"'],
	["table", `#/site/${hq}?range=7d`, "section.chart header button", 'document.querySelector(".behind tbody tr")'],
	["accounts", `#/site/${hq}?range=1d`, "nav a[href='#/accounts']", `document.querySelector("h1").textContent === "Accounts" && ${READY}`],
];

async function firstLoad()
{
	/* A context of its own: nothing is in any cache. */
	const context = await chromium.newContext({ viewport: { width: 1440, height: 900 } });
	const page = await context.newPage();

	await page.goto("about:blank");
	await page.goto(`${site.base}/#/site/${hq}?range=1d`, { waitUntil: "commit" });
	await until(page, drawn(4));
	console.log(`first-load ${await page.evaluate(() => performance.now())}`);
	await context.close();
}

const page = await (await chromium.newContext({ viewport: { width: 1440, height: 900 } })).newPage();

for (let round = 0; round < rounds; round++) {
	await firstLoad();
	for (const [name, hash, selector, done] of CLICKS) {
		await page.goto(`${site.base}/?${name}${round}${hash}`);
		await until(page, `${READY} && document.querySelector(${JSON.stringify(selector)})`);
		console.log(`click-${name} ${await until(page, done, click(selector))}`);
	}
}
await chromium.close();
await site.stop();

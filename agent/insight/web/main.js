// SPDX-License-Identifier: Apache-2.0
// The shell: session, navigation, time range, theme. The address says everything that is shown:
// #/site/1?range=7d, #/client/3, #/call/17, #/accounts, #/ask?q=...
import { ApiError, get, open, post } from "./api.js";
import { h, replace, say } from "./dom.js";
import { notice } from "./parts.js";
import { fromInput, paramsOf, RANGES, spanOf, toInput } from "./range.js";
import { zoneName } from "./fmt.js";
import { showAccounts } from "./page_accounts.js";
import { showAsk } from "./page_ask.js";
import { showCall } from "./page_call.js";
import { showCalls } from "./page_calls.js";
import { showClient } from "./page_client.js";
import { showClients } from "./page_clients.js";
import { showSite } from "./page_site.js";

const main = document.getElementById("main");
const nav = document.getElementById("nav");

const PAGES = { site: showSite, clients: showClients, calls: showCalls, client: showClient, call: showCall, accounts: showAccounts, ask: showAsk };
/* Pages of a site, in the order of the navigation. */
const SITE_PAGES = [["site", "Overview"], ["clients", "Clients"], ["calls", "Calls"]];

let sites = [];
let current = null; /* {abort, redraw, destroy} of the page that is shown */

/* --- address ---------------------------------------------------------------------------------- */

export function parse(hash)
{
	const [path, query] = hash.replace(/^#\/?/, "").split("?");
	const [page, arg] = path.split("/").map(decodeURIComponent);

	return { page, arg, params: new URLSearchParams(query) };
}

export function address(page, arg, params = {})
{
	const query = new URLSearchParams(params).toString();

	return `#/${page}${arg !== undefined && arg !== null ? `/${encodeURIComponent(arg)}` : ""}${query ? `?${query}` : ""}`;
}

function siteOf(arg)
{
	const last = localStorage.getItem("site");

	return sites.find(({ id }) => String(id) === arg) ?? sites.find(({ id }) => String(id) === last) ?? sites[0];
}

/* --- what every page is given ------------------------------------------------------------------ */

function context(route, signal)
{
	const span = spanOf(route.params);
	const charts = [];

	return {
		...route, span, sites, charts,
		site: siteOf(route.page === "client" || route.page === "call" ? null : route.arg),
		get: (name, params) => get(name, params, signal),
		post,
		/* The same page with other parameters. */
		go: (params) => { location.hash = address(route.page, route.arg, params); },
		/* Another page, in the same time. */
		to: (page, arg, params = {}) => address(page, arg, { ...paramsOf(span), ...params }),
		keep: (chart) => { charts.push(chart); return chart.element; },
		zone: (siteId) => sites.find(({ id }) => id === siteId)?.time_zone ?? "",
		rangePicker: (zone) => rangePicker(route, span, zone),
	};
}

function rangePicker(route, span, zone)
{
	const go = (params) => { location.hash = address(route.page, route.arg, params); };
	const from = h("input", { type: "datetime-local", id: "range-from", value: toInput(span.from, zone) });
	const to = h("input", { type: "datetime-local", id: "range-to", value: toInput(span.to, zone) });
	const custom = h("form", { class: "custom", hidden: Boolean(span.key), on: { submit: (event) => {
		event.preventDefault();
		const times = { from: fromInput(from.value, zone), to: fromInput(to.value, zone) };

		if (times.from < times.to)
			go(times);
		else
			say("The time must end after it begins.");
	} } }, h("label", { for: "range-from" }, "From"), from, h("label", { for: "range-to" }, "to"), to, h("button", { type: "submit" }, "Apply"));
	const select = h("select", { id: "range", "aria-label": "Time range", on: { change: () => {
		if (select.value)
			go({ range: select.value });
		else {
			custom.hidden = false;
			from.focus();
		}
	} } }, RANGES.map(([key, , title]) => h("option", { value: key, selected: key === span.key }, title)),
	h("option", { value: "", selected: !span.key }, "From … to …"));

	return h("div", { class: "range" }, select, custom, h("small", { class: "faint" }, zoneName(zone)));
}

/* --- navigation -------------------------------------------------------------------------------- */

function drawNav(route, ctx)
{
	const { site } = ctx;
	const item = (href, name, here) => h("a", { href, "aria-current": here ? "page" : null }, name);
	const select = sites.length ? h("select", { id: "site", "aria-label": "Site", on: { change: () => {
		const page = SITE_PAGES.some(([name]) => name === route.page) ? route.page : "site";

		location.hash = ctx.to(page, select.value);
	} } }, sites.map(({ id, name }) => h("option", { value: id, selected: site && id === site.id }, name))) : null;

	replace(nav, select,
		site ? SITE_PAGES.map(([page, name]) => item(ctx.to(page, site.id), name, route.page === page)) : null,
		item("#/accounts", "Accounts", route.page === "accounts"));
}

function fail(error)
{
	if (error.name === "AbortError")
		return;
	if (error.status === 401) {
		showLogin();
		return;
	}
	replace(main, h("h1", {}, "Not shown"), notice("bad", error instanceof ApiError ? error.message : `The page failed: ${error.message}`),
		h("button", { type: "button", on: { click: () => navigate() } }, "Try again"));
	if (!(error instanceof ApiError))
		reportError(error);
}

function showLogin()
{
	const field = h("input", { type: "password", id: "token", autocomplete: "current-password", required: true });
	const problem = h("div", {});

	document.title = "Token · Fairlead insight";
	replace(nav);
	replace(main, h("form", { class: "panel login", on: { submit: async (event) => {
		event.preventDefault();
		try {
			await post("login", { token: field.value });
			await start();
		} catch (error) {
			replace(problem, notice("bad", error.message));
			field.select();
		}
	} } }, h("h1", {}, "Fairlead insight"),
	h("p", {}, "This server is reached from other hosts, so it asks for the token of its configuration."),
	h("label", { for: "token" }, "Token"), field, h("button", { type: "submit" }, "Sign in"), problem));
	main.setAttribute("aria-busy", "false");
	field.focus();
}

async function navigate(focus = false)
{
	const route = parse(location.hash);
	const abort = new AbortController();

	current?.abort.abort();
	current?.charts.forEach((chart) => chart.destroy());
	if (!PAGES[route.page])
		return location.replace(sites.length ? address("site", siteOf(null).id) : "#/accounts");
	const ctx = context(route, abort.signal);

	current = { abort, charts: ctx.charts };
	if (ctx.site && SITE_PAGES.some(([name]) => name === route.page))
		localStorage.setItem("site", ctx.site.id);
	drawNav(route, ctx);
	main.setAttribute("aria-busy", "true");
	try {
		const page = await PAGES[route.page](ctx);

		if (abort.signal.aborted)
			return undefined;
		if (page.site && page.site !== ctx.site?.id)
			drawNav(route, { ...ctx, site: sites.find(({ id }) => id === page.site) });
		replace(main, page.content);
		document.title = `${page.title} · Fairlead insight`;
		if (focus)
			main.focus({ preventScroll: true });
		window.scrollTo(0, 0);
	} catch (error) {
		fail(error);
	}
	if (!abort.signal.aborted)
		main.setAttribute("aria-busy", "false");
	return undefined;
}

/* --- theme, ask box ----------------------------------------------------------------------------- */

const THEMES = [["", "◐", "Theme: as the system"], ["light", "☀", "Theme: light"], ["dark", "☾", "Theme: dark"]];

function setUpTheme()
{
	const button = document.getElementById("theme");
	const draw = () => {
		const [, sign, label] = THEMES.find(([name]) => name === (document.documentElement.dataset.theme ?? ""));

		button.textContent = sign;
		button.setAttribute("aria-label", label);
		button.title = label;
		current?.charts.forEach((chart) => chart.redraw());
	};

	button.addEventListener("click", () => {
		const at = THEMES.findIndex(([name]) => name === (document.documentElement.dataset.theme ?? ""));
		const [name] = THEMES[(at + 1) % THEMES.length];

		if (name) {
			document.documentElement.dataset.theme = name;
			localStorage.setItem("theme", name);
		} else {
			delete document.documentElement.dataset.theme;
			localStorage.removeItem("theme");
		}
		draw();
	});
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
	draw();
}

function setUpAsk()
{
	document.getElementById("askbox").addEventListener("submit", (event) => {
		event.preventDefault();
		location.hash = address("ask", null, { q: document.getElementById("askfield").value.trim() });
	});
}

async function start()
{
	try {
		const [session, list] = await Promise.all([open(), get("sites")]);

		if (!session.authorised)
			return showLogin();
		({ sites } = list);
	} catch (error) {
		return fail(error);
	}
	return navigate();
}

setUpTheme();
setUpAsk();
window.addEventListener("hashchange", () => navigate(true));
start();

// SPDX-License-Identifier: Apache-2.0
// A bad minute, taken apart: site average, three categories that unfold to features, the rest, and
// what was observed. Every bar starts where the one before it ended.
import { h, replace } from "./dom.js";
import { num, signed } from "./fmt.js";

const CATEGORIES = {
	wan: ["WAN", "--wan", {
		wan_rtt: ["Round trip", "ms"], wan_jitter: ["Jitter", "ms"], wan_loss: ["Loss", "%"],
		wan_download_util: ["Download capacity", "% used"], wan_upload_util: ["Upload capacity", "% used"],
		wan_num_clients: ["Clients at the site", ""],
	}],
	client: ["Client", "--client", {
		client_cpu: ["CPU", "%"], client_vpn: ["VPN", ["no", "yes"]],
		client_conn_type: ["Connection", ["UDP", "TCP", "proxy"]],
	}],
	wireless: ["Wireless", "--wireless", {
		wifi_rssi: ["Signal", "dBm"], wifi_network: ["Network", ["wired", "Wi-Fi", "cellular"]],
	}],
};

/** "Download capacity" */
export function featureTitle(name)
{
	return Object.values(CATEGORIES).map(([, , features]) => features[name]?.[0]).find(Boolean) ?? name;
}

export function categoryTitle(name)
{
	return CATEGORIES[name]?.[0] ?? "Unexplained";
}

function measured(name, unit, result)
{
	const value = result.features?.[name];
	const capacity = { wan_download_util: "download_mbps", wan_upload_util: "upload_mbps" }[name];
	const mbps = capacity ? result.capacity?.[capacity] : null;

	if (value === null || value === undefined)
		return "not measured";
	return (Array.isArray(unit) ? unit[value] ?? String(value) : `${num(value)} ${unit}`) + (mbps ? ` of ${num(mbps, 0)} Mbps` : "");
}

/* Bars of a result, with [from, to] in ms. */
function barsOf(result, open)
{
	const bars = [{ kind: "site", title: "Site average", from: 0, to: result.expected, value: num(result.expected), color: "--faint" }];
	let at = result.expected;
	const step = (bar, value) => {
		bars.push({ ...bar, from: at, to: at + value, value: signed(value) });
		at += value;
	};

	for (const [key, [title, color, features]] of Object.entries(CATEGORIES)) {
		const start = at;

		step({ kind: "category", key, title, color, dominant: result.dominant === key }, result.categories[key]);
		if (!open.has(key))
			continue;
		at = start;
		for (const [name, [text, unit]] of Object.entries(features))
			step({ kind: "feature", title: text, color, note: measured(name, unit, result), top: result.top === name && result.dominant === key }, result.contributions[name] ?? 0);
	}
	step({ kind: "rest", title: "Unexplained", color: "--grid-strong", dominant: result.dominant === "none" }, result.unexplained);
	bars.push({ kind: "sum", title: "Observed", from: 0, to: result.observed, value: num(result.observed), color: "--ink" });
	return bars;
}

function head(bar, open, toggle)
{
	if (bar.kind !== "category")
		return h("th", { scope: "row" }, bar.title, bar.note ? h("small", {}, bar.note) : null);
	return h("th", { scope: "row" }, h("button", {
		type: "button", class: "fold", "aria-expanded": String(open.has(bar.key)), data: { category: bar.key }, on: { click: () => toggle(bar.key) },
	}, bar.title));
}

/** The bars of one result of fl_view_ranking(); redrawn in place. */
export function contributionBars(result)
{
	const open = new Set();
	const box = h("div", { class: "bars" });
	const toggle = (key) => {
		if (!open.delete(key))
			open.add(key);
		draw();
		box.querySelector(`[data-category="${key}"]`)?.focus();
	};
	const all = h("button", { type: "button", class: "quiet", on: { click: () => {
		const fold = open.size === 3;

		open.clear();
		if (!fold)
			Object.keys(CATEGORIES).forEach((key) => open.add(key));
		draw();
	} } });

	function draw()
	{
		const bars = barsOf(result, open);
		const low = Math.min(0, ...bars.flatMap(({ from, to }) => [from, to]));
		const high = Math.max(1, ...bars.flatMap(({ from, to }) => [from, to]));
		const at = (ms) => (100 * (ms - low)) / (high - low);

		all.textContent = open.size === 3 ? "Show less" : "Show all";
		replace(box, h("table", { class: "contributions" },
			h("caption", { class: "hidden" }, "Latency in ms, by what it is made of"),
			h("tbody", {}, bars.map((bar) => h("tr", { class: `b-${bar.kind}${bar.dominant || bar.top ? " dominant" : ""}` },
				head(bar, open, toggle),
				h("td", { class: "n" }, bar.value),
				h("td", { class: "track" },
					h("i", { "aria-hidden": "true", class: bar.to < bar.from ? "less" : "", style: {
						left: `${at(Math.min(bar.from, bar.to))}%`,
						width: `max(2px, ${at(Math.max(bar.from, bar.to)) - at(Math.min(bar.from, bar.to))}%)`,
						background: `var(${bar.color})`,
					} })))))), all);
	}

	draw();
	return box;
}

// SPDX-License-Identifier: Apache-2.0
// What several pages show: tables with pages, grades, bars, events, notices.
import { freshId, h, replace } from "./dom.js";
import { clock, count, day, NONE } from "./fmt.js";

export function link(href, ...text)
{
	return h("a", { href }, ...text);
}

/** "Fair" with its colour and its range, or the score itself where Zoom tells it. */
export function grade(quality)
{
	const { label, display, mos_range: range, mos } = quality ?? {};

	if (!label)
		return NONE;
	const short = label.replaceAll("_", " ").replace(/^./, (c) => c.toUpperCase());

	const figure = mos ? mos.toFixed(2) : range?.replace("-", "–");

	return h("span", { class: `grade g-${label}`, title: display ?? short }, short, figure ? h("small", {}, ` ${figure}`) : null);
}

export function notice(kind, ...content)
{
	return h("p", { class: `notice ${kind}`, role: kind === "bad" ? "alert" : "status" }, ...content);
}

/**
 * A table. columns: [{title, cell(row), n (figures), hint}]; every first cell heads its row.
 * detail(row): what unfolds beneath a row, see page_calls.js.
 */
export function table(caption, columns, rows, empty = "None.")
{
	return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, h("table", {},
		h("caption", { class: "hidden" }, caption),
		h("thead", {}, h("tr", {}, columns.map(({ title, n, hint }) =>
			h("th", { scope: "col", class: n ? "n" : null, title: hint }, title)))),
		h("tbody", {}, rows.length ? rows.map((row) => tableRow(columns, row))
			: h("tr", {}, h("td", { colspan: columns.length, class: "empty" }, empty)))));
}

export function tableRow(columns, row)
{
	return h("tr", {}, columns.map(({ cell, n }, i) =>
		h(i ? "td" : "th", { scope: i ? null : "row", class: n ? "n" : null }, cell(row))));
}

/** "1–10 of 57" with buttons. go(offset) */
export function pager(offset, shown, total, limit, go)
{
	const button = (text, to, label) => h("button", {
		type: "button", class: "quiet", "aria-label": label,
		disabled: to < 0 || to >= total || to === offset, on: { click: () => go(to) },
	}, text);

	return h("div", { class: "pages" },
		h("span", {}, total ? `${count(offset + 1)}–${count(offset + shown)} of ${count(total)}` : "0 of 0"),
		button("‹", offset - limit, "Newer"), button("›", offset + limit, "Older"));
}

/* --- tiles and bars --------------------------------------------------------------------------- */

export function tile(name, value, note)
{
	return h("div", { class: "tile" }, h("dt", {}, name), h("dd", {}, value, note ? h("small", {}, note) : null));
}

export const CAUSES = [
	["bad_minutes_site_wan", "WAN", "--wan"],
	["bad_minutes_client", "Client", "--client"],
	["bad_minutes_wireless", "Wireless", "--wireless"],
	["bad_minutes_unexplained", "Unexplained", "--faint"],
	["bad_minutes_unranked", "Not ranked", "--grid-strong"],
];

/** Bad minutes by who was to blame. */
export function causeBar(summary)
{
	const parts = CAUSES.map(([key, name, color]) => ({ name, color, value: summary[key] ?? 0 })).filter(({ value }) => value);
	const total = parts.reduce((sum, { value }) => sum + value, 0);

	if (!total)
		return h("p", { class: "faint" }, "No bad minutes.");
	return h("div", { class: "causes" },
		h("div", { class: "stack", "aria-hidden": "true" }, parts.map(({ color, value }) =>
			h("i", { style: { width: `${(100 * value) / total}%`, background: `var(${color})` } }))),
		h("ul", { "aria-label": "Bad minutes by cause" }, parts.map(({ name, color, value }) =>
			h("li", {}, h("i", { class: "dot", "aria-hidden": "true", style: { background: `var(${color})` } }), `${name} `, h("b", {}, count(value))))));
}

/** People by the ratings that they gave. */
export function histogram(feedback)
{
	const rows = [["Poor", feedback.poor, "--bad"], ["Average", feedback.average, "--fair"], ["Good", feedback.good, "--good"]];
	const most = Math.max(1, ...rows.map(([, value]) => value));

	return h("table", { class: "histogram" },
		h("caption", { class: "hidden" }, "People by their feedback"),
		h("tbody", {}, rows.map(([name, value, color]) => h("tr", {},
			h("th", { scope: "row" }, name),
			h("td", { class: "track" }, value ? h("i", { "aria-hidden": "true", style: { width: `${(100 * value) / most}%`, background: `var(${color})` } }) : null),
			h("td", { class: "n" }, count(value))))));
}

/* --- events ----------------------------------------------------------------------------------- */

const SEVERITIES = ["good", "neutral", "bad"];

function eventRow(event, zone)
{
	const what = event.source === "call"
		? [event.client ? link(`#/client/${event.client}`, event.hostname || "client") : null,
			event.meeting_id ? [" meeting ", event.call ? link(`#/call/${event.call}`, event.meeting_id) : event.meeting_id] : null,
			event.audio_quality && event.audio_quality !== "unknown" ? `, audio ${event.audio_quality}, video ${event.video_quality}` : null]
		: event.subject;

	return h("li", { class: `event s-${event.severity} from-${event.source}` },
		h("time", { datetime: new Date(event.timestamp * 1000).toISOString() }, clock(event.timestamp, zone)),
		h("i", { class: "dot", "aria-hidden": "true" }),
		h("span", { class: "hidden" }, `${event.severity}: `),
		h("b", {}, event.display), " ", h("span", { class: "what" }, what),
		event.description ? h("span", { class: "faint" }, ` ${event.description}`) : null);
}

function byDay(events, zone)
{
	const days = new Map();

	for (const event of events) {
		const key = day(event.timestamp, zone);

		if (!days.has(key))
			days.set(key, []);
		days.get(key).push(event);
	}
	return [...days];
}

/** Events of calls between those of the router, newest first, with totals that filter. */
export function eventPanel(view, zone, limit = 60)
{
	const shown = new Set(SEVERITIES);
	const sources = new Set(["call", "router"]);
	const list = h("div", { class: "scroll events", tabindex: "0", role: "region", "aria-label": "Events, newest first" });
	const id = freshId("events");
	let max = limit;

	const draw = () => {
		const fit = view.events.filter((e) => shown.has(e.severity) && sources.has(e.source)).reverse();

		replace(list, byDay(fit.slice(0, max), zone).map(([name, events]) =>
			[h("h3", {}, name), h("ol", {}, events.map((event) => eventRow(event, zone)))]),
		fit.length ? null : h("p", { class: "empty" }, "No events."),
		fit.length > max ? h("button", { type: "button", class: "quiet", on: { click: () => { max = fit.length; draw(); } } }, `Show all ${count(fit.length)}`) : null);
	};
	const toggle = (set, key, ...text) => h("button", {
		type: "button", class: `chip s-${key}`, "aria-pressed": "true",
		on: { click: (event) => {
			if (!set.delete(key))
				set.add(key);
			event.currentTarget.setAttribute("aria-pressed", String(set.has(key)));
			draw();
		} },
	}, ...text);

	draw();
	return h("section", { class: "panel", "aria-labelledby": id },
		h("header", {}, h("h2", { id }, "Events"),
			h("div", { class: "legend", role: "group", "aria-label": "Events to show" },
				SEVERITIES.map((key) => toggle(shown, key, h("i", { class: "dot", "aria-hidden": "true" }), key, h("b", {}, count(view.totals[key])))),
				toggle(sources, "call", "Calls"), toggle(sources, "router", "Router"))),
		list);
}

/** What went wrong on the router, as marks in charts. */
export function markersOf(events)
{
	return events.filter(({ source, severity }) => source === "router" && severity !== "good").map(({ timestamp, display, severity }) => ({ at: timestamp, label: display, severity }));
}

/* --- no data ---------------------------------------------------------------------------------- */

const STATES = { ok: ["✓", "in order"], problem: ["✗", "problem"], unknown: ["?", "not known"] };

export function checklist(view, title = null)
{
	const id = freshId("check");

	return h("section", { class: "panel checklist", "aria-labelledby": id },
		h("header", {}, h("h2", { id }, title ?? (view.has_data ? "Nothing in this time" : "No call data yet"))),
		title ? null : h("p", {}, view.has_data
			? "No call of this site lies in the chosen time. Choose a longer one, or check the list."
			: "Calls appear some minutes after they end. If none do, go through this list."),
		h("ul", {}, view.items.map(({ state, text }) => h("li", { class: `check-${state}` },
			h("span", { class: "mark", "aria-hidden": "true" }, STATES[state][0]), h("span", { class: "hidden" }, `${STATES[state][1]}: `), text))));
}

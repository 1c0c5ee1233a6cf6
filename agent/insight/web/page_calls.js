// SPDX-License-Identifier: Apache-2.0
// The table of calls: newest first, searched, in pages; a caret where a ranking exists unfolds it.
import { freshId, h, replace, say } from "./dom.js";
import { dateTime, megabytes, rating, span } from "./fmt.js";
import { grade, link, pager, tableRow } from "./parts.js";
import { rankingPanel } from "./ranking.js";

const LIMIT = 10;

/* Of one client: leads to the charts of just this call. */
function joined(ctx, filter, call)
{
	const text = dateTime(call.join_time, ctx.zone(call.site));
	const end = call.leave_time ?? Math.floor(Date.now() / 1000);

	if (!filter.client)
		return text;
	return h("a", { href: `#/client/${call.client}?from=${call.join_time - 300}&to=${end + 300}`, title: "Charts of this call" }, text);
}

function columns(ctx, filter, fold)
{
	const all = [
		{ title: "Why", cell: (c) => (c.has_feature_ranking ? fold(c) : h("span", { class: "hidden" }, "no ranking")) },
		{ title: "App", cell: () => "Zoom" },
		{ title: "Meeting", cell: (c) => link(ctx.to("call", c.call), String(c.meeting_id)) },
		{ title: "Joined", cell: (c) => joined(ctx, filter, c) },
		{ title: "Left", cell: (c) => (c.leave_time === null ? "still in" : dateTime(c.leave_time, ctx.zone(c.site))) },
		{ title: "Duration", n: true, cell: (c) => span(c.duration) },
		{ title: "Client", cell: (c) => link(ctx.to("client", c.client), c.hostname || c.ip || c.mac), of: "client" },
		{ title: "User", cell: (c) => c.user, of: "client" },
		{ title: "Audio", cell: (c) => grade(c.audio_quality) },
		{ title: "Video", cell: (c) => grade(c.video_quality) },
		{ title: "Screen", cell: (c) => grade(c.screen_share_quality) },
		{ title: "Feedback", cell: (c) => rating(c.rating) },
		{ title: "Bad min", n: true, cell: (c) => `${c.bad_minutes} / ${c.minutes}` },
		{ title: "MB", n: true, hint: "Usage, from the router's session table", cell: (c) => megabytes(c.usage_bytes) },
	];

	return all.filter(({ of }) => !filter[of]);
}

/* The caret, and what it unfolds beneath its row. */
function folder(ctx, width)
{
	return (call) => {
		const id = freshId("why");
		const button = h("button", {
			type: "button", class: "caret", "aria-expanded": "false", "aria-controls": id,
			"aria-label": `Why meeting ${call.meeting_id} was bad`,
			on: { click: async () => {
				const row = button.closest("tr");

				if (row.nextElementSibling?.id === id) {
					row.nextElementSibling.remove();
					button.setAttribute("aria-expanded", "false");
					return;
				}
				row.after(h("tr", { id, class: "unfolded" }, h("td", { colspan: width }, await rankingPanel(ctx, call))));
				button.setAttribute("aria-expanded", "true");
			} },
		}, "▸");

		return button;
	};
}

/**
 * The panel of calls of a site or a client. filter: {site} or {client}. Search, filter and page
 * live in the panel, not in the address: going back leads to another page, not to another search.
 */
export async function callsPanel(ctx, filter, title = "Calls")
{
	const id = freshId("calls");
	const state = { search: "", bad: false, offset: 0 };
	const body = h("tbody", {});
	const pages = h("div", { class: "pager" });
	const head = h("tr", {});
	const load = () => ctx.get("calls", {
		...filter, from: ctx.span.from, to: ctx.span.to, search: state.search, bad: state.bad ? 1 : null,
		offset: state.offset, limit: LIMIT,
	});
	const draw = (view) => {
		const width = columns(ctx, filter).length;
		const shown = columns(ctx, filter, folder(ctx, width));

		replace(head, shown.map(({ title: name, n, hint }) => h("th", { scope: "col", class: n ? "n" : null, title: hint }, name)));
		replace(body, view.results.length ? view.results.map((call) => tableRow(shown, call))
			: h("tr", {}, h("td", { class: "empty", colspan: width }, "No calls.")));
		replace(pages, pager(state.offset, view.results.length, view.total, LIMIT, (to) => update({ offset: to })));
	};
	let wanted = 0;
	const update = async (change) => {
		const mine = ++wanted;

		Object.assign(state, { offset: 0 }, change);
		const view = await load();

		if (mine !== wanted)
			return;
		draw(view);
		say(`${view.total} calls`);
	};
	const search = h("input", { type: "search", id: `${id}-search`, placeholder: "Host, user, meeting", on: { input: () => update({ search: search.value }) } });
	const bad = h("input", { type: "checkbox", id: `${id}-bad`, on: { change: () => update({ bad: bad.checked }) } });

	draw(await load());
	return h("section", { class: "panel", "aria-labelledby": id },
		h("header", {}, h("h2", { id }, title),
			h("label", { class: "hidden", for: `${id}-search` }, "Search calls"), search,
			h("label", { class: "check", for: `${id}-bad` }, bad, "Bad only"), pages),
		h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of calls" },
			h("table", { class: "calls" }, h("caption", { class: "hidden" }, "Calls, newest first"), h("thead", {}, head), body)));
}

export async function showCalls(ctx)
{
	const { site } = ctx;

	return {
		title: `Calls of ${site.name}`,
		content: [h("div", { class: "head" }, h("h1", {}, `Calls of ${site.name}`), ctx.rangePicker(site.time_zone)),
			await callsPanel(ctx, { site: site.id })],
	};
}

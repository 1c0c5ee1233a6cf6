// SPDX-License-Identifier: Apache-2.0
// Clients of a site that were in calls.
import { freshId, h, replace, say } from "./dom.js";
import { count, dateTime, mac, NONE } from "./fmt.js";
import { checklist, link, pager, table } from "./parts.js";

const LIMIT = 50;

function columns(ctx)
{
	const to = (c) => ctx.to("client", c.client);

	return [
		{ title: "MAC", cell: (c) => link(to(c), c.mac ? mac(c.mac) : c.ip) },
		{ title: "Host name", cell: (c) => (c.hostname ? link(to(c), c.hostname) : NONE) },
		{ title: "IP", cell: (c) => c.ip || NONE },
		{ title: "Min. rating", n: true, hint: "Lowest rating in this time", cell: (c) => c.min_rating ?? "--" },
		{ title: "User", cell: (c) => c.user || NONE },
		{ title: "Calls", n: true, cell: (c) => count(c.calls) },
		{ title: "Last joined", cell: (c) => dateTime(c.last_join, ctx.site.time_zone) },
	];
}

export async function showClients(ctx)
{
	const { site, span } = ctx;
	const id = freshId("clients");
	const view = await ctx.get("clients", { site: site.id, from: span.from, to: span.to });
	const list = h("div", {});
	const pages = h("div", { class: "pager" });
	let offset = 0;
	const search = h("input", { type: "search", id: `${id}-search`, placeholder: "MAC, host, IP, user", on: { input: () => { offset = 0; draw(); } } });

	function draw()
	{
		const words = search.value.trim().toLowerCase();
		const fit = view.results.filter((c) => !words || [c.mac, mac(c.mac), c.hostname, c.ip, c.user].some((text) => text.toLowerCase().includes(words)));
		const shown = fit.slice(offset, offset + LIMIT);

		replace(list, table("Clients in calls, last one first", columns(ctx), shown, "No clients."));
		replace(pages, pager(offset, shown.length, fit.length, LIMIT, (to) => { offset = to; draw(); }));
		say(`${fit.length} clients`);
	}

	draw();
	const head = h("div", { class: "head" }, h("h1", {}, `Clients of ${site.name}`), ctx.rangePicker(site.time_zone));

	if (!view.results.length)
		return { title: `Clients of ${site.name}`, content: [head, checklist(await ctx.get("checklist"))] };
	return {
		title: `Clients of ${site.name}`,
		content: [head, h("section", { class: "panel", "aria-labelledby": id },
			h("header", {}, h("h2", { id }, "Clients"), h("label", { class: "hidden", for: `${id}-search` }, "Search clients"), search, pages), list)],
	};
}

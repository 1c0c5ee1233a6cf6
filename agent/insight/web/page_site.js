// SPDX-License-Identifier: Apache-2.0
// One site: how its calls went, what spoiled them, and what the network did meanwhile.
import { Chart, streamSeries } from "./chart.js";
import { h, replace, say } from "./dom.js";
import { count, dateTime, mac, num } from "./fmt.js";
import { callsPanel } from "./page_calls.js";
import { causeBar, checklist, eventPanel, histogram, link, markersOf, table, tile } from "./parts.js";

const WAN = { key: "wan-avg-latency", label: "wan-avg-latency", color: "--ink", width: 2 };

function tiles(summary)
{
	const share = summary.total_minutes ? (100 * summary.bad_minutes) / summary.total_minutes : 0;

	return h("section", { class: "panel overview", "aria-label": "Summary" },
		h("dl", { class: "tiles" },
			tile("People", count(summary.num_users)),
			tile("Minutes in calls", count(summary.total_minutes)),
			tile("Bad minutes", count(summary.bad_minutes), ` ${num(share)} %`)),
		h("div", { class: "cause" }, h("h2", {}, "Bad minutes by cause"), causeBar(summary)),
		h("div", { class: "feedback" }, h("h2", {}, "Feedback ", h("small", {}, "people")), histogram(summary.feedback)));
}

/* Who is behind a point of the CPU graph. */
function cpuDetail(ctx, series, box)
{
	return async (at) => {
		const view = await ctx.get("cpu", { site: ctx.site.id, from: at, to: at + series.interval });

		replace(box, table(`CPU at ${dateTime(at, ctx.site.time_zone)}`, [
			{ title: `Client at ${dateTime(at, ctx.site.time_zone)}`, cell: (c) => link(ctx.to("client", c.client), c.hostname || mac(c.mac)) },
			{ title: "MAC", cell: (c) => link(ctx.to("client", c.client), mac(c.mac)) },
			{ title: "CPU %", n: true, cell: (c) => num(c.cpu) },
		], view.clients, "No client was measured."));
		say(`${view.clients.length} clients behind this value, in the table beneath.`);
	};
}

function graphs(ctx, series, events)
{
	const times = series.series.cpu.map((_, i) => series.start + i * series.interval);
	const common = {
		times, zone: ctx.site.time_zone, interval: series.interval, sync: "site", markers: markersOf(events.events),
		onSelect: (from, to) => ctx.go({ from, to }),
	};
	const wan = { ...WAN, values: series.series[WAN.key] };
	const stream = (title, unit, metric, solo) => ctx.keep(new Chart({
		...common, title, unit, solo: WAN.key, series: [...streamSeries(series.series, metric), solo],
	}));
	const behind = h("div", { class: "drill" });
	const cpu = new Chart({
		...common, title: "Client CPU", unit: "%", max: 100,
		series: [{ key: "cpu", label: "CPU", color: "--client", width: 1.5, values: series.series.cpu }],
		onPoint: cpuDetail(ctx, series, behind),
	});
	/* Delay beside per cent, or beside far smaller delays, has an axis of its own. */
	const hidden = { ...wan, hidden: true, right: true, label: `${WAN.label} (ms)` };

	ctx.keep(cpu);
	cpu.element.append(behind);
	return h("div", { class: "charts" }, stream("Latency", "ms", "latency", wan), stream("Packet loss", "%", "loss", hidden),
		stream("Jitter", "ms", "jitter", hidden), cpu.element);
}

export async function showSite(ctx)
{
	const { site, span } = ctx;
	const where = { site: site.id, from: span.from, to: span.to };
	const [summary, series, events, calls] = await Promise.all([
		ctx.get("summary", where), ctx.get("series", where), ctx.get("events", where), callsPanel(ctx, { site: site.id }),
	]);
	const head = h("div", { class: "head" }, h("h1", {}, site.name),
		h("span", { class: "faint" }, `averages of ${series.interval === 600 ? "10 minutes" : "1 hour"}`), ctx.rangePicker(site.time_zone),
		h("a", { class: "button", href: ctx.to("clients", site.id) }, "View clients"));

	if (!summary.total_minutes)
		return { title: site.name, content: [head, checklist(await ctx.get("checklist")), events.events.length ? eventPanel(events, site.time_zone) : null] };
	return { title: site.name, content: [head, tiles(summary), graphs(ctx, series, events), calls, eventPanel(events, site.time_zone)] };
}

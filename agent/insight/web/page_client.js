// SPDX-License-Identifier: Apache-2.0
// One client: its minutes in calls, its calls, and its events between those of the router.
import { Chart, streamSeries } from "./chart.js";
import { h } from "./dom.js";
import { mac, NONE } from "./fmt.js";
import { callsPanel } from "./page_calls.js";
import { eventPanel, link, markersOf, notice } from "./parts.js";

/* Minutes out of calls are gaps: put an empty one where a call ended. */
function withGaps(view)
{
	const times = [], from = [];

	view.timestamps.forEach((t, i) => {
		if (i && t - view.timestamps[i - 1] > 120) {
			times.push(view.timestamps[i - 1] + 60);
			from.push(null);
		}
		times.push(t);
		from.push(i);
	});
	const series = Object.fromEntries(Object.entries(view.series).map(([key, values]) =>
		[key, from.map((i) => (i === null ? null : values[i]))]));

	return { times, series };
}

function graphs(ctx, view, events, zone)
{
	const { times, series } = withGaps(view);
	const common = { times, zone, interval: 60, sync: "client", markers: markersOf(events.events), onSelect: (from, to) => ctx.go({ from, to }) };
	const wan = { key: "wan-latency", label: "WAN path", color: "--ink", width: 2, values: series["wan-latency"] };
	const chart = (spec) => ctx.keep(new Chart({ ...common, ...spec }));

	return h("div", { class: "charts" },
		chart({ title: "Latency", unit: "ms", solo: wan.key, series: [...streamSeries(series, "latency"), wan] }),
		chart({ title: "Packet loss", unit: "%", series: streamSeries(series, "loss") }),
		chart({ title: "Jitter", unit: "ms", series: streamSeries(series, "jitter") }),
		chart({ title: "CPU", unit: "%", max: 100, series: [{ key: "cpu", label: "CPU", color: "--client", width: 1.5, values: series.cpu }] }),
		chart({ title: "Wi-Fi signal", unit: "dBm", nothing: "Not on Wi-Fi in this time.", min: -90, max: -30, series: [{ key: "rssi", label: "RSSI", color: "--wireless", width: 1.5, values: series.rssi }] }));
}

export async function showClient(ctx)
{
	const { span } = ctx;
	const where = { client: ctx.arg, from: span.from, to: span.to };
	const view = await ctx.get("client", where);
	const zone = ctx.zone(view.site);
	const [events, calls] = await Promise.all([
		ctx.get("events", { ...where, site: view.site }), callsPanel(ctx, { client: ctx.arg }),
	]);
	const name = view.hostname || mac(view.mac) || view.ip;
	const fact = (title, value) => [h("dt", {}, title), h("dd", {}, value || NONE)];

	return {
		title: name,
		site: view.site,
		content: [
			h("div", { class: "head" }, h("h1", {}, name), ctx.rangePicker(zone)),
			h("dl", { class: "facts" }, fact("User", view.user), fact("MAC", view.mac && mac(view.mac)), fact("IP", view.ip),
				fact("Site", link(ctx.to("site", view.site), view.site_name))),
			view.truncated ? notice("note", "Only the first part of this time is drawn: choose a shorter one.") : null,
			view.timestamps.length ? graphs(ctx, view, events, zone) : h("p", { class: "panel empty" }, "This client was in no call in this time."),
			calls, eventPanel(events, zone),
		],
	};
}

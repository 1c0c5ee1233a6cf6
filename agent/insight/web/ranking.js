// SPDX-License-Identifier: Apache-2.0
// Why a call's minutes were bad: pick a bad minute and a stream, see what its latency is made of.
import { categoryTitle, contributionBars, featureTitle } from "./bars.js";
import { freshId, h, replace, say } from "./dom.js";
import { clock, num, signed, stream } from "./fmt.js";

/* Streams that are ranked, and "whichever was worst". */
const STREAMS = [["", "Worst stream"], ["audio_in"], ["audio_out"], ["video_in"], ["video_out"]];

/* "Round trip" becomes "round trip", "VPN" stays. */
function inSentence(title)
{
	return /^.[a-z]/.test(title) ? title[0].toLowerCase() + title.slice(1) : title;
}

function verdict(result)
{
	if (result.verdict === "insufficient")
		return "Insufficient data: too few minutes are known of this site to compare with.";
	if (result.dominant === "none")
		return `Nothing that is measured here explains it${result.not_wan ? "; it was not the WAN" : ""}.`;
	return `${categoryTitle(result.dominant)} ${signed(result.categories[result.dominant], 0)} ms, most of it ${inSentence(featureTitle(result.top))}${result.not_wan ? "; it was not the WAN" : ""}.`;
}

function explanation(result)
{
	return [
		h("p", { class: "verdict" }, h("b", {}, `${stream(result.stream)} `), `${num(result.observed)} ms`,
			result.verdict === "insufficient" ? null : ` where the site has ${num(result.expected)} ms on average. `, " ", verdict(result)),
		result.verdict === "insufficient" ? null : contributionBars(result),
	];
}

/** The panel for a call (a result of fl_view_calls()); minute: the one to show first. */
export async function rankingPanel(ctx, call, minute = null)
{
	const id = freshId("rank");
	const zone = ctx.zone(call.site);
	const load = (name) => ctx.get("ranking", { call: call.call, stream: name });
	let view = await load("");
	const box = h("div", { class: "explained", role: "region", "aria-label": "What the latency is made of" });
	const minutes = h("select", { id: `${id}-minute`, on: { change: () => draw() } });
	const streams = h("select", { id: `${id}-stream`, on: { change: async () => {
		view = await load(streams.value);
		fill(Number(minutes.value));
		draw();
	} } }, STREAMS.map(([name, title]) => h("option", { value: name }, title ?? stream(name))));
	const step = (by) => {
		minutes.selectedIndex = Math.min(minutes.options.length - 1, Math.max(0, minutes.selectedIndex + by));
		draw();
	};

	/* A ranking of one stream leaves out minutes in which it did not run. */
	function fill(wanted)
	{
		replace(minutes, view.results.map((r) => h("option", { value: r.timestamp, selected: r.timestamp === wanted },
			`${clock(r.timestamp, zone)}  ${num(r.observed, 0)} ms  ${r.verdict === "insufficient" ? "" : categoryTitle(r.dominant)}`)));
	}

	function draw()
	{
		const result = view.results.find(({ timestamp }) => timestamp === Number(minutes.value));

		replace(box, result ? explanation(result) : h("p", { class: "empty" }, "No bad minute of this stream."));
		if (result)
			say(verdict(result));
	}

	fill(minute ?? view.results.reduce((a, b) => (a && a.observed >= b.observed ? a : b), null)?.timestamp);
	draw();
	const panel = h("div", { class: "ranking" },
		h("div", { class: "pick" },
			h("label", { for: `${id}-minute` }, `Bad minute (${view.results.length})`),
			h("button", { type: "button", class: "quiet", "aria-label": "Earlier bad minute", on: { click: () => step(-1) } }, "‹"), minutes,
			h("button", { type: "button", class: "quiet", "aria-label": "Later bad minute", on: { click: () => step(1) } }, "›"),
			h("label", { for: `${id}-stream` }, "Stream"), streams,
			call.minutes ? h("a", { href: ctx.to("call", call.call) }, "All minutes") : null),
		box);

	panel.pick = (timestamp) => {
		if ([...minutes.options].some(({ value }) => Number(value) === timestamp)) {
			minutes.value = String(timestamp);
			draw();
		}
	};
	return panel;
}

// SPDX-License-Identifier: Apache-2.0
// One person's part in one meeting: every minute of it, and why the bad ones were bad.
import { Chart } from "./chart.js";
import { freshId, h } from "./dom.js";
import { clock, fullTime, mac, megabytes, rating, span, stream, streamNames } from "./fmt.js";
import { grade, link } from "./parts.js";
import { rankingPanel } from "./ranking.js";

const CAUSE = { wan: "WAN", client: "Client", wireless: "Wireless", none: "Unexplained" };

function facts(ctx, call)
{
	const zone = ctx.zone(call.site);
	const fact = (title, ...value) => h("div", {}, h("dt", {}, title), h("dd", {}, ...value));

	return h("dl", { class: "facts" },
		fact("Client", link(ctx.to("client", call.client), call.hostname || call.ip)), fact("User", call.user),
		fact("MAC", mac(call.mac)), fact("IP", call.ip), fact("Site", link(ctx.to("site", call.site), call.site_name)),
		fact("Joined", fullTime(call.join_time, zone)), fact("Left", call.leave_time === null ? "still in" : fullTime(call.leave_time, zone)),
		fact("Duration", span(call.duration)), fact("Usage", `${megabytes(call.usage_bytes)} MB`),
		fact("Audio", grade(call.audio_quality)), fact("Video", grade(call.video_quality)), fact("Screen", grade(call.screen_share_quality)),
		fact("Feedback", rating(call.rating)), fact("Network", call.network), fact("Connection", call.connection),
		fact("VPN", call.vpn ? "yes" : "no"), fact("Matched by", call.match));
}

/*
 * The minutes as a strip: one stop in the tab order, arrow keys walk, a bad one shows its ranking.
 */
function strip(minutes, zone, pick)
{
	const label = ({ timestamp, bad, cause, bad_streams: streams }) =>
		`${clock(timestamp, zone)}: ${bad ? `bad (${streams.map(stream).join(", ")})${cause ? `, ${CAUSE[cause]}` : ""}` : "good"}`;
	const buttons = minutes.map((m) => h("button", {
		type: "button", class: `minute ${m.bad ? `bad c-${m.cause ?? "unranked"}` : "ok"}`, tabindex: "-1", title: label(m), "aria-label": label(m),
		data: { t: m.timestamp }, on: { click: (event) => choose(buttons.indexOf(event.currentTarget)) },
	}));
	const choose = (i) => {
		buttons.forEach((button, n) => {
			button.tabIndex = n === i ? 0 : -1;
			button.setAttribute("aria-pressed", String(n === i));
		});
		buttons[i].focus();
		if (minutes[i].bad)
			pick(minutes[i].timestamp);
	};
	const onKey = (event) => {
		const at = buttons.indexOf(document.activeElement), last = buttons.length - 1;
		const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];

		if (at < 0 || to === undefined)
			return;
		event.preventDefault();
		choose(Math.min(last, Math.max(0, to)));
	};

	if (buttons.length)
		buttons[0].tabIndex = 0;
	return h("div", { class: "strip", role: "toolbar", "aria-label": "Minutes of the call", on: { keydown: onKey } }, buttons);
}

function minuteChart(ctx, minutes, zone, what)
{
	const styles = ["--audio", "--audio", "--video", "--video", "--screen", "--screen"];
	const series = streamNames.map((name, i) => ({
		key: name, label: stream(name), color: styles[i], dash: i % 2 === 1, values: minutes.map((m) => m[what.key]?.[name] ?? null),
	}));

	return ctx.keep(new Chart({ ...what, times: minutes.map(({ timestamp }) => timestamp), interval: 60, zone, sync: "call", series }));
}

function legend(minutes)
{
	const causes = new Set(minutes.filter(({ bad }) => bad).map(({ cause }) => cause ?? "unranked"));

	return h("p", { class: "keys" }, h("span", {}, h("i", { class: "minute ok", "aria-hidden": "true" }), "good"),
		[...causes].map((cause) => h("span", {}, h("i", { class: `minute bad c-${cause}`, "aria-hidden": "true" }), `bad: ${CAUSE[cause] ?? "not ranked"}`)));
}

export async function showCall(ctx)
{
	const { call, minutes } = await ctx.get("call", { call: ctx.arg });
	const zone = ctx.zone(call.site);
	const id = freshId("minutes");
	const bad = minutes.filter((m) => m.bad).length;
	const ranking = bad ? await rankingPanel(ctx, { ...call, minutes: 0 }) : null;
	const paths = [...new Set(minutes.map(({ path }) => path).filter(Boolean))];

	return {
		title: `Meeting ${call.meeting_id}`,
		site: call.site,
		content: [
			h("div", { class: "head" }, h("h1", {}, `Meeting ${call.meeting_id}`), h("span", { class: "faint" }, `${call.hostname || call.ip}, ${call.user || "no name"}`)),
			facts(ctx, call),
			h("section", { class: "panel", "aria-labelledby": id },
				h("header", {}, h("h2", { id }, "Minutes ", h("small", {}, `${bad} of ${minutes.length} bad`)),
					paths.length ? h("span", { class: "faint" }, `on ${paths.join(", then ")}`) : null),
				minutes.length ? [strip(minutes, zone, (t) => ranking?.pick(t)), legend(minutes)] : h("p", { class: "empty" }, "No minutes were collected."),
				ranking),
			minutes.length ? h("div", { class: "charts" },
				minuteChart(ctx, minutes, zone, { key: "latency", title: "Latency", unit: "ms" }),
				minuteChart(ctx, minutes, zone, { key: "mos", title: "Opinion score", unit: "MOS", min: 1, max: 5 })) : null,
		],
	};
}

// SPDX-License-Identifier: Apache-2.0
// A chart that can be read without seeing it: uPlot draws, the legend switches series and shows
// values, arrow keys walk along it, and a table of the same figures lies behind.
import { freshId, h, replace, say } from "./dom.js";
import { clock, dateTime, num, NONE } from "./fmt.js";

const HEIGHT = 168;

function css(name)
{
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function mean(values)
{
	const known = values.filter((v) => v !== null && v !== undefined);

	return known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
}

/*
 * spec: title, unit, zone, times [s], interval [s], series [{key, label, color (a CSS variable),
 * dash, width, values, hidden, right (on an axis of its own)}], markers [{at, label, severity}], sync (charts of one name share
 * their cursor), solo (key of the series that single ones are compared with), min, max,
 * nothing (what to say without values), onSelect(from, to), onPoint(time, index).
 */
export class Chart {
	constructor(spec)
	{
		this.spec = spec;
		this.shown = new Set(spec.series.filter((one) => !one.hidden).map((one) => one.key));
		this.index = null;
		this.id = freshId("chart");
		this.build();
		this.resize = new ResizeObserver(() => this.fit());
		this.resize.observe(this.holder);
	}

	build()
	{
		const { spec } = this;

		this.tableButton = h("button", { type: "button", class: "quiet", "aria-pressed": "false", "aria-controls": `${this.id}-table`, on: { click: () => this.toggleTable() } }, "Table");
		this.chips = new Map(spec.series.map((one) => [one.key, this.chip(one)]));
		this.when = h("span", { class: "when" });
		this.holder = h("div", {
			class: "plot", tabindex: "0", role: "group", "aria-roledescription": "chart",
			"aria-label": this.summary(), "aria-describedby": `${this.id}-keys`,
			on: { keydown: (event) => this.onKey(event), focus: () => this.onFocus(), blur: () => this.leave() },
		}, spec.series.some(({ values }) => values.some((v) => v !== null)) ? null : h("p", { class: "empty" }, spec.nothing ?? "Nothing was measured in this time."));
		this.table = h("div", { class: "scroll behind", id: `${this.id}-table`, hidden: true, tabindex: "0", role: "region", "aria-label": `${spec.title}, table` });
		this.element = h("section", { class: "panel chart", "aria-labelledby": `${this.id}-title` },
			h("header", {},
				h("h2", { id: `${this.id}-title` }, spec.title, " ", h("small", {}, spec.unit)),
				this.when,
				spec.solo ? this.soloSelect() : null,
				this.tableButton),
			h("div", { class: "legend", role: "group", "aria-label": `Series of ${spec.title}` }, [...this.chips.values()]),
			this.holder,
			h("p", { class: "hidden", id: `${this.id}-keys` },
				`Arrow keys walk from value to value, Home and End to the ends${spec.onPoint ? ", Enter shows who is behind a value" : ""}.`),
			this.table);
		this.showMeans();
	}

	chip(one)
	{
		const swatch = h("i", { class: one.dash ? "dash" : "", "aria-hidden": "true", style: { "--c": `var(${one.color})` } });
		const reading = h("b", {});

		return Object.assign(h("button", {
			type: "button", class: "chip", "aria-pressed": String(this.shown.has(one.key)), data: { series: one.key },
			on: { click: () => this.toggle(one.key) },
		}, swatch, one.label, reading), { reading });
	}

	soloSelect()
	{
		const { spec } = this;
		const base = spec.series.find((one) => one.key === spec.solo);

		this.solo = h("select", { "aria-label": `Series of ${spec.title} to show`, on: { change: () => this.applySolo() } },
			h("option", { value: "" }, "All series"),
			spec.series.filter((one) => one !== base).map((one) =>
				h("option", { value: one.key }, `${one.label} vs ${base.label}`)));
		return this.solo;
	}

	applySolo()
	{
		const { series, solo } = this.spec;
		const key = this.solo.value;

		this.show(new Set(key ? [key, solo] : series.map((one) => one.key)));
	}

	toggle(key)
	{
		const shown = new Set(this.shown);

		if (!shown.delete(key))
			shown.add(key);
		if (this.solo)
			this.solo.value = "";
		this.show(shown);
	}

	show(shown)
	{
		this.shown = shown;
		this.spec.series.forEach(({ key }, i) => {
			this.chips.get(key).setAttribute("aria-pressed", String(shown.has(key)));
			this.plot?.setSeries(i + 1, { show: shown.has(key) });
		});
		if (!this.table.hidden)
			this.fillTable();
	}

	summary()
	{
		const { title, unit, series } = this.spec;
		const parts = series.filter(({ key }) => this.shown.has(key)).map((one) => [one.label, mean(one.values)])
			.filter(([, value]) => value !== null).map(([label, value]) => `${label} ${num(value)} ${unit}`);

		return `${title}. ${parts.length ? `Means: ${parts.join(", ")}.` : "No values."}`;
	}

	/* --- drawing ---------------------------------------------------------------------------- */

	fit()
	{
		const width = Math.floor(this.holder.clientWidth);

		if (width < 50)
			return;
		if (!this.plot)
			this.plot = new window.uPlot(this.options(width), [this.spec.times, ...this.spec.series.map(({ values }) => values)], this.holder);
		else if (this.plot.width !== width)
			this.plot.setSize({ width, height: HEIGHT });
	}

	options(width)
	{
		const { spec } = this;
		const grid = { stroke: () => css("--grid"), width: 1 };
		const plain = (u, ticks) => ticks.map((tick) => `${+tick.toFixed(2)}`);
		const axis = { stroke: () => css("--faint"), grid, ticks: { ...grid, size: 4 }, font: "11px system-ui, sans-serif" };

		return {
			width, height: HEIGHT, legend: { show: false }, padding: [10, 16, 0, 0],
			tzDate: (t) => window.uPlot.tzDate(new Date(t * 1e3), spec.zone || "UTC"),
			cursor: {
				y: false, points: { size: 6 }, drag: { x: Boolean(spec.onSelect), y: false, setScale: false },
				sync: spec.sync ? { key: spec.sync, setSeries: false } : undefined,
			},
			scales: {
				y: { range: (u, low, high) => this.range(low, high) },
				right: { range: (u, low, high) => (low === null ? [null, null] : [0, high * 1.08 || 1]) },
			},
			axes: [
				{ ...axis, size: 28, values: (u, ticks, i, space, step) => this.timeLabels(ticks, step) },
				{ ...axis, size: 46, values: plain },
				{ ...axis, size: 38, scale: "right", side: 1, grid: { show: false }, values: plain },
			],
			series: [{}, ...spec.series.map((one) => ({
				label: one.label, scale: one.right ? "right" : "y", show: this.shown.has(one.key), stroke: () => css(one.color),
				width: one.width ?? 1.25, dash: one.dash ? [5, 3] : undefined, spanGaps: false,
				points: { show: this.isSparse(one.values), size: 4, stroke: () => css(one.color), fill: () => css(one.color) },
			}))],
			hooks: {
				draw: [(u) => this.drawMarkers(u)],
				setCursor: [(u) => this.onCursor(u.cursor.idx)],
				setSelect: [(u) => this.onSelect(u)],
				ready: [(u) => u.over.addEventListener("click", () => this.pick())],
			},
		};
	}

	/* Lone values between gaps would be invisible as lines. */
	isSparse(values)
	{
		return values.length <= 72 || values.filter((v) => v !== null).length < values.length / 2;
	}

	range(low, high)
	{
		const { min = 0, max } = this.spec;

		if (low === null || high === null)
			return [min, max ?? min + 1];
		if (max !== undefined)
			return [min, max];
		return [Math.min(min, low), high === min ? min + 1 : high + (high - Math.min(min, low)) * 0.08];
	}

	timeLabels(ticks, step)
	{
		return ticks.map((t) => {
			const time = clock(t, this.spec.zone);

			return step >= 86400 || time === "00:00" ? dateTime(t, this.spec.zone).split(",")[0] : time;
		});
	}

	drawMarkers(u)
	{
		const { ctx, bbox } = u;

		ctx.save();
		for (const { at, severity } of this.spec.markers ?? []) {
			const x = Math.round(u.valToPos(at, "x", true)) + 0.5;

			if (x < bbox.left || x > bbox.left + bbox.width)
				continue;
			ctx.strokeStyle = ctx.fillStyle = css(severity === "bad" ? "--bad" : severity === "good" ? "--good" : "--faint");
			ctx.globalAlpha = 0.65;
			ctx.setLineDash([2, 3]);
			ctx.beginPath();
			ctx.moveTo(x, bbox.top);
			ctx.lineTo(x, bbox.top + bbox.height);
			ctx.stroke();
			ctx.globalAlpha = 1;
			ctx.beginPath();
			ctx.moveTo(x - 4 * devicePixelRatio, bbox.top - 7 * devicePixelRatio);
			ctx.lineTo(x + 4 * devicePixelRatio, bbox.top - 7 * devicePixelRatio);
			ctx.lineTo(x, bbox.top);
			ctx.fill();
		}
		ctx.restore();
	}

	redraw()
	{
		this.plot?.redraw(false, true);
	}

	/* --- reading ---------------------------------------------------------------------------- */

	onCursor(index)
	{
		if (index === null || index === undefined)
			return this.showMeans();
		this.index = index;
		for (const one of this.spec.series)
			this.chips.get(one.key).reading.textContent = num(one.values[index]);
		this.when.textContent = dateTime(this.spec.times[index], this.spec.zone);
		return undefined;
	}

	showMeans()
	{
		for (const one of this.spec.series)
			this.chips.get(one.key).reading.textContent = num(mean(one.values));
		this.when.textContent = "mean";
	}

	onSelect(u)
	{
		const { left, width } = u.select;

		if (!this.spec.onSelect || width < 5)
			return;
		const { interval } = this.spec;
		const from = Math.floor(u.posToVal(left, "x") / interval) * interval;

		this.selected = true;
		this.spec.onSelect(from, Math.max(from + interval, Math.ceil(u.posToVal(left + width, "x") / interval) * interval));
	}

	pick()
	{
		if (this.spec.onPoint && this.index !== null && !this.selected)
			this.spec.onPoint(this.spec.times[this.index], this.index);
	}

	onFocus()
	{
		if (this.holder.matches(":focus-visible"))
			this.moveTo(this.index ?? this.spec.times.length - 1);
	}

	leave()
	{
		this.plot?.setCursor({ left: -10, top: -10 }, true, true);
	}

	onKey(event)
	{
		const last = this.spec.times.length - 1;
		const at = this.index ?? last;
		const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last, PageUp: at - 6, PageDown: at + 6 }[event.key];

		if (event.key === "Enter" && this.spec.onPoint) {
			this.pick();
			event.preventDefault();
		} else if (to !== undefined) {
			this.moveTo(Math.min(last, Math.max(0, to)));
			event.preventDefault();
		}
	}

	moveTo(index)
	{
		const { times, series, unit, zone } = this.spec;

		if (!this.plot || index < 0 || index >= times.length)
			return;
		this.index = index;
		this.plot.setCursor({ left: this.plot.valToPos(times[index], "x"), top: 10 }, true, true);
		const known = series.filter(({ key, values }) => this.shown.has(key) && values[index] !== null);

		say(`${dateTime(times[index], zone)}: ${known.length ? known.map((one) => `${one.label} ${num(one.values[index])} ${unit}`).join(", ") : "no values"}`);
	}

	/* --- the table behind --------------------------------------------------------------------- */

	toggleTable()
	{
		const open = this.table.hidden;

		this.table.hidden = !open;
		this.tableButton.setAttribute("aria-pressed", String(open));
		if (open)
			this.fillTable();
	}

	fillTable()
	{
		const { title, unit, times, series, zone } = this.spec;
		const shown = series.filter(({ key }) => this.shown.has(key));
		const rows = times.map((t, i) => [t, shown.map(({ values }) => values[i] ?? null)])
			.filter(([, values]) => values.some((v) => v !== null));

		replace(this.table, h("table", {},
			h("caption", { class: "hidden" }, `${title} in ${unit}`),
			h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Time"), shown.map(({ label }) => h("th", { scope: "col", class: "n" }, label)))),
			h("tbody", {}, rows.length ? rows.map(([t, values]) =>
				h("tr", {}, h("th", { scope: "row" }, dateTime(t, zone)), values.map((v) => h("td", { class: "n" }, num(v)))))
				: h("tr", {}, h("td", { colspan: shown.length + 1 }, NONE)))));
	}

	destroy()
	{
		this.resize.disconnect();
		this.plot?.destroy();
	}
}

const STREAM_STYLE = [
	["audio_in", "Audio in", "--audio", false], ["audio_out", "Audio out", "--audio", true],
	["video_in", "Video in", "--video", false], ["video_out", "Video out", "--video", true],
	["screen_in", "Screen in", "--screen", false], ["screen_out", "Screen out", "--screen", true],
];

/** The six series of a metric ("latency") out of a view's "series". */
export function streamSeries(series, metric)
{
	return STREAM_STYLE.map(([key, label, color, dash]) => ({ key, label, color, dash, values: series[`${metric}.${key}`] ?? [] }));
}

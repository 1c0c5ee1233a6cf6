// SPDX-License-Identifier: Apache-2.0
// Time ranges: the last so long, or from a time to a time; both as parameters of the address.

export const RANGES = [
	["1h", 3600, "Last hour"],
	["6h", 6 * 3600, "Last 6 hours"],
	["1d", 86400, "Last 24 hours"],
	["7d", 7 * 86400, "Last 7 days"],
	["30d", 30 * 86400, "Last 30 days"],
];

export const DEFAULT = "1d";

/** {from, to, key} of an address's parameters; key "" is a fixed time. */
export function spanOf(params)
{
	const from = Number(params.get("from")), to = Number(params.get("to"));

	if (from > 0 && to > from)
		return { from, to, key: "" };
	const range = RANGES.find(([key]) => key === params.get("range")) ?? RANGES.find(([key]) => key === DEFAULT);
	const now = Math.ceil(Date.now() / 60000) * 60;

	return { from: now - range[1], to: now, key: range[0] };
}

/** The parameters that make it. */
export function paramsOf(span)
{
	return span.key ? { range: span.key } : { from: span.from, to: span.to };
}

/** As an <input type="datetime-local"> wants it, in a zone. */
export function toInput(t, zone)
{
	const parts = Object.fromEntries(new Intl.DateTimeFormat("en-GB", {
		timeZone: zone || "UTC", hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit",
		hour: "2-digit", minute: "2-digit",
	}).formatToParts(t * 1000).map(({ type, value }) => [type, value]));

	return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}`;
}

/** And back: the offset of a zone depends on the time, so ask twice. */
export function fromInput(text, zone)
{
	const wanted = Date.parse(`${text}Z`) / 1000;
	let t = wanted;

	for (let i = 0; i < 2; i++)
		t += wanted - Date.parse(`${toInput(t, zone)}Z`) / 1000;
	return t;
}

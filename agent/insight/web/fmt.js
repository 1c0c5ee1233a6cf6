// SPDX-License-Identifier: Apache-2.0
// Figures and times as people read them. Times are seconds since 1970, zones names of the tz
// database, "" is UTC. What was not measured is a dash, never a zero.

const formats = new Map();

function format(zone, options)
{
	const key = zone + JSON.stringify(options);

	if (!formats.has(key))
		formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone || "UTC", hourCycle: "h23", ...options }));
	return formats.get(key);
}

const DAY = { month: "short", day: "2-digit" };
const MINUTE = { hour: "2-digit", minute: "2-digit" };

export const NONE = "–";

export function clock(t, zone)
{
	return t === null || t === undefined ? NONE : format(zone, MINUTE).format(t * 1000);
}

export function day(t, zone)
{
	return format(zone, { weekday: "short", ...DAY }).format(t * 1000);
}

export function dateTime(t, zone)
{
	return t === null || t === undefined ? NONE : format(zone, { ...DAY, ...MINUTE }).format(t * 1000);
}

export function fullTime(t, zone)
{
	if (!t)
		return NONE;
	return format(zone, { year: "numeric", ...DAY, ...MINUTE, timeZoneName: "short" }).format(t * 1000);
}

export function zoneName(zone)
{
	return zone ? zone.replaceAll("_", " ") : "UTC";
}

/** "47 min", "1 h 05 min" */
export function span(seconds)
{
	if (seconds === null || seconds === undefined)
		return NONE;
	const minutes = Math.max(1, Math.round(seconds / 60));

	return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

export function num(value, digits = 1)
{
	if (value === null || value === undefined || Number.isNaN(value))
		return NONE;
	return value.toFixed(Math.abs(value) >= 100 ? 0 : digits);
}

export function signed(value, digits = 1)
{
	if (value === null || value === undefined)
		return NONE;
	const text = Math.abs(value).toFixed(digits);

	return Number(text) === 0 ? text : (value < 0 ? "−" : "+") + text;
}

export function count(value)
{
	return value === null || value === undefined ? NONE : value.toLocaleString("en-GB");
}

export function megabytes(bytes)
{
	return bytes === null || bytes === undefined ? NONE : (bytes / 1e6).toFixed(1);
}

export function mac(text)
{
	return text ? text.match(/../g).join(":") : NONE;
}

export function rating(value)
{
	if (!value)
		return NONE;
	return value >= 4 ? "Good" : value === 3 ? "Average" : "Poor";
}

const STREAMS = {
	audio_in: "Audio in", audio_out: "Audio out", video_in: "Video in", video_out: "Video out",
	screen_in: "Screen in", screen_out: "Screen out",
};

export function stream(name)
{
	return STREAMS[name] ?? name;
}

export const streamNames = Object.keys(STREAMS);

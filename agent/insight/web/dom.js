// SPDX-License-Identifier: Apache-2.0
// Elements without markup in strings: text is always text.

/**
 * Make an element. Properties: "class", "on" ({event: handler}), "data" (data-*), "style" (object),
 * booleans (set or not), everything else an attribute; null and undefined are left out.
 */
export function h(tag, props, ...children)
{
	const el = document.createElement(tag);

	fill(el, props);
	append(el, children);
	return el;
}

/** The same for SVG. */
export function s(tag, props, ...children)
{
	const el = document.createElementNS("http://www.w3.org/2000/svg", tag);

	fill(el, props);
	append(el, children);
	return el;
}

function fill(el, props)
{
	for (const [key, value] of Object.entries(props ?? {})) {
		if (value === null || value === undefined || value === false)
			continue;
		if (key === "on")
			for (const [event, fn] of Object.entries(value))
				el.addEventListener(event, fn);
		else if (key === "data")
			Object.assign(el.dataset, value);
		else if (key === "style")
			for (const [name, text] of Object.entries(value))
				el.style.setProperty(name, text);
		else
			el.setAttribute(key, value === true ? "" : value);
	}
}

function append(el, children)
{
	for (const child of children.flat(Infinity))
		if (child !== null && child !== undefined && child !== false)
			el.append(child);
}

export function replace(el, ...children)
{
	el.replaceChildren();
	append(el, children);
	return el;
}

let made = 0;

/** An id that nothing else on the page has. */
export function freshId(prefix)
{
	made++;
	return `${prefix}-${made}`;
}

/** Tell screen readers. */
export function say(text)
{
	document.getElementById("live").textContent = text;
}

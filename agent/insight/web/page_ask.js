// SPDX-License-Identifier: Apache-2.0
// Questions in words, and their answers.
import { h } from "./dom.js";

/* Lines of an answer that are questions lead to their own answers. */
function line(text, ctx)
{
	const example = /^ {2}(\S.*)$/.exec(text);

	return [example ? h("a", { href: `#/ask?${new URLSearchParams({ q: example[1] })}` }, text) : text, "\n"];
}

export async function showAsk(ctx)
{
	const question = ctx.params.get("q") || "help";
	const view = await ctx.get("ask", { q: question, site: ctx.site?.id });
	const examples = view.answer.includes("I understand for example:");

	document.getElementById("askfield").value = ctx.params.get("q") ?? "";
	return {
		title: "Ask",
		content: [
			h("div", { class: "head" }, h("h1", {}, "Ask")),
			h("section", { class: "panel answer", "aria-label": "Answer" },
				h("p", { class: "question" }, view.question),
				h("pre", { tabindex: "0", role: "region", "aria-label": "Answer, as text" }, examples ? view.answer.split("\n").map((text) => line(text, ctx)) : view.answer)),
		],
	};
}

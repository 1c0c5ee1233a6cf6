// SPDX-License-Identifier: Apache-2.0
// Linked accounts: a row each, a page each with its seven fields; link, unlink, sync.
import { h, replace } from "./dom.js";
import { count, fullTime, NONE } from "./fmt.js";
import { checklist, link, notice, table } from "./parts.js";

const LOCAL = Intl.DateTimeFormat().resolvedOptions().timeZone;

function status(account)
{
	const ok = account.last_status === "success";

	return h("span", { class: `status ${ok ? "good" : "bad"}` }, h("i", { class: "dot", "aria-hidden": "true" }), ok ? "success" : `${account.last_status}: ${account.error}`);
}

/* Do something, say how it went. */
async function act(ctx, verb, body, box)
{
	replace(box, notice("note", "Working …"));
	try {
		const done = await ctx.post(`zoom/${verb}`, body);

		replace(box, notice("good", done.data?.words ?? "Done."));
		return done;
	} catch (error) {
		replace(box, notice("bad", error.message));
		return null;
	}
}

function field(id, title, input, hint)
{
	return h("div", { class: "field" }, h("label", { for: id }, title), input, hint ? h("small", { id: `${id}-hint` }, hint) : null);
}

function linkForm(ctx, box)
{
	const who = h("input", { id: "consent-by", type: "text", required: true, maxlength: "120", autocomplete: "name" });
	const consent = h("input", { id: "consent", type: "checkbox", required: true, "aria-describedby": "consent-hint" });
	const server = h("input", { id: "server-account", type: "text", maxlength: "90", "aria-describedby": "server-account-hint" });

	return h("form", { class: "panel link", on: { submit: async (event) => {
		event.preventDefault();
		const done = await act(ctx, "link", { consent: who.value, "account-id": server.value.trim() || undefined }, box);

		if (done?.data?.url)
			location.assign(done.data.url);
		else if (done)
			location.hash = `#/accounts/linking?id=${done.data.id}`;
	} } },
	h("h2", {}, "Link account: Zoom"),
	h("p", {}, "You are sent to Zoom to sign in and to consent, and come back here. Sign in as an administrator of the Zoom account, not with a personal account."),
	field("consent-by", "Your name", who, "Kept as the person who opted in."),
	h("div", { class: "field check" }, consent, h("label", { for: "consent" }, "Collect call quality of this organisation"),
		h("small", { id: "consent-hint" }, "Names, addresses and figures of participants at the managed sites; minutes are kept 30 days, meetings 90. Nobody else's.")),
	h("details", {}, h("summary", {}, "The app is a Server-to-Server one"),
		field("server-account", "Account ID at Zoom", server, "Nobody is sent to Zoom then.")),
	h("button", { type: "submit" }, "Link account"));
}

function unlinkForm(ctx, account, box)
{
	const data = h("input", { id: "unlink-data", type: "checkbox" });

	return h("form", { class: "panel link", on: { submit: async (event) => {
		event.preventDefault();
		if (!confirm(`Unlink ${account.company || account.account_id}?`))
			return;
		if (await act(ctx, "unlink", { account: account.account_id, data: data.checked }, box))
			location.hash = "#/accounts";
	} } },
	h("h2", {}, "Unlink"), h("p", {}, "Polling ends, tokens are revoked and deleted."),
	h("div", { class: "field check" }, data, h("label", { for: "unlink-data" }, "Also delete what was collected")),
	h("button", { type: "submit", class: "danger" }, "Unlink account"));
}

function detail(ctx, account)
{
	const box = h("div", {});
	const fields = [
		["Last sync", fullTime(account.last_sync / 1000, LOCAL)], ["Last status", status(account)],
		["Account ID", account.account_id || NONE], ["Linked by", account.linked_by || NONE], ["Company name", account.company || NONE],
		["Linked", fullTime(account.linked_timestamp, LOCAL)], ["Application", "Zoom"],
	];

	return [
		h("div", { class: "head" }, h("h1", {}, account.company || account.account_id), link("#/accounts", "All accounts"),
			h("button", { type: "button", on: { click: () => act(ctx, "sync", { account: account.account_id }, box) } }, "Sync now")),
		box,
		account.errors?.length ? account.errors.map((text) => notice("bad", text)) : null,
		account.hints?.map((text) => notice("note", text)),
		h("section", { class: "panel", "aria-label": "Status" }, h("dl", { class: "facts seven" },
			fields.map(([title, value]) => h("div", {}, h("dt", {}, title), h("dd", {}, value))))),
		h("section", { class: "panel", "aria-label": "Settings" }, h("dl", { class: "facts" },
			h("div", {}, h("dt", {}, "Requests a day, at most"), h("dd", {}, count(account.max_daily_api_requests))),
			h("div", {}, h("dt", {}, "Guests"), h("dd", {}, account.discard_guest_info ? "names and addresses discarded" : "kept")))),
		unlinkForm(ctx, account, box),
	];
}

/* The answer to a link comes a moment after the browser is back: ask until it is there. */
async function awaitLink(ctx, id, box)
{
	const end = Date.now() + 30000;

	replace(box, notice("note", "Linking …"));
	while (Date.now() < end) {
		const { data } = await ctx.post("zoom/link-result", { id });

		if (data.state !== "pending") {
			replace(box, notice("good", data.words));
			return;
		}
		await new Promise((done) => { setTimeout(done, 300); });
	}
	replace(box, notice("bad", "Zoom has not answered yet. Look again in a minute."));
}

export async function showAccounts(ctx)
{
	const box = h("div", {});
	const back = ctx.arg === "linking";

	if (back)
		await awaitLink(ctx, Number(ctx.params.get("id")), box).catch((error) => replace(box, notice("bad", error.message)));
	const view = await ctx.get("accounts");
	const account = view.accounts.find(({ account_id: id }) => id === ctx.arg);

	if (account)
		return { title: account.company || account.account_id, content: detail(ctx, account) };
	return {
		title: "Accounts",
		content: [
			h("div", { class: "head" }, h("h1", {}, "Accounts")), box,
			h("section", { class: "panel", "aria-label": "Linked accounts" }, table("Linked accounts", [
				{ title: "Company", cell: (a) => link(`#/accounts/${encodeURIComponent(a.account_id)}`, a.company || a.account_id) },
				{ title: "Application", cell: () => "Zoom" },
				{ title: "Account ID", cell: (a) => a.account_id },
				{ title: "Linked by", cell: (a) => a.linked_by || NONE },
				{ title: "Last sync", cell: (a) => fullTime(a.last_sync / 1000, LOCAL) },
				{ title: "Status", cell: status },
			], view.accounts, "No account is linked yet.")),
			linkForm(ctx, box),
			checklist(await ctx.get("checklist"), "What calls need to appear"),
		],
	};
}

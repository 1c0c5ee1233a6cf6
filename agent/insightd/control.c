// SPDX-License-Identifier: Apache-2.0
/* The commands of the control socket: see control.h. */
#include "agent/insightd/control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/monotime.h"

#define DAY_S 86400

const char *fl_request_text(const struct fl_request *r, const char *key)
{
	const char *text = fl_json_get_string(fl_json_member(r->json, key));

	return text ? text : "";
}

int64_t fl_request_number(const struct fl_request *r, const char *key, int64_t otherwise)
{
	int64_t number = otherwise;

	fl_json_get_i64(fl_json_member(r->json, key), &number);
	return number;
}

struct fl_view_span fl_request_span(const struct fl_request *r)
{
	int64_t to_s = fl_request_number(r, "to", r->now_s);

	return (struct fl_view_span){ fl_request_number(r, "from", to_s - DAY_S), to_s };
}

const char *fl_request_org(const struct fl_request *r)
{
	const char *org = fl_request_text(r, "org");

	return *org ? org : r->service->conf->org;
}

void fl_request_fail(struct fl_request *r, enum fl_ctl_code code, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fl_ctl_error(r->reply, code, "%s", text);
}

void fl_request_fail_err(struct fl_request *r, int err, const char *what)
{
	fl_service_store_failed(r->service, err);
	if (err == -EINVAL)
		fl_request_fail(r, FL_CTL_USAGE,
				"the time must end after it begins, and not be longer than kept");
	else if (err == -ENOENT)
		fl_request_fail(r, FL_CTL_NO, "%s", what);
	else
		fl_request_fail(r, FL_CTL_NO, "the store cannot be read: %s", strerror(-err));
}

void fl_control_answer(void *ctx, const struct fl_json *request, struct fl_json *reply)
{
	static const struct {
		const char *command;
		void (*fn)(struct fl_request *r);
		bool needs_zoom;
	} commands[] = {
		{ "zoom link", fl_control_link, true },
		{ "zoom link back", fl_control_link_back, true },
		{ "zoom link result", fl_control_link_result, true },
		{ "zoom unlink", fl_control_unlink, true },
		{ "zoom sync", fl_control_sync, true },
		{ "zoom accounts", fl_control_accounts, false },
		{ "zoom status", fl_control_status, false },
		{ "zoom sites", fl_control_sites, false },
		{ "zoom calls", fl_control_calls, false },
		{ "zoom clients", fl_control_clients, false },
		{ "zoom client", fl_control_client, false },
		{ "zoom insights", fl_control_insights, false },
		{ "zoom rank", fl_control_rank, false },
		{ "zoom events", fl_control_events, false },
		{ "zoom checklist", fl_control_checklist, false },
		{ "ask", fl_control_ask, false },
	};
	struct fl_control *c = ctx;
	struct fl_request r = { .control = c,
				.service = c->service,
				.json = request,
				.reply = reply,
				.now_s = (int64_t)(fl_wall_now_ns() / FL_NS_PER_S) };
	const char *command = fl_request_text(&r, "command");

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(commands[i].command, command) != 0)
			continue;
		if (commands[i].needs_zoom && !c->service->zoom) {
			fl_request_fail(&r, FL_CTL_NO,
					"Zoom insights are off: somebody must opt in first, with "
					"\"enabled\": true in insight.json");
			return;
		}
		r.data = fl_json_add_object(reply, "data");
		commands[i].fn(&r);
		if (!fl_json_member(reply, "ok"))
			fl_json_add_bool(reply, "ok", true);
		return;
	}
	fl_request_fail(&r, FL_CTL_USAGE, "insightd knows no command \"%s\"", command);
}

// SPDX-License-Identifier: Apache-2.0
/* Requests to handlers, and small helpers that handlers share. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/api/api_internal.h"

static void show_status(struct fl_api *api, const struct fl_json *request, struct fl_json *reply)
{
	struct fl_json *data = fl_json_add_object(reply, "data");

	(void)request;
	fl_json_add_string(data, "router", api->config->router.name);
	fl_json_add_string(data, "version", api->version);
	fl_json_add_string(data, "instance", api->instance);
	fl_json_add_string(data, "configuration", api->config_path);
	fl_json_add_string(data, "pins", api->pin_dir);
	fl_json_add_bool(data, "adopted", fl_dp_adopted(api->dp));
	fl_json_add_u64(data, "pid", (uint64_t)getpid());
	fl_json_add_u64(data, "sessions", fl_store_count(fl_engine_store(api->engine)));
	fl_json_add_u64(data, "capacity", fl_dp_tables(api->dp)->max_sessions);
	fl_json_add_u64(data, "uptime-seconds",
			fl_mono_ms_between(api->started, fl_mono_now()) / 1000);
}

static const struct {
	const char *command;
	fl_api_fn fn;
} handlers[] = {
	{ "show sessions", fl_api_show_sessions },
	{ "show session", fl_api_show_session },
	{ "show paths", fl_api_show_paths },
	{ "show fpm", fl_api_show_fpm },
	{ "show peers", fl_api_show_peers },
	{ "show services", fl_api_show_services },
	{ "show fib", fl_api_show_fib },
	{ "show interfaces", fl_api_show_interfaces },
	{ "show drops", fl_api_show_drops },
	{ "show stats", fl_api_show_stats },
	{ "show status", show_status },
	{ "show load-balancer", fl_api_show_load_balancer },
	{ "show service-path", fl_api_show_service_path },
	{ "policy test", fl_api_policy_test },
	{ "explain", fl_api_explain },
	{ "explain session", fl_api_explain_session },
	{ "clear session", fl_api_clear_session },
	{ "config apply", fl_api_config_apply },
	{ "config diff", fl_api_config_diff },
	{ "config show", fl_api_config_show },
};

void fl_api_answer(void *ctx, const struct fl_json *request, struct fl_json *reply)
{
	const char *command = fl_json_get_string(fl_json_member(request, "command"));
	struct fl_api *api = ctx;

	for (size_t i = 0; command && i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (strcmp(handlers[i].command, command))
			continue;
		handlers[i].fn(api, request, reply);
		if (!fl_json_member(reply, "ok"))
			fl_json_add_bool(reply, "ok", true);
		return;
	}
	fl_ctl_error(reply, FL_CTL_USAGE, "unknown command \"%s\"", command ? command : "");
}

void fl_api_add_addr(struct fl_json *parent, const char *key, uint8_t family, const uint8_t *bytes)
{
	struct fl_addr addr = fl_addr_from(family, bytes);
	char text[FL_ADDR_TEXT];

	fl_json_add_string(parent, key, fl_addr_format(&addr, text));
}

void fl_api_add_mac(struct fl_json *parent, const char *key, const uint8_t mac[6])
{
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	fl_json_add_string(parent, key, text);
}

void fl_api_uuid_text(const uint8_t uuid[16], char text[37])
{
	static const int dash_before[] = { 4, 6, 8, 10 };
	char *p = text;

	for (int i = 0, d = 0; i < 16; i++) {
		if (d < 4 && dash_before[d] == i) {
			*p++ = '-';
			d++;
		}
		p += snprintf(p, 3, "%02x", uuid[i]);
	}
}

bool fl_api_uuid_parse(const char *text, uint8_t uuid[16])
{
	static const char digits[] = "0123456789abcdef";
	int n = 0;

	for (; *text; text++) {
		const char *digit = strchr(digits, tolower((unsigned char)*text));

		if (*text == '-')
			continue;
		if (!digit || n == 32)
			return false;
		if (n % 2)
			uuid[n / 2] |= (uint8_t)(digit - digits);
		else
			uuid[n / 2] = (uint8_t)((digit - digits) << 4);
		n++;
	}
	return n == 32;
}

const char *fl_api_proto_text(uint8_t proto, char buf[8])
{
	switch (proto) {
	case 1:
		return "icmp";
	case 6:
		return "tcp";
	case 17:
		return "udp";
	case 47:
		return "gre";
	case 50:
		return "esp";
	case 58:
		return "icmp6";
	default:
		snprintf(buf, 8, "%u", proto);
		return buf;
	}
}

int fl_api_proto_parse(const char *text, uint8_t family, uint8_t *ret_proto)
{
	static const struct {
		const char *text;
		uint8_t proto;
	} known[] = { { "tcp", 6 }, { "udp", 17 }, { "gre", 47 }, { "esp", 50 }, { "pim", 103 } };
	unsigned long number;
	char *end;

	if (!strcmp(text, "icmp") || !strcmp(text, "icmp6")) {
		*ret_proto = family == 6 ? 58 : 1;
		return 0;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].text, text))
			continue;
		*ret_proto = known[i].proto;
		return 0;
	}
	number = strtoul(text, &end, 10);
	if (!*text || *end || number > 255)
		return -EINVAL;
	*ret_proto = (uint8_t)number;
	return 0;
}

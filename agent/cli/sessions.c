// SPDX-License-Identifier: Apache-2.0
/* show sessions, show session, clear session. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "agent/cli/table.h"

#define LIMIT_DEFAULT                                                                              \
	1000 /* chosen: a table longer than this helps nobody who did not ask for it */

static const char *const session_titles[] = { "Session Id", "Dir",        "Service", "Tenant",
					      "?Dev Name",  "Intf Name",  "?>VLAN",  "Proto",
					      "Src IP",     ">Src Port",  "Dest IP", ">Dest Port",
					      "?NAT IP",    "?>NAT Port", "?>Pkts",  ">Timeout",
					      "?>Uptime",   NULL };

/* The outer tuple's part that "NAT" means: the waypoint toward a peer, else the translated source.
 */
static void add_nat(struct fl_table *table, const struct fl_json *session, const char *side,
		    const char *addr_key, const char *port_key)
{
	const struct fl_json *o = fl_json_member(session, side);

	if (fl_json_member(o, "remote-waypoint")) {
		fl_table_member(table, o, "remote-waypoint");
		fl_table_member(table, o, "remote-port");
	} else {
		fl_table_member(table, session, addr_key);
		fl_table_member(table, session, port_key);
	}
}

static void add_direction(struct fl_table *table, const struct fl_json *s, bool forward)
{
	const struct fl_json *side = fl_json_member(s, forward ? "in" : "out");
	char uptime[32];

	fl_table_member(table, s, "id");
	fl_table_text(table, forward ? "fwd" : "rev");
	fl_table_member(table, s, "service");
	fl_table_member(table, s, "tenant");
	fl_table_member(table, side, "device");
	fl_table_member(table, side, fl_json_member(side, "path") ? "path" : "name");
	fl_table_member(table, side, "vlan");
	fl_table_member(table, s, "protocol");
	fl_table_member(table, s, forward ? "source" : "destination");
	fl_table_member(table, s, forward ? "source-port" : "destination-port");
	fl_table_member(table, s, forward ? "destination" : "source");
	fl_table_member(table, s, forward ? "destination-port" : "source-port");
	if (forward)
		add_nat(table, s, "out", "nat-source", "nat-source-port");
	else
		add_nat(table, s, "in", "nat-destination", "nat-destination-port");
	fl_table_member(table, fl_json_member(s, forward ? "forward" : "reverse"), "packets");
	fl_table_printf(table, "%" PRIu64 " s", fl_cli_number(s, "timeout-seconds"));
	fl_table_text(table, fl_duration_text(fl_cli_number(s, "uptime-seconds"), uptime));
}

static void print_sessions(const struct fl_json *data)
{
	const struct fl_json *list = fl_json_member(data, "sessions");
	struct fl_table *table = fl_table_new(session_titles);

	for (size_t i = 0; i < fl_json_count(list); i++) {
		add_direction(table, fl_json_at(list, i), true);
		add_direction(table, fl_json_at(list, i), false);
	}
	fl_table_print(table);
	fl_table_free(table);
	printf("%" PRIu64 " shown, %" PRIu64 " match, %" PRIu64 " live of %" PRIu64 "%s\n",
	       fl_cli_number(data, "shown"), fl_cli_number(data, "matching"),
	       fl_cli_number(data, "live"), fl_cli_number(data, "capacity"),
	       fl_cli_number(data, "shown") < fl_cli_number(data, "matching")
		       ? " (`limit N` shows more)"
		       : "");
}

/* What is asked for, in words of the request. */
struct filter {
	const char *service;
	const char *tenant;
	const char *peer;
	uint64_t limit;
};

static bool parse_limit(struct filter *filter, const char *text)
{
	char *end;

	filter->limit = strtoul(text, &end, 10);
	if (text[0] >= '1' && text[0] <= '9' && !*end)
		return true;
	fprintf(stderr, "fairlead: \"%s\" is no limit: a number from 1 on\n", text);
	return false;
}

/* Says what is wrong. */
static bool parse_filter(struct filter *filter, int argc, char **argv)
{
	*filter = (struct filter){ .limit = LIMIT_DEFAULT };
	for (; argc >= 2; argc -= 2, argv += 2) {
		if (!strcmp(argv[0], "service")) {
			filter->service = argv[1];
		} else if (!strcmp(argv[0], "tenant")) {
			filter->tenant = argv[1];
		} else if (!strcmp(argv[0], "peer")) {
			filter->peer = argv[1];
		} else if (!strcmp(argv[0], "limit")) {
			if (!parse_limit(filter, argv[1]))
				return false;
		} else {
			break;
		}
	}
	if (argc)
		fl_cli_usage("show sessions");
	return !argc;
}

static struct fl_json *make_request(const struct filter *filter, uint64_t limit, uint64_t after)
{
	struct fl_json *request = fl_cli_request("show sessions");

	if (filter->service)
		fl_json_add_string(request, "service", filter->service);
	if (filter->tenant)
		fl_json_add_string(request, "tenant", filter->tenant);
	if (filter->peer)
		fl_json_add_string(request, "peer", filter->peer);
	fl_json_add_u64(request, "limit", limit);
	fl_json_add_u64(request, "after", after);
	return request;
}

/* The agent answers in pages, so that packets do not wait for us; put together in @data. */
static int ask_pages(const struct fl_cli *cli, const struct filter *filter, struct fl_json *data)
{
	struct fl_json *all = fl_json_add_array(data, "sessions"), *request, *reply;
	const struct fl_json *page, *list;
	uint64_t after = 0, limit = filter->limit;
	int code;

	do {
		request = make_request(filter, limit, after);
		code = fl_client_ask(cli->socket, request, &reply);
		fl_json_free(request);
		page = fl_json_member(reply, "data");
		list = fl_json_member(page, "sessions");
		for (size_t i = 0; i < fl_json_count(list); i++)
			fl_cli_copy(all, NULL, fl_json_at(list, i));
		if (!after) {
			fl_cli_copy(data, "matching", fl_json_member(page, "matching"));
			fl_cli_copy(data, "live", fl_json_member(page, "live"));
			fl_cli_copy(data, "capacity", fl_json_member(page, "capacity"));
		}
		after = fl_cli_number(page, "next");
		limit -= fl_json_count(list) < limit ? fl_json_count(list) : limit;
		fl_json_free(reply);
	} while (code == FL_CTL_OK && after && limit);
	fl_json_add_u64(data, "shown", fl_json_count(all));
	return code;
}

int fl_cmd_show_sessions(const struct fl_cli *cli, int argc, char **argv)
{
	struct filter filter;
	struct fl_json *data;
	int code;

	if (!parse_filter(&filter, argc, argv))
		return FL_CTL_USAGE;
	data = fl_json_new_object();
	code = ask_pages(cli, &filter, data);
	if (code == FL_CTL_OK && cli->json)
		fl_cli_print_json(data);
	else if (code == FL_CTL_OK)
		print_sessions(data);
	fl_json_free(data);
	return code;
}

static void print_side(const struct fl_json *session, const char *key, const char *label)
{
	const struct fl_json *o = fl_json_member(session, key);

	printf("  %-14s %s", label, fl_cli_text(o, "name"));
	if (fl_json_member(o, "path"))
		printf(", path %s: %s port %" PRIu64 " <-> %s port %" PRIu64,
		       fl_cli_text(o, "path"), fl_cli_text(o, "local-waypoint"),
		       fl_cli_number(o, "local-port"), fl_cli_text(o, "remote-waypoint"),
		       fl_cli_number(o, "remote-port"));
	putchar('\n');
}

static void print_flow(const struct fl_json *session, const char *key)
{
	const struct fl_json *o = fl_json_member(session, key);

	printf("  %-14s %" PRIu64 " packets, %" PRIu64 " bytes; metadata handshake %s; TCP %s\n",
	       key, fl_cli_number(o, "packets"), fl_cli_number(o, "bytes"),
	       fl_cli_text(o, "handshake"), fl_cli_text(o, "tcp"));
}

static void print_copies(const struct fl_json *session, const char *key, const char *label)
{
	const struct fl_json *o = fl_json_member(session, key), *paths = fl_json_member(o, "paths");

	if (!o)
		return;
	printf("  %-14s %" PRIu64 " packets by", label, fl_cli_number(o, "sent"));
	for (size_t i = 0; i < fl_json_count(paths); i++) {
		const struct fl_json *path = fl_json_at(paths, i);
		const char *state = "";

		if (!fl_json_get_bool(fl_json_member(path, "up")))
			state = " (down)";
		else if (!fl_json_get_bool(fl_json_member(path, "ready")))
			state = " (not answered yet)";
		printf("%s %s%s", i ? "," : "", fl_cli_text(path, "path"), state);
	}
	putchar('\n');
}

static void print_session(const struct fl_json *s)
{
	char uptime[32];

	printf("session %s\n", fl_cli_text(s, "id"));
	printf("  %-14s %s %s port %" PRIu64 " -> %s port %" PRIu64 "\n", "tuple",
	       fl_cli_text(s, "protocol"), fl_cli_text(s, "source"),
	       fl_cli_number(s, "source-port"), fl_cli_text(s, "destination"),
	       fl_cli_number(s, "destination-port"));
	printf("  %-14s %s, policy %s\n  %-14s %s\n", "service", fl_cli_text(s, "service"),
	       fl_cli_text(s, "service-policy"), "tenant", fl_cli_text(s, "tenant"));
	printf("  %-14s %s; TCP out of state: %s\n", "opened by", fl_cli_text(s, "source-router"),
	       fl_cli_text(s, "tcp-enforcement"));
	print_side(s, "in", "from");
	print_side(s, "out", "to");
	print_copies(s, "copies-in", "copies back");
	print_copies(s, "copies-out", "copies");
	if (strcmp(fl_cli_text(s, "source"), fl_cli_text(s, "nat-source")) ||
	    fl_cli_number(s, "source-port") != fl_cli_number(s, "nat-source-port"))
		printf("  %-14s %s port %" PRIu64 "\n", "source NAT", fl_cli_text(s, "nat-source"),
		       fl_cli_number(s, "nat-source-port"));
	if (strcmp(fl_cli_text(s, "destination"), fl_cli_text(s, "nat-destination")))
		printf("  %-14s %s\n", "target", fl_cli_text(s, "nat-destination"));
	print_flow(s, "forward");
	print_flow(s, "reverse");
	printf("  %-14s %s; ends after %" PRIu64 " s of silence\n", "up",
	       fl_duration_text(fl_cli_number(s, "uptime-seconds"), uptime),
	       fl_cli_number(s, "timeout-seconds"));
}

int fl_cmd_show_session(const struct fl_cli *cli, int argc, char **argv)
{
	struct fl_json *request, *reply;
	const struct fl_json *data;
	int code;

	if (argc != 1)
		return fl_cli_usage("show session");
	request = fl_cli_request("show session");
	fl_json_add_string(request, "id", argv[0]);
	code = fl_cli_ask(cli, request, &reply, &data);
	if (data)
		print_session(fl_json_at(fl_json_member(data, "sessions"), 0));
	fl_json_free(reply);
	return code;
}

int fl_cmd_clear_session(const struct fl_cli *cli, int argc, char **argv)
{
	struct fl_json *request, *reply;
	const struct fl_json *data;
	int code;

	if (argc != 1)
		return fl_cli_usage("clear session");
	request = fl_cli_request("clear session");
	fl_json_add_string(request, "id", argv[0]);
	code = fl_cli_ask(cli, request, &reply, &data);
	if (data)
		printf("%" PRIu64 " cleared\n", fl_cli_number(data, "cleared"));
	fl_json_free(reply);
	return code;
}

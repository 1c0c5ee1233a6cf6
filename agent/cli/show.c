// SPDX-License-Identifier: Apache-2.0
/* show ..., clear ...: columns follow svr-protocol.md 8.2. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "agent/cli/table.h"

static uint64_t number(const struct fl_json *object, const char *key)
{
	uint64_t n = 0;

	fl_json_get_u64(fl_json_member(object, key), &n);
	return n;
}

static const char *text(const struct fl_json *object, const char *key)
{
	const char *s = fl_json_get_string(fl_json_member(object, key));

	return s ? s : "-";
}

/* Ask a command without arguments for a list, and show it: columns are members by name. */
struct list_view {
	const char *command;
	const char *list;
	const char *const *titles;
	const char *const *members;
};

static void print_list(const struct list_view *view, const struct fl_json *data)
{
	const struct fl_json *list = fl_json_member(data, view->list);
	struct fl_table *table = fl_table_new(view->titles);

	for (size_t i = 0; i < fl_json_count(list); i++)
		for (const char *const *m = view->members; *m; m++)
			fl_table_member(table, fl_json_at(list, i), *m);
	fl_table_print(table);
	fl_table_free(table);
}

static int show_list(const struct fl_cli *cli, int argc, const struct list_view *view)
{
	const struct fl_json *data;
	struct fl_json *reply;
	int code;

	if (argc)
		return fl_cli_usage(view->command);
	code = fl_cli_ask(cli, fl_cli_request(view->command), &reply, &data);
	if (data)
		print_list(view, data);
	fl_json_free(reply);
	return code;
}

/* --- sessions ----------------------------------------------------------------------------------
 */

static const char *const session_titles[] = { "Session Id", "Dir",        "Service", "Tenant",
					      "Intf Name",  "Proto",      "Src IP",  ">Src Port",
					      "Dest IP",    ">Dest Port", "NAT IP",  ">NAT Port",
					      ">Packets",   ">Timeout",   ">Uptime", NULL };

/* Where a direction comes in, as "name" or as "peer/path". */
static const char *side_name(const struct fl_json *session, const char *side)
{
	const struct fl_json *o = fl_json_member(session, side);
	const char *path = fl_json_get_string(fl_json_member(o, "path"));

	return path ? path : text(o, "name");
}

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
	char timeout[24], uptime[32];

	fl_table_text(table, text(s, "id"));
	fl_table_text(table, forward ? "fwd" : "rev");
	fl_table_text(table, text(s, "service"));
	fl_table_text(table, text(s, "tenant"));
	fl_table_text(table, side_name(s, forward ? "in" : "out"));
	fl_table_text(table, text(s, "protocol"));
	fl_table_member(table, s, forward ? "source" : "destination");
	fl_table_member(table, s, forward ? "source-port" : "destination-port");
	fl_table_member(table, s, forward ? "destination" : "source");
	fl_table_member(table, s, forward ? "destination-port" : "source-port");
	if (forward)
		add_nat(table, s, "out", "nat-source", "nat-source-port");
	else
		add_nat(table, s, "in", "nat-destination", "destination-port");
	fl_table_member(table, fl_json_member(s, forward ? "forward" : "reverse"), "packets");
	snprintf(timeout, sizeof(timeout), "%" PRIu64 " s", number(s, "timeout-seconds"));
	fl_table_text(table, timeout);
	fl_table_text(table, fl_duration_text(number(s, "uptime-seconds"), uptime));
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
	printf("%" PRIu64 " shown, %" PRIu64 " match, %" PRIu64 " live of %" PRIu64 "\n",
	       number(data, "shown"), number(data, "matching"), number(data, "live"),
	       number(data, "capacity"));
}

int fl_cmd_show_sessions(const struct fl_cli *cli, int argc, char **argv)
{
	static const char *const filters[] = { "service", "tenant", "peer", NULL };
	struct fl_json *request = fl_cli_request("show sessions"), *reply;
	const struct fl_json *data;
	int code;

	for (; argc >= 2; argc -= 2, argv += 2) {
		const char *const *f = filters;
		char *end;

		while (*f && strcmp(*f, argv[0]) != 0)
			f++;
		if (*f) {
			fl_json_add_string(request, *f, argv[1]);
		} else if (!strcmp(argv[0], "limit")) {
			fl_json_add_u64(request, "limit", strtoul(argv[1], &end, 10));
			if (*end || !*argv[1])
				break;
		} else {
			break;
		}
	}
	if (argc) {
		fl_json_free(request);
		return fl_cli_usage("show sessions");
	}
	code = fl_cli_ask(cli, request, &reply, &data);
	if (data)
		print_sessions(data);
	fl_json_free(reply);
	return code;
}

static void print_side(const struct fl_json *session, const char *key, const char *label)
{
	const struct fl_json *o = fl_json_member(session, key);

	printf("  %-14s %s", label, text(o, "name"));
	if (fl_json_member(o, "path"))
		printf(", path %s: %s port %" PRIu64 " <-> %s port %" PRIu64, text(o, "path"),
		       text(o, "local-waypoint"), number(o, "local-port"),
		       text(o, "remote-waypoint"), number(o, "remote-port"));
	putchar('\n');
}

static void print_flow(const struct fl_json *session, const char *key)
{
	const struct fl_json *o = fl_json_member(session, key);

	printf("  %-14s %" PRIu64 " packets, %" PRIu64 " bytes; metadata handshake %s; TCP %s\n",
	       key, number(o, "packets"), number(o, "bytes"), text(o, "handshake"), text(o, "tcp"));
}

static void print_session(const struct fl_json *s)
{
	char uptime[32];

	printf("session %s\n", text(s, "id"));
	printf("  %-14s %s %s port %" PRIu64 " -> %s port %" PRIu64 "\n", "tuple",
	       text(s, "protocol"), text(s, "source"), number(s, "source-port"),
	       text(s, "destination"), number(s, "destination-port"));
	printf("  %-14s %s\n  %-14s %s\n", "service", text(s, "service"), "tenant",
	       text(s, "tenant"));
	print_side(s, "in", "from");
	print_side(s, "out", "to");
	if (strcmp(text(s, "source"), text(s, "nat-source")) ||
	    number(s, "source-port") != number(s, "nat-source-port"))
		printf("  %-14s %s port %" PRIu64 "\n", "source NAT", text(s, "nat-source"),
		       number(s, "nat-source-port"));
	if (strcmp(text(s, "destination"), text(s, "nat-destination")))
		printf("  %-14s %s\n", "target", text(s, "nat-destination"));
	print_flow(s, "forward");
	print_flow(s, "reverse");
	printf("  %-14s %s; ends after %" PRIu64 " s of silence\n", "up",
	       fl_duration_text(number(s, "uptime-seconds"), uptime), number(s, "timeout-seconds"));
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
		printf("%" PRIu64 " cleared\n", number(data, "cleared"));
	fl_json_free(reply);
	return code;
}

/* --- the fabric --------------------------------------------------------------------------------
 */

int fl_cmd_show_paths(const struct fl_cli *cli, int argc, char **argv)
{
	static const char *const titles[] = { "Peer",   "Interface",    "Local",  "Remote",
					      "Status", "Next Hop",     "MAC",    ">MTU",
					      ">Cost",  ">Security Id", "Reason", NULL };
	static const char *const members[] = { "peer",   "interface",   "local",        "remote",
					       "status", "next-hop",    "next-hop-mac", "mtu",
					       "cost",   "security-id", "reason",       NULL };
	const struct list_view view = { "show paths", "paths", titles, members };

	(void)argv;
	return show_list(cli, argc, &view);
}

int fl_cmd_show_peers(const struct fl_cli *cli, int argc, char **argv)
{
	static const char *const titles[] = { "Peer",        "Network Interface",
					      "Destination", "Status",
					      ">Path MTU",   ">Waypoints",
					      ">Maximum",    NULL };
	static const char *const members[] = { "peer",           "interface", "destination",
					       "status",         "mtu",       "waypoints-in-use",
					       "max-way-points", NULL };
	const struct list_view view = { "show peers", "peers", titles, members };

	(void)argv;
	return show_list(cli, argc, &view);
}

int fl_cmd_show_services(const struct fl_cli *cli, int argc, char **argv)
{
	static const char *const titles[] = { "Service",        "Prefixes",
					      "Transport",      "Tenant Allowed",
					      "Service-Policy", "State",
					      ">Sessions",      NULL };
	static const char *const members[] = { "service",        "prefixes",
					       "transport",      "tenants-allowed",
					       "service-policy", "state",
					       "sessions",       NULL };
	const struct list_view view = { "show services", "services", titles, members };

	(void)argv;
	return show_list(cli, argc, &view);
}

int fl_cmd_show_fib(const struct fl_cli *cli, int argc, char **argv)
{
	static const char *const titles[] = { "IP Prefix", "Port, Proto", "Tenant",
					      "Service",   "Next Hops",   NULL };
	static const char *const members[] = { "prefix",  "transport", "tenant",
					       "service", "next-hops", NULL };
	const struct list_view view = { "show fib", "entries", titles, members };

	(void)argv;
	return show_list(cli, argc, &view);
}

int fl_cmd_show_interfaces(const struct fl_cli *cli, int argc, char **argv)
{
	static const char *const titles[] = { "Name",      "Device", ">VLAN", "Status",
					      "Mode",      "MAC",    ">MTU",  "Tenant",
					      "Waypoints", "Reason", NULL };
	static const char *const members[] = { "name",      "device", "vlan", "status",
					       "mode",      "mac",    "mtu",  "tenant",
					       "waypoints", "reason", NULL };
	const struct list_view view = { "show interfaces", "interfaces", titles, members };

	(void)argv;
	return show_list(cli, argc, &view);
}

/* --- counters ----------------------------------------------------------------------------------
 */

static int ask_counters(const struct fl_cli *cli, const char *command, int argc, char **argv,
			struct fl_json **ret_reply, const struct fl_json **ret_data)
{
	struct fl_json *request;

	*ret_reply = NULL;
	*ret_data = NULL;
	if (argc > 1 || (argc == 1 && strcmp(argv[0], "all") != 0))
		return fl_cli_usage(command);
	request = fl_cli_request(command);
	fl_json_add_bool(request, "all", argc == 1);
	return fl_cli_ask(cli, request, ret_reply, ret_data);
}

int fl_cmd_show_drops(const struct fl_cli *cli, int argc, char **argv)
{
	static const char *const titles[] = { "Reason", ">Packets", "Meaning", NULL };
	static const char *const members[] = { "reason", "packets", "meaning", NULL };
	const struct list_view view = { "show drops", "drops", titles, members };
	const struct fl_json *data;
	struct fl_json *reply;
	int code = ask_counters(cli, view.command, argc, argv, &reply, &data);

	if (data && !fl_json_count(fl_json_member(data, "drops")))
		puts("nothing was dropped");
	else if (data)
		print_list(&view, data);
	fl_json_free(reply);
	return code;
}

static bool print_memory(void *ctx, const char *key, struct fl_json *value)
{
	uint64_t bytes = 0;

	(void)ctx;
	fl_json_get_u64(value, &bytes);
	printf("  %-22s %14" PRIu64 " bytes\n", key, bytes);
	return true;
}

int fl_cmd_show_stats(const struct fl_cli *cli, int argc, char **argv)
{
	static const char *const titles[] = { "Counter", ">Count", "Meaning", NULL };
	static const char *const members[] = { "name", "count", "meaning", NULL };
	const struct list_view view = { "show stats", "stats", titles, members };
	const struct fl_json *data;
	struct fl_json *reply;
	char uptime[32];
	int code = ask_counters(cli, view.command, argc, argv, &reply, &data);

	if (data) {
		print_list(&view, data);
		printf("\n%" PRIu64 " sessions of %" PRIu64 ", %" PRIu64 " flows (%" PRIu64
		       " of them by the index), up %s\nmemory:\n",
		       number(data, "sessions"), number(data, "capacity"), number(data, "flows"),
		       number(data, "flows-indexed"),
		       fl_duration_text(number(data, "uptime-seconds"), uptime));
		fl_json_for_each(fl_json_member(data, "memory-bytes"), print_memory, NULL);
	}
	fl_json_free(reply);
	return code;
}

int fl_cmd_show_status(const struct fl_cli *cli, int argc, char **argv)
{
	const struct fl_json *data;
	struct fl_json *reply;
	char uptime[32];
	int code;

	(void)argv;
	if (argc)
		return fl_cli_usage("show status");
	code = fl_cli_ask(cli, fl_cli_request("show status"), &reply, &data);
	if (data)
		printf("router %s, fairleadd %s, up %s\nconfiguration %s\npins %s\n",
		       text(data, "router"), text(data, "version"),
		       fl_duration_text(number(data, "uptime-seconds"), uptime),
		       text(data, "configuration"), text(data, "pins"));
	fl_json_free(reply);
	return code;
}

// SPDX-License-Identifier: Apache-2.0
/* show ... (sessions are in sessions.c): columns follow svr-protocol.md 8.2. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "agent/cli/table.h"

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

/* --- the fabric --------------------------------------------------------------------------------
 */

int fl_cmd_show_fpm(const struct fl_cli *cli, int argc, char **argv)
{
	static const char *const titles[] = {
		"Peer",          "Interface",    "Class",     "Proto", "Status",
		">Latency (ms)", ">Jitter (ms)", ">Loss (%)", ">MOS",  ">Samples",
		">Age (s)",      "Monitor Only", NULL
	};
	static const char *const members[] = { "peer",      "interface",    "class",
					       "protocol",  "status",       "latency-ms",
					       "jitter-ms", "loss-percent", "mos",
					       "samples",   "age-seconds",  "monitor-only",
					       NULL };
	const struct list_view view = { "show fpm", "scopes", titles, members };

	(void)argv;
	return show_list(cli, argc, &view);
}

static void add_peer(struct fl_table *table, const struct fl_json *peer)
{
	const struct fl_json *paths = fl_json_member(peer, "paths");
	char uptime[32];

	for (size_t i = 0; i == 0 || i < fl_json_count(paths); i++) {
		const struct fl_json *path = fl_json_at(paths, i);
		bool up = !strcmp(fl_cli_text(path, "status"), "up");

		fl_table_member(table, peer, "peer");
		fl_table_member(table, path, "interface");
		fl_table_member(table, path, "destination");
		fl_table_text(table, path ? fl_cli_text(path, "status") : "no path");
		fl_table_member(table, path, "mtu");
		fl_table_text(table, !up ? NULL
					 : fl_duration_text(fl_cli_number(path, "uptime-seconds"),
							    uptime));
		/* The peer's, whatever the path. */
		fl_table_printf(table, "%" PRIu64 " of %" PRIu64,
				fl_cli_number(peer, "waypoints-in-use"),
				fl_cli_number(peer, "max-way-points"));
		fl_table_member(table, path, "reason");
	}
}

int fl_cmd_show_peers(const struct fl_cli *cli, int argc, char **argv)
{
	static const char *const titles[] = {
		"Peer",     "Network Interface", "Destination", "Status", ">Path MTU",
		"?>Uptime", ">Waypoints",        "Reason",      NULL
	};
	const struct fl_json *data, *list;
	struct fl_table *table;
	struct fl_json *reply;
	int code;

	(void)argv;
	if (argc)
		return fl_cli_usage("show peers");
	code = fl_cli_ask(cli, fl_cli_request("show peers"), &reply, &data);
	if (data) {
		list = fl_json_member(data, "peers");
		table = fl_table_new(titles);
		for (size_t i = 0; i < fl_json_count(list); i++)
			add_peer(table, fl_json_at(list, i));
		fl_table_print(table);
		fl_table_free(table);
	}
	fl_json_free(reply);
	return code;
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

/* A line for every way: "peer r2 by r2/wan1", "interface lan0", "learned routes". */
static void add_fib_way(struct fl_table *table, const struct fl_json *entry,
			const struct fl_json *hop, const struct fl_json *path)
{
	fl_table_member(table, entry, "prefix");
	fl_table_member(table, entry, "transport");
	fl_table_member(table, entry, "tenant");
	fl_table_member(table, entry, "service");
	if (!hop)
		fl_table_text(table, "none");
	else if (path)
		fl_table_printf(table, "peer %s by %s%s", fl_cli_text(hop, "peer"),
				fl_cli_text(path, "path"),
				strcmp(fl_cli_text(path, "status"), "up") ? " (down)" : "");
	else if (fl_cli_has(hop, "peer"))
		fl_table_printf(table, "peer %s (no path)", fl_cli_text(hop, "peer"));
	else if (fl_cli_has(hop, "gateway"))
		fl_table_printf(table, "interface %s, gateway %s", fl_cli_text(hop, "interface"),
				fl_cli_text(hop, "gateway"));
	else if (fl_cli_has(hop, "interface"))
		fl_table_printf(table, "interface %s", fl_cli_text(hop, "interface"));
	else
		fl_table_text(table, "kernel's routes");
	fl_table_member(table, path, "vectors");
	fl_table_member(table, path, "vector-cost");
	fl_table_member(table, path ? path : hop, "cost");
}

static void add_fib_entry(struct fl_table *table, const struct fl_json *entry)
{
	const struct fl_json *hops = fl_json_member(entry, "next-hops");

	for (size_t i = 0; i == 0 || i < fl_json_count(hops); i++) {
		const struct fl_json *hop = fl_json_at(hops, i);
		const struct fl_json *paths = fl_json_member(hop, "paths");

		for (size_t j = 0; j == 0 || j < fl_json_count(paths); j++)
			add_fib_way(table, entry, hop, fl_json_at(paths, j));
	}
}

int fl_cmd_show_fib(const struct fl_cli *cli, int argc, char **argv)
{
	static const char *const titles[] = { "IP Prefix", "Port, Proto", "Tenant",
					      "Service",   "Next Hop",    "?Vector",
					      "?>Rank",    "?>Cost",      NULL };
	const struct fl_json *data, *list;
	struct fl_table *table;
	struct fl_json *reply;
	int code;

	(void)argv;
	if (argc)
		return fl_cli_usage("show fib");
	code = fl_cli_ask(cli, fl_cli_request("show fib"), &reply, &data);
	if (data) {
		list = fl_json_member(data, "entries");
		printf("%" PRIu64 " entries, %" PRIu64 " prefixes; as many as the configuration "
		       "has, no fixed capacity\n",
		       fl_cli_number(data, "count"), fl_cli_number(data, "prefixes"));
		table = fl_table_new(titles);
		for (size_t i = 0; i < fl_json_count(list); i++)
			add_fib_entry(table, fl_json_at(list, i));
		fl_table_print(table);
		fl_table_free(table);
	}
	fl_json_free(reply);
	return code;
}

int fl_cmd_show_interfaces(const struct fl_cli *cli, int argc, char **argv)
{
	static const char *const titles[] = { "Name",      "Device", ">VLAN", "Status",
					      "Mode",      "?MAC",   ">MTU",  "Tenant",
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
	char text[32];

	(void)ctx;
	fl_json_get_u64(value, &bytes);
	printf("  %-22s %12s\n", key, fl_bytes_text(bytes, text));
	return true;
}

static void print_export(const struct fl_json *export)
{
	if (!fl_json_get_bool(fl_json_member(export, "enabled")))
		return;
	printf("export: %" PRIu64 " records written, %" PRIu64 " acknowledged, %" PRIu64
	       " dropped, %" PRIu64 " beyond the rate; %" PRIu64 " bytes wait, %s\n",
	       fl_cli_number(export, "records-written"),
	       fl_cli_number(export, "records-acknowledged"),
	       fl_cli_number(export, "records-dropped"), fl_cli_number(export, "records-skipped"),
	       fl_cli_number(export, "queue-bytes"),
	       fl_json_get_bool(fl_json_member(export, "reader-connected")) ? "read now"
									    : "nobody reads");
}

int fl_cmd_show_stats(const struct fl_cli *cli, int argc, char **argv)
{
	static const char *const titles[] = { "Counter", ">Count", "Meaning", NULL };
	static const char *const members[] = { "name", "count", "meaning", NULL };
	const struct list_view view = { "show stats", "stats", titles, members };
	const struct fl_json *data, *bfd;
	struct fl_json *reply;
	char uptime[32];
	int code = ask_counters(cli, view.command, argc, argv, &reply, &data);

	if (data) {
		print_list(&view, data);
		printf("\n%" PRIu64 " sessions of %" PRIu64 ", %" PRIu64 " flows (%" PRIu64
		       " of them by the index), up %s\nmemory:\n",
		       fl_cli_number(data, "sessions"), fl_cli_number(data, "capacity"),
		       fl_cli_number(data, "flows"), fl_cli_number(data, "flows-indexed"),
		       fl_duration_text(fl_cli_number(data, "uptime-seconds"), uptime));
		fl_json_for_each(fl_json_member(data, "memory-bytes"), print_memory, NULL);
		bfd = fl_json_member(data, "bfd");
		printf("BFD: %s priority, late %" PRIu64 " times, %" PRIu64
		       " packets not sent, %" PRIu64 " from strangers\n",
		       fl_json_get_bool(fl_json_member(bfd, "real-time")) ? "real-time"
									  : "ordinary",
		       fl_cli_number(bfd, "late"), fl_cli_number(bfd, "not-sent"),
		       fl_cli_number(bfd, "strangers"));
		print_export(fl_json_member(data, "export"));
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
		printf("router         %s\nfairleadd      %s, process %" PRIu64
		       ", up %s, data plane %s\ninstance       %s\n"
		       "sessions       %" PRIu64 " of %" PRIu64
		       "\nconfiguration  %s\npins           %s\n",
		       fl_cli_text(data, "router"), fl_cli_text(data, "version"),
		       fl_cli_number(data, "pid"),
		       fl_duration_text(fl_cli_number(data, "uptime-seconds"), uptime),
		       fl_json_get_bool(fl_json_member(data, "adopted"))
			       ? "adopted from an earlier process"
			       : "made by this process",
		       fl_cli_text(data, "instance"), fl_cli_number(data, "sessions"),
		       fl_cli_number(data, "capacity"), fl_cli_text(data, "configuration"),
		       fl_cli_text(data, "pins"));
	fl_json_free(reply);
	return code;
}

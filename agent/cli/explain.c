// SPDX-License-Identifier: Apache-2.0
/* explain: the agent's decision, in words. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "agent/cli/table.h"

static const char *text(const struct fl_json *object, const char *key)
{
	return fl_json_get_string(fl_json_member(object, key));
}

static void print_access(const struct fl_json *data)
{
	static const char *const titles[] = { "Tenant",      "Service", "Access",
					      "By Rule For", "But",     NULL };
	const struct fl_json *list = fl_json_member(data, "access");
	struct fl_table *table = fl_table_new(titles);

	for (size_t i = 0; i < fl_json_count(list); i++) {
		const struct fl_json *o = fl_json_at(list, i);

		fl_table_member(table, o, "tenant");
		fl_table_member(table, o, "service");
		fl_table_member(table, o, "access");
		fl_table_member(table, o, "rule");
		fl_table_member(table, o, "exceptions");
	}
	fl_table_print(table);
	fl_table_free(table);
}

static void print_candidate(const struct fl_json *c)
{
	uint64_t cost = 0, vector = 0;

	fl_json_get_u64(fl_json_member(c, "cost"), &cost);
	fl_json_get_u64(fl_json_member(c, "vector-cost"), &vector);
	printf("  %s route %s: ", fl_json_get_bool(fl_json_member(c, "chosen")) ? "->" : "  ",
	       text(c, "route"));
	if (text(c, "path"))
		printf("peer %s by path %s, vector cost %" PRIu64, text(c, "peer"), text(c, "path"),
		       vector);
	else if (text(c, "peer"))
		printf("peer %s", text(c, "peer"));
	else if (text(c, "interface"))
		printf("interface %s, next hop %s", text(c, "interface"),
		       text(c, "next-hop") ? text(c, "next-hop") : "-");
	else
		printf("a local way");
	printf(", cost %" PRIu64, cost);
	if (text(c, "why-not"))
		printf(": not taken, %s", text(c, "why-not"));
	putchar('\n');
}

static void print_decision(const struct fl_json *data)
{
	const struct fl_json *list = fl_json_member(data, "candidates");

	if (fl_json_get_bool(fl_json_member(data, "allowed")))
		puts("allowed");
	else
		printf("denied: %s (%s)\n", text(data, "reason"), text(data, "meaning"));
	printf("tenant:  %s\n", text(data, "tenant"));
	if (text(data, "service"))
		printf("service: %s, by prefix %s\n", text(data, "service"), text(data, "prefix"));
	if (text(data, "rule"))
		printf("rule:    access-policy source %s\n", text(data, "rule"));
	if (text(data, "service-policy"))
		printf("policy:  %s\n", text(data, "service-policy"));
	if (fl_json_count(list))
		puts("ways:");
	for (size_t i = 0; i < fl_json_count(list); i++)
		print_candidate(fl_json_at(list, i));
	if (text(data, "session"))
		printf("there is such a session: fairlead show session %s\n",
		       text(data, "session"));
}

/* "192.0.2.1:80", "192.0.2.1", "[2001:db8::1]:80", "2001:db8::1" */
static bool add_endpoint(struct fl_json *request, const char *key, const char *port_key, char *arg)
{
	char *port = NULL, *end;
	unsigned long n;

	if (arg[0] == '[') {
		arg++;
		end = strchr(arg, ']');
		if (!end || (end[1] && end[1] != ':'))
			return false;
		*end = 0;
		port = end[1] ? end + 2 : NULL;
	} else if (strchr(arg, ':') && strchr(arg, ':') == strrchr(arg, ':')) {
		port = strchr(arg, ':');
		*port++ = 0;
	}
	fl_json_add_string(request, key, arg);
	if (!port)
		return true;
	n = strtoul(port, &end, 10);
	if (!*port || *end || n > 65535)
		return false;
	fl_json_add_u64(request, port_key, n);
	return true;
}

static int explain_session(const struct fl_cli *cli, const char *id)
{
	struct fl_json *request = fl_cli_request("explain session"), *reply;
	const struct fl_json *data;
	int code;

	fl_json_add_string(request, "id", id);
	code = fl_cli_ask(cli, request, &reply, &data);
	if (data) {
		print_decision(data);
		puts("(as it would be decided now)");
	}
	fl_json_free(reply);
	return code;
}

int fl_cmd_explain(const struct fl_cli *cli, int argc, char **argv)
{
	struct fl_json *request, *reply;
	const struct fl_json *data;
	bool negative;
	int code;

	if (argc == 2 && !strcmp(argv[0], "session"))
		return explain_session(cli, argv[1]);
	if (argc != 0 && argc != 4)
		return fl_cli_usage("explain");
	request = fl_cli_request("explain");
	if (argc == 4) {
		fl_json_add_string(request, "interface", argv[0]);
		fl_json_add_string(request, "protocol", argv[1]);
		if (!add_endpoint(request, "source", "source-port", argv[2]) ||
		    !add_endpoint(request, "destination", "destination-port", argv[3])) {
			fl_json_free(request);
			return fl_cli_usage("explain");
		}
	}
	code = fl_cli_ask(cli, request, &reply, &data);
	negative = fl_json_member(fl_json_member(reply, "data"), "allowed") &&
		   !fl_json_get_bool(fl_json_member(fl_json_member(reply, "data"), "allowed"));
	if (data && argc)
		print_decision(data);
	else if (data)
		print_access(data);
	fl_json_free(reply);
	return code == FL_CTL_OK && negative ? FL_CTL_NO : code;
}

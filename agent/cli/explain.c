// SPDX-License-Identifier: Apache-2.0
/* explain: the agent's decision, in words. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "agent/cli/table.h"

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

static void print_way(const struct fl_json *c)
{
	if (fl_cli_has(c, "path")) {
		printf("peer %s by path %s", fl_cli_text(c, "peer"), fl_cli_text(c, "path"));
		if (fl_cli_has(c, "vector"))
			printf(", vector %s", fl_cli_text(c, "vector"));
		if (fl_cli_number(c, "vector-cost"))
			printf(" (rank %" PRIu64 ")", fl_cli_number(c, "vector-cost"));
	} else if (fl_cli_has(c, "peer")) {
		printf("peer %s", fl_cli_text(c, "peer"));
	} else if (fl_cli_has(c, "next-hop")) {
		printf("interface %s, next hop %s%s", fl_cli_text(c, "interface"),
		       fl_cli_text(c, "next-hop"),
		       fl_json_get_bool(fl_json_member(c, "next-hop-resolved"))
			       ? ""
			       : " (not resolved yet)");
	} else if (fl_cli_has(c, "interface")) {
		printf("interface %s", fl_cli_text(c, "interface"));
	} else {
		fputs("by the kernel's routes", stdout);
	}
	if (fl_cli_has(c, "nat-target"))
		printf(", new destination %s", fl_cli_text(c, "nat-target"));
	printf(", cost %" PRIu64, fl_cli_number(c, "cost"));
}

static void print_candidate(const struct fl_json *c)
{
	printf("  %s route %s: ", fl_json_get_bool(fl_json_member(c, "chosen")) ? "->" : "  ",
	       fl_cli_text(c, "route"));
	print_way(c);
	if (fl_cli_has(c, "why-not"))
		printf("; not taken: %s", fl_cli_text(c, "why-not"));
	if (fl_cli_has(c, "quality"))
		printf("; %s", fl_cli_text(c, "quality"));
	putchar('\n');
}

static void print_decision(const struct fl_json *data)
{
	const struct fl_json *list = fl_json_member(data, "candidates");

	if (fl_json_get_bool(fl_json_member(data, "allowed")))
		puts("allowed");
	else
		printf("denied: %s (%s)\n", fl_cli_text(data, "reason"),
		       fl_cli_text(data, "meaning"));
	printf("tenant:  %s\n", fl_cli_text(data, "tenant"));
	if (fl_cli_has(data, "service"))
		printf("service: %s, by prefix %s\n", fl_cli_text(data, "service"),
		       fl_cli_text(data, "prefix"));
	if (fl_cli_has(data, "rule"))
		printf("rule:    access-policy source %s\n", fl_cli_text(data, "rule"));
	if (fl_cli_has(data, "service-policy"))
		printf("policy:  %s\n", fl_cli_text(data, "service-policy"));
	if (fl_cli_has(data, "session-type"))
		printf("type:    %s\n", fl_cli_text(data, "session-type"));
	if (fl_json_count(list))
		puts("ways:");
	for (size_t i = 0; i < fl_json_count(list); i++)
		print_candidate(fl_json_at(list, i));
}

/* Says what is wrong. "192.0.2.1:80", "192.0.2.1", "[2001:db8::1]:80", "2001:db8::1" */
static bool add_endpoint(struct fl_json *request, const char *key, const char *port_key, char *arg)
{
	char *port = NULL, *end;
	unsigned long n;

	if (arg[0] == '[') {
		end = strchr(arg, ']');
		if (!end || (end[1] && end[1] != ':')) {
			fprintf(stderr, "fairlead: \"%s\": write [ADDRESS] or [ADDRESS]:PORT\n",
				arg);
			return false;
		}
		arg++;
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
	if (port[0] < '0' || port[0] > '9' || *end || n > 65535) {
		fprintf(stderr, "fairlead: \"%s\" is no port: 0 to 65535 (IPv6: [ADDRESS]:PORT)\n",
			port);
		return false;
	}
	fl_json_add_u64(request, port_key, n);
	return true;
}

/* Print what came back. Return: exit code; a denial is a negative answer. */
static int print_answer(const struct fl_json *reply, const struct fl_json *data, int code)
{
	const struct fl_json *all = fl_json_member(reply, "data");

	if (data)
		print_decision(data);
	if (code == FL_CTL_OK && !fl_json_get_bool(fl_json_member(all, "allowed")))
		return FL_CTL_NO;
	return code;
}

static int explain_session(const struct fl_cli *cli, const char *id)
{
	struct fl_json *request = fl_cli_request("explain session"), *reply;
	const struct fl_json *data;
	int code;

	fl_json_add_string(request, "id", id);
	code = fl_cli_ask(cli, request, &reply, &data);
	code = print_answer(reply, data, code);
	if (data)
		fl_cli_print_history(data);
	if (data && fl_cli_has(data, "path-in-use"))
		printf("(as it would be decided now; the session uses path %s)\n",
		       fl_cli_text(data, "path-in-use"));
	else if (data)
		puts("(as it would be decided now)");
	fl_json_free(reply);
	return code;
}

static int explain_access(const struct fl_cli *cli)
{
	const struct fl_json *data;
	struct fl_json *reply;
	int code = fl_cli_ask(cli, fl_cli_request("explain"), &reply, &data);

	if (data)
		print_access(data);
	fl_json_free(reply);
	return code;
}

int fl_cmd_explain(const struct fl_cli *cli, int argc, char **argv)
{
	struct fl_json *request, *reply;
	const struct fl_json *data;
	int code;

	if (!argc)
		return explain_access(cli);
	if (argc == 2 && !strcmp(argv[0], "session"))
		return explain_session(cli, argv[1]);
	if (argc != 4 && !(argc == 6 && !strcmp(argv[4], "tenant")))
		return fl_cli_usage("explain");
	request = fl_cli_request("explain");
	fl_json_add_string(request, "interface", argv[0]);
	fl_json_add_string(request, "protocol", argv[1]);
	if (argc == 6)
		fl_json_add_string(request, "tenant", argv[5]);
	if (!add_endpoint(request, "source", "source-port", argv[2]) ||
	    !add_endpoint(request, "destination", "destination-port", argv[3])) {
		fl_json_free(request);
		return FL_CTL_USAGE;
	}
	code = fl_cli_ask(cli, request, &reply, &data);
	code = print_answer(reply, data, code);
	if (data && fl_cli_has(data, "session"))
		printf("there is such a session: fairlead show session %s\n",
		       fl_cli_text(data, "session"));
	fl_json_free(reply);
	return code;
}

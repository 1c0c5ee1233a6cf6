// SPDX-License-Identifier: Apache-2.0
/* How paths are chosen: show load-balancer, show service-path, policy test, a session's history. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "agent/cli/table.h"

/* "12.5 ms", or nothing if it was not measured. */
static void add_number(struct fl_table *table, const struct fl_json *o, const char *key,
		       const char *unit)
{
	double value = 0;

	if (fl_json_get_double(fl_json_member(o, key), &value) < 0)
		fl_table_text(table, NULL);
	else
		fl_table_printf(table, "%.2f%s", value, unit);
}

static void add_load(struct fl_table *table, const struct fl_json *o)
{
	if (fl_cli_has(o, "capacity"))
		fl_table_printf(table, "%" PRIu64 " of %" PRIu64, fl_cli_number(o, "sessions"),
				fl_cli_number(o, "capacity"));
	else
		fl_table_printf(table, "%" PRIu64, fl_cli_number(o, "sessions"));
	if (fl_cli_has(o, "max-rate"))
		fl_table_printf(table, "%" PRIu64 " of %" PRIu64, fl_cli_number(o, "rate"),
				fl_cli_number(o, "max-rate"));
	else
		fl_table_printf(table, "%" PRIu64, fl_cli_number(o, "rate"));
	if (fl_cli_has(o, "device-capacity-mbps"))
		fl_table_printf(table, "%" PRIu64 " %% of %" PRIu64 " Mbit/s",
				fl_cli_number(o, "device-utilization-percent"),
				fl_cli_number(o, "device-capacity-mbps"));
	else
		fl_table_text(table, NULL);
}

/* --- show service-path ------------------------------------------------------------------------ */

static void print_service_paths(const struct fl_json *data)
{
	static const char *const titles[] = { "Service",  "Service-Route", "?Type",   "Destination",
					      "Next-Hop", "Interface",     "?Vector", ">Rank",
					      ">Cost",    "?>Sessions",    "?>Rate",  "?>Device",
					      "State",    "Meets-SLA",     "Taken",   NULL };
	static const char *const members[] = { "service",     "service-route", "type",
					       "destination", "next-hop",      "interface",
					       "vectors",     "vector-cost",   "cost",
					       NULL };
	const struct fl_json *list = fl_json_member(data, "service-paths");
	struct fl_table *table = fl_table_new(titles);

	for (size_t i = 0; i < fl_json_count(list); i++) {
		const struct fl_json *o = fl_json_at(list, i);

		for (const char *const *m = members; *m; m++)
			fl_table_member(table, o, *m);
		add_load(table, o);
		fl_table_member(table, o, "state");
		fl_table_member(table, o, "meets-sla");
		fl_table_member(table, o, "chosen");
	}
	fl_table_print(table);
	fl_table_free(table);
}

int fl_cmd_show_service_path(const struct fl_cli *cli, int argc, char **argv)
{
	const struct fl_json *data;
	struct fl_json *reply;
	int code;

	(void)argv;
	if (argc)
		return fl_cli_usage("show service-path");
	code = fl_cli_ask(cli, fl_cli_request("show service-path"), &reply, &data);
	if (data)
		print_service_paths(data);
	fl_json_free(reply);
	return code;
}

/* --- show load-balancer ----------------------------------------------------------------------- */

static void print_balancer(const struct fl_json *service)
{
	static const char *const titles[] = { "Path",     "?Type",     ">Rank",     ">Cost",
					      "State",    ">Loss",     ">Latency",  ">Jitter",
					      ">Mos",     "Meets-SLA", ">Sessions", "?>Rate",
					      "?>Device", "Why not",   NULL };
	const struct fl_json *list = fl_json_member(service, "paths");
	struct fl_table *table = fl_table_new(titles);

	printf("%s: policy %s, %s, best path by %s%s; %s\n", fl_cli_text(service, "service"),
	       fl_cli_text(service, "service-policy"), fl_cli_text(service, "strategy"),
	       fl_cli_text(service, "best-path-criteria"),
	       fl_json_get_bool(fl_json_member(service, "best-effort")) ? "" : ", no best effort",
	       fl_cli_text(service, "result"));
	for (size_t i = 0; i < fl_json_count(list); i++) {
		const struct fl_json *o = fl_json_at(list, i);

		fl_table_text(table, fl_cli_text(o, fl_cli_has(o, "path") ? "path" : "interface"));
		fl_table_member(table, o, "type");
		fl_table_member(table, o, "vector-cost");
		fl_table_member(table, o, "cost");
		fl_table_member(table, o, "state");
		add_number(table, o, "loss-percent", " %");
		add_number(table, o, "latency-ms", " ms");
		add_number(table, o, "jitter-ms", " ms");
		add_number(table, o, "mos", "");
		fl_table_member(table, o, "meets-sla");
		add_load(table, o);
		fl_table_text(table,
			      fl_cli_has(o, "reason") ? fl_cli_text(o, "reason") : "(taken next)");
	}
	fl_table_print(table);
	fl_table_free(table);
}

int fl_cmd_show_load_balancer(const struct fl_cli *cli, int argc, char **argv)
{
	const struct fl_json *data, *list;
	struct fl_json *reply;
	int code;

	(void)argv;
	if (argc)
		return fl_cli_usage("show load-balancer");
	code = fl_cli_ask(cli, fl_cli_request("show load-balancer"), &reply, &data);
	list = fl_json_member(data, "services");
	for (size_t i = 0; data && i < fl_json_count(list); i++) {
		if (i)
			putchar('\n');
		print_balancer(fl_json_at(list, i));
	}
	fl_json_free(reply);
	return code;
}

/* --- explain session: what was --------------------------------------------------------------- */

static double seconds_ago(const struct fl_json *o)
{
	double s = 0;

	fl_json_get_double(fl_json_member(o, "seconds-ago"), &s);
	return s;
}

static void print_record(const struct fl_json *record)
{
	const struct fl_json *list = fl_json_member(record, "paths");

	printf("  %s\n", fl_cli_text(record, "result"));
	for (size_t i = 0; i < fl_json_count(list); i++) {
		const struct fl_json *o = fl_json_at(list, i);

		printf("  %s %s: %s\n", fl_json_get_bool(fl_json_member(o, "chosen")) ? "->" : "  ",
		       fl_cli_text(o, "path"), fl_cli_text(o, "why"));
	}
}

void fl_cli_print_history(const struct fl_json *data)
{
	const struct fl_json *decision = fl_json_member(data, "decision");
	const struct fl_json *moves = fl_json_member(data, "moves");

	if (decision) {
		printf("opened %.1f s ago, decided by what was known then:\n",
		       seconds_ago(decision));
		print_record(decision);
	} else {
		puts("opened before this agent started, or too long ago: no record of why");
	}
	for (size_t i = 0; i < fl_json_count(moves); i++) {
		const struct fl_json *m = fl_json_at(moves, i);

		printf("moved %.1f s ago from %s to %s: %s", seconds_ago(m), fl_cli_text(m, "from"),
		       fl_cli_text(m, "to"), fl_cli_text(m, "cause"));
		if (fl_cli_number(m, "sessions") > 1)
			printf(" (%" PRIu64 " sessions together)", fl_cli_number(m, "sessions"));
		putchar('\n');
		if (fl_cli_has(m, "decision"))
			print_record(fl_json_member(m, "decision"));
	}
}

/* --- policy test ------------------------------------------------------------------------------ */

static const char *const counts[] = { "replayed", "unchanged", "denied", "moved",
				      "no-longer-recorded" };

static void print_replayed(struct fl_table *table, const struct fl_json *o)
{
	char ends[160];

	snprintf(ends, sizeof(ends), "%s %s:%" PRIu64 " %s:%" PRIu64, fl_cli_text(o, "protocol"),
		 fl_cli_text(o, "source"), fl_cli_number(o, "source-port"),
		 fl_cli_text(o, "destination"), fl_cli_number(o, "destination-port"));
	fl_table_member(table, o, "verdict");
	fl_table_member(table, o, "tenant");
	fl_table_member(table, o, "service");
	fl_table_text(table, ends);
	fl_table_member(table, o, "from");
	fl_table_member(table, o, "to");
	fl_table_text(table,
		      fl_cli_has(o, "reason") ? fl_cli_text(o, "reason") : fl_cli_text(o, "why"));
}

/* One page's sessions and counts into what was there before. */
static void add_page(const struct fl_json *data, struct fl_json *list, uint64_t sums[5])
{
	const struct fl_json *page = fl_json_member(data, "sessions");

	for (size_t i = 0; i < fl_json_count(page); i++)
		fl_cli_copy(list, NULL, fl_json_at(page, i));
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		sums[i] += fl_cli_number(data, counts[i]);
}

static void print_test(const struct fl_json *all)
{
	static const char *const titles[] = { "Verdict", "Tenant", "Service", "Session",
					      "From",    "To",     "Why",     NULL };
	const struct fl_json *list = fl_json_member(all, "sessions");
	struct fl_table *table = fl_table_new(titles);

	for (size_t i = 0; i < fl_json_count(list); i++)
		print_replayed(table, fl_json_at(list, i));
	if (fl_json_count(list))
		fl_table_print(table);
	fl_table_free(table);
	printf("%" PRIu64 " sessions replayed: %" PRIu64 " as they were, %" PRIu64
	       " denied, %" PRIu64 " on another path",
	       fl_cli_number(all, "replayed"), fl_cli_number(all, "unchanged"),
	       fl_cli_number(all, "denied"), fl_cli_number(all, "moved"));
	if (fl_cli_number(all, "no-longer-recorded"))
		printf(", %" PRIu64 " whose record is gone",
		       fl_cli_number(all, "no-longer-recorded"));
	putchar('\n');
}

/* Page after page, so that the agent gets back to its packets. Return: exit code. */
static int ask_all(const struct fl_cli *cli, const char *text, struct fl_json *all)
{
	struct fl_json *list = fl_json_add_array(all, "sessions"), *request, *reply;
	const struct fl_cli quiet = { .socket = cli->socket };
	uint64_t sums[5] = { 0 }, after = 0;
	const struct fl_json *data;
	bool more = true;
	int code = FL_CTL_OK;

	while (more && code == FL_CTL_OK) {
		request = fl_cli_request("policy test");
		fl_json_add_string(request, "text", text);
		fl_json_add_u64(request, "after", after);
		fl_json_add_u64(request, "last-seconds", cli->last_s ? cli->last_s : 3600);
		code = fl_cli_ask(&quiet, request, &reply, &data);
		if (data)
			add_page(data, list, sums);
		more = data && fl_cli_has(data, "next");
		after = fl_cli_number(data, "next");
		fl_json_free(reply);
	}
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		fl_json_add_u64(all, counts[i], sums[i]);
	return code;
}

int fl_cmd_policy_test(const struct fl_cli *cli, int argc, char **argv)
{
	struct fl_json *all;
	char *text;
	int code;

	if (argc != 1)
		return fl_cli_usage("policy test");
	code = fl_cli_read_file(argv[0], &text);
	if (code)
		return code;
	all = fl_json_new_object();
	code = ask_all(cli, text, all);
	explicit_bzero(text, strlen(text));
	free(text);
	if (code == FL_CTL_OK && cli->json)
		fl_cli_print_json(all);
	else if (code == FL_CTL_OK)
		print_test(all);
	if (code == FL_CTL_OK && fl_cli_number(all, "denied") + fl_cli_number(all, "moved"))
		code = FL_CTL_NO;
	fl_json_free(all);
	return code;
}

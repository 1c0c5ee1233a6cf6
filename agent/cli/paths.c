// SPDX-License-Identifier: Apache-2.0
/* show paths: one line each, or all that is known of each. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "agent/cli/table.h"

/* A measured value; "-" for one that was not. */
static const char *real(const struct fl_json *object, const char *key, int decimals, char text[32])
{
	const struct fl_json *value = fl_json_member(object, key);
	double number = 0;

	if (!value || fl_json_get_double(value, &number) < 0)
		return "-";
	snprintf(text, 32, "%.*f", decimals, number);
	return text;
}

static bool is_up(const struct fl_json *path)
{
	return !strcmp(fl_cli_text(path, "status"), "up");
}

/* Downs of all causes. */
static uint64_t downs_of(const struct fl_json *path)
{
	static const char *const causes[] = { "timer-expiry",    "echo-failed",
					      "remote-down",     "remote-admin-down",
					      "local-oper-down", "local-admin-down" };
	const struct fl_json *downs = fl_json_member(fl_json_member(path, "bfd"), "downs");
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		sum += fl_cli_number(downs, causes[i]);
	return sum;
}

static const char *nat_text(const struct fl_json *path)
{
	const struct fl_json *nat = fl_json_member(path, "nat");
	bool peer = fl_json_get_bool(fl_json_member(nat, "peer"));
	bool self = fl_json_get_bool(fl_json_member(nat, "self"));

	if (!nat)
		return "-";
	return peer && self ? "both" : peer ? "peer" : self ? "self" : "no";
}

static void add_line(struct fl_table *table, const struct fl_json *path)
{
	char text[32];

	fl_table_member(table, path, "peer");
	fl_table_member(table, path, "interface");
	fl_table_member(table, path, "local");
	fl_table_member(table, path, "remote");
	fl_table_member(table, path, "status");
	fl_table_text(table, real(path, "latency-ms", 1, text));
	fl_table_text(table, real(path, "jitter-ms", 1, text));
	fl_table_text(table, real(path, "loss-percent", 1, text));
	fl_table_text(table, real(path, "mos", 2, text));
	fl_table_member(table, path, "source");
	fl_table_text(table, fl_duration_text(fl_cli_number(path, "since-seconds"), text));
	fl_table_printf(table, "%" PRIu64, downs_of(path));
	fl_table_text(table, nat_text(path));
	fl_table_member(table, path, "mtu");
	fl_table_member(table, path, "cost");
	fl_table_member(table, path, "reason");
}

static void print_lines(const struct fl_json *list)
{
	static const char *const titles[] = { "Peer",   "Interface",   "?Local",  "Remote",
					      "Status", ">Latency ms", ">Jitter", ">Loss %",
					      ">MOS",   "?By",         ">For",    "?>Downs",
					      "?NAT",   "?>MTU",       "?>Cost",  "Reason",
					      NULL };
	struct fl_table *table = fl_table_new(titles);

	for (size_t i = 0; i < fl_json_count(list); i++)
		add_line(table, fl_json_at(list, i));
	fl_table_print(table);
	fl_table_free(table);
}

/* --- in full -----------------------------------------------------------------------------------
 */

static void print_quality(const char *title, const struct fl_json *q)
{
	char latency[32], jitter[32], loss[32], mos[32];

	printf("  %-14s latency %s ms, jitter %s ms, loss %s %%, MOS %s\n", title,
	       real(q, "latency-ms", 3, latency), real(q, "jitter-ms", 3, jitter),
	       real(q, "loss-percent", 2, loss), real(q, "mos", 2, mos));
}

static bool print_down(void *ctx, const char *key, struct fl_json *value)
{
	bool *first = ctx;
	uint64_t count = 0;

	fl_json_get_u64(value, &count);
	printf("%s%s %" PRIu64, *first ? "" : ", ", key, count);
	*first = false;
	return true;
}

static void print_bfd(const struct fl_json *bfd)
{
	char since[32], detection[32], interval[32];
	bool first = true;

	printf("  %-14s %s for %s, the peer says %s; sent every %s ms, down after %s ms\n", "bfd",
	       fl_cli_text(bfd, "state"),
	       fl_duration_text(fl_cli_number(bfd, "since-seconds"), since),
	       fl_cli_text(bfd, "remote-state"), real(bfd, "transmit-interval-ms", 0, interval),
	       real(bfd, "detection-ms", 0, detection));
	printf("  %-14s ", "downs");
	fl_json_for_each(fl_json_member(bfd, "downs"), print_down, &first);
	printf("; next hold-down %" PRIu64 " s\n", fl_cli_number(bfd, "hold-down-seconds"));
	printf("  %-14s %s; the peer's: %s\n", "last down", fl_cli_text(bfd, "diagnostic"),
	       fl_cli_text(bfd, "remote-diagnostic"));
	printf("  %-14s %" PRIu64 " sent, %" PRIu64 " received, %" PRIu64 " not proven, %" PRIu64
	       " replayed\n",
	       "packets", fl_cli_number(bfd, "sent"), fl_cli_number(bfd, "received"),
	       fl_cli_number(bfd, "authentication-failures"), fl_cli_number(bfd, "replays"));
	printf("  %-14s %" PRIu64 " restarts, moves sessions %s\n", "peer",
	       fl_cli_number(bfd, "peer-restarts"),
	       fl_json_get_bool(fl_json_member(bfd, "peer-moves-by-vector")) ? "by vector"
									     : "one by one");
}

static void print_nat(const struct fl_json *path)
{
	const struct fl_json *nat = fl_json_member(path, "nat");

	printf("  %-14s %s, %" PRIu64 " changes", "NAT", nat_text(path),
	       fl_cli_number(nat, "changes"));
	if (fl_cli_has(nat, "peer-seen-at"))
		printf("; the peer is at %s port %" PRIu64, fl_cli_text(nat, "peer-seen-at"),
		       fl_cli_number(nat, "peer-seen-at-port"));
	if (fl_cli_has(nat, "seen-at"))
		printf(", sees us at %s port %" PRIu64, fl_cli_text(nat, "seen-at"),
		       fl_cli_number(nat, "seen-at-port"));
	putchar('\n');
}

static void print_path(const struct fl_json *path)
{
	const struct fl_json *test = fl_json_member(path, "last-link-test");
	char since[32], title[48];

	printf("%s: %s to %s, %s for %s%s%s\n", fl_cli_text(path, "name"),
	       fl_cli_text(path, "local"), fl_cli_text(path, "remote"), fl_cli_text(path, "status"),
	       fl_duration_text(fl_cli_number(path, "since-seconds"), since),
	       is_up(path) ? "" : ": ", is_up(path) ? "" : fl_cli_text(path, "reason"));
	printf("  %-14s %s at %s, MTU %" PRIu64 ", cost %" PRIu64 "\n", "next hop",
	       fl_cli_text(path, "next-hop"), fl_cli_text(path, "next-hop-mac"),
	       fl_cli_number(path, "mtu"), fl_cli_number(path, "cost"));
	printf("  %-14s key %" PRIu64 ", HMAC on %s\n", "security",
	       fl_cli_number(path, "security-id"),
	       strcmp(fl_cli_text(path, "hmac-packets"), "all") ? "packets with metadata"
								: "all packets");
	if (!test) {
		printf("  %-14s disabled\n", "bfd");
		return;
	}
	print_quality("mean", path);
	snprintf(title, sizeof(title), "last test");
	print_quality(title, test);
	printf("  %-14s %" PRIu64 " sent, %" PRIu64 " came back\n", "link tests",
	       fl_cli_number(test, "sent"), fl_cli_number(test, "received"));
	print_bfd(fl_json_member(path, "bfd"));
	print_nat(path);
}

int fl_cmd_show_paths(const struct fl_cli *cli, int argc, char **argv)
{
	const struct fl_json *data, *list;
	struct fl_json *reply;
	int code;

	(void)argv;
	if (argc)
		return fl_cli_usage("show paths");
	code = fl_cli_ask(cli, fl_cli_request("show paths"), &reply, &data);
	list = data ? fl_json_member(data, "paths") : NULL;
	if (data && !cli->detail)
		print_lines(list);
	for (size_t i = 0; data && cli->detail && i < fl_json_count(list); i++) {
		if (i)
			putchar('\n');
		print_path(fl_json_at(list, i));
	}
	fl_json_free(reply);
	return code;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * rtnetlink against the kernel, in a network namespace of its own: what the events say must be what
 * `ip` says, whatever is lost, interrupted or asked for meanwhile.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/hash.h"
#include "agent/base/log.h"
#include "agent/net/rtnl.h"

#define PAIRS  60   /* of devices: a dump of them takes several parts */
#define NEIGHS 1000 /* the same */

/* What the events have said so far: "link 3" is "lan1", "neigh 3 10.0.0.7" is a MAC. */
struct fact {
	char what[72];
	char value[24];
	UT_hash_handle hh;
};

static struct fl_rtnl *rtnl;
static struct fact *view;
static unsigned int route_events;
static bool ask_meanwhile, lost_answer;
static const char *once_meanwhile; /* a command to run when the next link is told of */

static void __attribute__((format(printf, 3, 4)))
set_fact(bool exists, const char *value, const char *fmt, ...)
{
	char what[sizeof(view->what)];
	struct fact *fact;
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	HASH_FIND_STR(view, what, fact);
	if (fact && !exists) {
		HASH_DEL(view, fact);
		free(fact);
		return;
	}
	if (!exists)
		return;
	if (!fact) {
		fact = calloc(1, sizeof(*fact));
		cr_assert(fact);
		memcpy(fact->what, what, sizeof(what));
		HASH_ADD_STR(view, what, fact);
	}
	snprintf(fact->value, sizeof(fact->value), "%s", value);
}

static void run(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

/* As the fabric does: routes and neighbours are asked for while something is told. */
static void ask(void)
{
	struct fl_route route = { .type = FL_ROUTE_NONE };
	struct fl_addr dst, neigh;

	if (!ask_meanwhile)
		return;
	fl_addr_parse("192.0.2.9", &dst);
	fl_addr_parse("10.0.77.1", &neigh);
	if (fl_rtnl_route(rtnl, &dst, 0, &route) || route.type != FL_ROUTE_UNICAST ||
	    fl_rtnl_resolve(rtnl, if_nametoindex("lan0"), &neigh))
		lost_answer = true;
}

static void on_link(void *ctx, const struct fl_link *link)
{
	const char *command = once_meanwhile;

	(void)ctx;
	set_fact(!link->removed, link->name, "link %u", link->ifindex);
	once_meanwhile = NULL;
	if (command)
		run(command);
	ask();
}

static char last_broadcast[FL_ADDR_TEXT];

static void on_addr(void *ctx, uint32_t ifindex, const struct fl_addr *addr,
		    const struct fl_addr *broadcast, bool present)
{
	char text[FL_ADDR_TEXT];

	(void)ctx;
	last_broadcast[0] = 0;
	if (broadcast->family)
		fl_addr_format(broadcast, last_broadcast);
	set_fact(present, "", "addr %u %s", ifindex, fl_addr_format(addr, text));
	ask();
}

static void on_neigh(void *ctx, const struct fl_neigh *neigh)
{
	char text[FL_ADDR_TEXT], mac[24];

	(void)ctx;
	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", neigh->mac[0], neigh->mac[1],
		 neigh->mac[2], neigh->mac[3], neigh->mac[4], neigh->mac[5]);
	set_fact(neigh->valid, mac, "neigh %u %s", neigh->ifindex,
		 fl_addr_format(&neigh->addr, text));
	ask();
}

static void on_route(void *ctx)
{
	(void)ctx;
	route_events++;
}

static const struct fl_rtnl_events events = {
	.link = on_link,
	.addr = on_addr,
	.neigh = on_neigh,
	.route = on_route,
};

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool own_network(void)
{
	char map[32];

	if (!unshare(CLONE_NEWNET))
		return true;
	snprintf(map, sizeof(map), "0 %u 1", (unsigned int)getuid());
	return !unshare(CLONE_NEWUSER | CLONE_NEWNET) && write_file("/proc/self/uid_map", map);
}

static void setup(void)
{
	if (!own_network())
		cr_skip_test("no network namespace to change");
	fl_log_init(FL_LOG_ERROR);
	run("ip link set lo up; ip link add name lan0 type veth peer name lan0p;"
	    "ip link set lan0 up; ip addr add 10.0.0.1/16 dev lan0;"
	    "ip route add 192.0.2.0/24 via 10.0.0.2");
	cr_assert_eq(fl_rtnl_new(&events, NULL, &rtnl), 0);
}

static void teardown(void)
{
	struct fact *fact, *next;

	fl_rtnl_free(rtnl);
	HASH_ITER(hh, view, fact, next) {
		HASH_DEL(view, fact);
		free(fact);
	}
}

TestSuite(rtnl, .init = setup, .fini = teardown, .timeout = 60);

#define GONE (-1)

/* Neighbours of a range get MAC addresses of a generation, or go. */
static void neighs(int generation, int from, int to)
{
	FILE *ip = popen("ip -batch -", "w");

	cr_assert(ip);
	for (int i = from; i < to; i++)
		if (generation == GONE)
			fprintf(ip, "neigh del 10.0.%d.%d dev lan0\n", i / 250, i % 250 + 1);
		else
			fprintf(ip,
				"neigh replace 10.0.%d.%d lladdr 02:00:00:00:%02d:%02d dev lan0 "
				"nud permanent\n",
				i / 250, i % 250 + 1, generation, i % 100);
	cr_assert_eq(pclose(ip), 0);
}

static void add_links(int n)
{
	FILE *ip = popen("ip -batch -", "w");

	cr_assert(ip);
	for (int i = 1; i <= n; i++)
		fprintf(ip,
			"link add name lan%d type veth peer name lan%dp\n"
			"addr add 10.%d.0.1/24 dev lan%d\n",
			i, i, i, i);
	cr_assert_eq(pclose(ip), 0);
}

/* Compare with what iproute2 sees. */
static const char ground_truth[] =
	"ip -j link | jq -r '.[] | \"link \\(.ifindex) \\(.ifname)\"';"
	"ip -j addr | jq -r '.[] as $l | $l.addr_info[] | \"addr \\($l.ifindex) \\(.local)\"';"
	"ip -j neigh show nud permanent | jq -r '.[] | \"neigh \\(.dev) \\(.dst) \\(.lladdr)\"'";

static bool agrees(const char *line, struct fact **ret_fact)
{
	char what[80], kind[8], where[20], text[48] = "", value[24] = "";
	int n = sscanf(line, "%7s %19s %47s %23s", kind, where, text, value);
	bool is_link = !strcmp(kind, "link"), is_neigh = !strcmp(kind, "neigh");

	cr_assert_geq(n, 3, "%s", line);
	if (is_link)
		snprintf(what, sizeof(what), "link %s", where);
	else if (is_neigh)
		snprintf(what, sizeof(what), "neigh %u %s", if_nametoindex(where), text);
	else
		snprintf(what, sizeof(what), "addr %s %s", where, text);
	HASH_FIND_STR(view, what, *ret_fact);
	return *ret_fact && !strcmp((*ret_fact)->value, is_link ? text : is_neigh ? value : "");
}

static void check_view(void)
{
	FILE *truth = popen(ground_truth, "r");
	unsigned int lines = 0;
	struct fact *fact;
	char line[160];

	cr_assert(truth);
	while (fgets(line, sizeof(line), truth)) {
		lines++;
		cr_expect(agrees(line, &fact), "the view has %s, not: %s",
			  fact ? fact->value : "nothing", line);
	}
	cr_assert_eq(pclose(truth), 0);
	cr_assert_gt(lines, 4);
	cr_expect_eq(HASH_COUNT(view), lines, "the view has %u things, there are %u",
		     HASH_COUNT(view), lines);
}

/* Dispatch until nothing has come for a while. */
static void settle(void)
{
	struct pollfd fd = { .fd = fl_rtnl_fd(rtnl), .events = POLLIN };

	do {
		cr_assert_eq(fl_rtnl_dispatch(rtnl), 0);
		cr_assert_eq(fl_rtnl_catch_up(rtnl), 0);
	} while (poll(&fd, 1, 200) > 0);
}

/* Events that the kernel could not queue, of all sockets of this namespace. */
static unsigned long drops(void)
{
	FILE *file = fopen("/proc/self/net/netlink", "r");
	unsigned long n, sum = 0;
	char line[256];

	cr_assert(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %*s %lu", &n) == 1)
			sum += n;
	fclose(file);
	return sum;
}

static void small_buffer(void)
{
	const int size = 16384;

	setsockopt(fl_rtnl_fd(rtnl), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

Test(rtnl, dump_while_its_reader_asks_for_routes_and_neighbours)
{
	add_links(PAIRS);
	neighs(0, 0, NEIGHS);
	ask_meanwhile = true;
	cr_assert_eq(fl_rtnl_start(rtnl), 0);
	cr_expect_not(lost_answer);
	settle();
	check_view();
}

Test(rtnl, events_whose_reader_asks_for_routes_and_neighbours)
{
	cr_assert_eq(fl_rtnl_start(rtnl), 0);
	ask_meanwhile = true;
	add_links(PAIRS);
	neighs(0, 0, NEIGHS);
	neighs(GONE, 100, 200);
	settle();
	cr_expect_not(lost_answer);
	check_view();
}

Test(rtnl, dump_that_a_change_interrupts_is_read_again)
{
	add_links(PAIRS);
	once_meanwhile = "ip link add name late type veth peer name latep; ip link del lan50;"
			 "ip link del lan3";
	cr_assert_eq(fl_rtnl_start(rtnl), 0);
	cr_expect_null(once_meanwhile);
	check_view();
}

Test(rtnl, everything_is_known_again_after_an_overflow)
{
	add_links(PAIRS);
	neighs(0, 0, NEIGHS);
	cr_assert_eq(fl_rtnl_start(rtnl), 0);
	check_view();
	small_buffer();
	ask_meanwhile = true;
	/* Some come in the queue whose going is lost; some go, some come, some change. */
	neighs(0, NEIGHS, 2 * NEIGHS);
	neighs(GONE, NEIGHS, 2 * NEIGHS);
	neighs(GONE, 0, NEIGHS / 2);
	neighs(1, NEIGHS - 300, NEIGHS);
	run("ip link del lan7; ip link set lan8 name lanx; ip addr del 10.9.0.1/24 dev lan9;"
	    "ip addr add 10.200.0.1/24 dev lan10; ip route add 198.51.100.0/24 via 10.0.0.2");
	cr_assert_gt(drops(), 1000, "the socket did not overflow: %lu", drops());
	route_events = 0;
	settle();
	cr_expect_not(lost_answer);
	cr_expect_gt(route_events, 0);
	check_view();
}

/* Another process changes things without end; the view is right once that has ended. */
Test(rtnl, everything_is_known_after_a_flood)
{
	static const char changes[] =
		"for i in 1 2 3 4 5 6 7 8; do for n in $(seq 1 250); do"
		" echo neigh replace 10.0.9.$n lladdr 02:00:00:00:0$i:09 dev lan0 nud permanent;"
		" [ $((n % 8)) != 0 ] || echo link set lan$((n / 8)) mtu $((1400 + i));"
		" [ $((n % 25)) != 0 ] || echo addr replace 10.77.$i.$((n / 25))/32 dev lan$i;"
		" [ $((n % 3)) != 0 ] || echo neigh del 10.0.9.$n dev lan0;"
		" done; echo link del lan5$i; done | ip -batch -";
	struct pollfd fd = { .fd = fl_rtnl_fd(rtnl), .events = POLLIN };
	pid_t child;
	int status;

	add_links(PAIRS);
	cr_assert_eq(fl_rtnl_start(rtnl), 0);
	small_buffer();
	child = fork();
	cr_assert_geq(child, 0);
	if (!child) {
		execl("/bin/bash", "bash", "-c", changes, NULL);
		_exit(127);
	}
	ask_meanwhile = true;
	while (!waitpid(child, &status, WNOHANG)) {
		/* As slow as a router that has other work. */
		usleep(2000);
		if (poll(&fd, 1, 10) > 0)
			cr_assert_eq(fl_rtnl_dispatch(rtnl), 0);
		fl_rtnl_catch_up(rtnl);
	}
	cr_assert_eq(status, 0);
	cr_assert_gt(drops(), 0, "the socket did not overflow");
	settle();
	check_view();
}

/* What the kernel takes for the broadcast address of a network of ours. */
Test(rtnl, broadcast_addresses)
{
	static const struct {
		const char *addr;
		const char *broadcast;
	} rows[] = {
		{ "10.7.1.1/24", "10.7.1.255" },
		{ "10.7.2.130/25", "10.7.2.255" },
		{ "10.7.9.1/21", "10.7.15.255" },
		{ "10.7.3.1/24 brd 10.7.3.127", "10.7.3.127" },
		{ "10.7.4.0/31", "" },
		{ "10.7.5.1/32", "" },
		{ "10.7.6.1 peer 10.8.6.9/24", "10.8.6.255" },
		{ "2001:db8:7::1/64 nodad", "" },
	};

	cr_assert_eq(fl_rtnl_start(rtnl), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char command[96];

		snprintf(command, sizeof(command), "ip addr add %s dev lan0", rows[i].addr);
		run(command);
		cr_assert_eq(fl_rtnl_dispatch(rtnl), 0);
		cr_assert_str_eq(last_broadcast, rows[i].broadcast, "%s: %s", rows[i].addr,
				 last_broadcast);
	}
}

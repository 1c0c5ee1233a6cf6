// SPDX-License-Identifier: Apache-2.0
/* What the export tells of a router, in the small world of the engine's tests. */
#include <errno.h>
#include <math.h>

#include "agent/export/collect.h"
#include "agent/path/fabric_internal.h"
#include "test/unit/engine_test.h"

#define MAX_RECORDS 4096

static struct fl_export_record records[MAX_RECORDS];
static size_t n_records;
static struct fl_collect *collect;
static uint64_t rx_bytes, tx_bytes;
static bool no_counters;

static void put(void *ctx, const struct fl_export_record *record)
{
	(void)ctx;
	MUST_BE(n_records < MAX_RECORDS);
	records[n_records++] = *record;
}

static int link_bytes(void *ctx, uint32_t ifindex, uint64_t *ret_rx, uint64_t *ret_tx)
{
	(void)ctx;
	if (no_counters)
		return -ENODEV;
	*ret_rx = rx_bytes * ifindex;
	*ret_tx = tx_bytes * ifindex;
	return 0;
}

static const char *lease; /* of whoever asks */

static const char *host_name(void *ctx, const struct fl_addr *addr, const uint8_t mac[6])
{
	(void)ctx;
	(void)addr;
	(void)mac;
	return lease;
}

static const struct fl_collect_ops ops = { put, link_bytes, host_name };

static void closing(void *ctx, uint32_t id)
{
	(void)ctx;
	fl_collect_closing(collect, id);
}

#define EXPORT(more) ",'export':{'enabled':true" more "}"

static void begin_to_watch(struct router *r)
{
	const struct fl_collect_view view = { &r->t, r->fabric, fl_engine_store(r->engine),
					      fl_engine_choice(r->engine) };

	MUST_BE(!fl_collect_new(&view, &ops, NULL, &collect));
	fl_collect_configure(collect, r->config);
}

static struct world *start(int router, const char *export)
{
	const struct world_opts opts = { .router = export };
	struct world *w = world_new(&opts);
	struct router *r = &w->r[router];

	begin_to_watch(r);
	r->engine->io.closing = closing;
	n_records = 0;
	return w;
}

static void stop(struct world *w)
{
	w->r[R1].engine->io.closing = w->r[R2].engine->io.closing = NULL;
	fl_collect_free(collect);
	world_free(w);
}

static void advance(struct world *w, unsigned int seconds)
{
	for (unsigned int i = 0; i < seconds * (1000 / FL_COLLECT_TICK_MS); i++) {
		world_advance(w, FL_COLLECT_TICK_MS);
		fl_collect_tick(collect);
	}
}

static size_t count(enum fl_export_type type)
{
	size_t sum = 0;

	for (size_t i = 0; i < n_records; i++)
		sum += records[i].type == type;
	return sum;
}

/* Record number @n of a kind, which must be there. */
static const struct fl_export_record *nth(enum fl_export_type type, size_t n)
{
	size_t i = 0;

	cr_assert_lt(n, count(type), "record %zu of kind %d is not there", n, type);
	while (records[i].type != type || n--)
		i++;
	return &records[i];
}

static const struct fl_export_session *session(size_t n)
{
	return &nth(FL_EXPORT_SESSION, n)->session;
}

static const struct fl_export_event *event(size_t n)
{
	return &nth(FL_EXPORT_EVENT, n)->event;
}

static const struct fl_export_neighbour *neighbour(size_t n)
{
	return &nth(FL_EXPORT_NEIGHBOUR, n)->neighbour;
}

/* The last minute of a path, which must be there. */
static const struct fl_export_path_minute *minute(const char *path)
{
	size_t i = n_records;

	while (i && (records[i - 1].type != FL_EXPORT_PATH_MINUTE ||
		     strcmp(records[i - 1].path_minute.path, path)))
		i--;
	cr_assert_neq(i, 0, "no minute of %s", path);
	return &records[i - 1].path_minute;
}

static int64_t wall_s(const struct world *w)
{
	return (int64_t)(w->wall_ns / FL_NS_PER_S);
}

static void talk(struct world *w)
{
	const struct say dns = { 0 };

	client_says(w, &dns);
	server_says(w, &dns);
}

static void expect_addr(const struct fl_addr *got, const char *want)
{
	char text[FL_ADDR_TEXT];

	cr_expect_str_eq(fl_addr_format(got, text), want);
}

/* --- sessions ---------------------------------------------------------------------------------
 */

Test(export_collect, a_call_from_start_to_end)
{
	struct world *w = start(R1, EXPORT(",'zoom-service':['datacenter']"));
	struct router *r = &w->r[R1];
	const struct fl_export_session *s;
	struct fl_addr client = addr_of("10.1.0.5");
	int64_t began = wall_s(w), moved;
	uint8_t mac[6];

	talk(w);
	advance(w, 9);
	cr_expect_eq(count(FL_EXPORT_SESSION), 0, "not before session-minimum");
	advance(w, 8);
	s = session(0);
	expect_addr(&s->client, "10.1.0.5");
	expect_addr(&s->remote, "10.2.0.53");
	cr_expect_eq(s->nat.family, 0, "between peers the client keeps its address");
	cr_expect_eq(s->client_port, 40000);
	cr_expect_eq(s->remote_port, 53);
	cr_expect_eq(s->protocol, 17);
	cr_expect_str_eq(s->app, "zoom");
	mac_of_addr(&client, mac);
	cr_expect_eq(memcmp(s->mac, mac, 6), 0, "from the kernel's neighbour table");
	cr_expect_eq(memcmp(s->uuid, r->t.sessions[router_session(r)].uuid, 16), 0);
	cr_expect_leq(llabs(s->start_s - began), 1);
	cr_expect_not(s->ended);
	cr_expect_leq(llabs(s->until_s - wall_s(w)), 8);
	cr_assert_eq(s->step_count, 1);
	cr_expect_str_eq(s->steps[0].path, "r2/wan1");
	cr_expect_eq(s->steps[0].since_s, s->start_s);

	/* Nothing new, nothing told; then the vector moves. */
	advance(w, 20);
	cr_expect_eq(count(FL_EXPORT_SESSION), 1);
	moved = wall_s(w);
	r->t.vectors[r->t.sessions[router_session(r)].out.vector].path = router_path(r, DEV_WAN2);
	advance(w, 8);
	s = session(1);
	cr_assert_eq(s->step_count, 1, "only what is new");
	cr_expect_str_eq(s->steps[0].path, "r2/wan2");
	cr_expect_leq(llabs(s->steps[0].since_s - moved), 1);
	cr_expect_str_eq(event(0)->kind, "VECTOR_MOVED");
	cr_expect_str_eq(event(0)->severity, "neutral");
	cr_expect_str_eq(event(0)->subject, "r2/wan2");
	cr_expect_str_eq(event(0)->detail, "from r2/wan1 to r2/wan2, policy both");

	fl_engine_clear_all(r->engine);
	s = session(2);
	cr_expect(s->ended);
	cr_expect_leq(llabs(s->until_s - wall_s(w)), 1);
	cr_expect_eq(s->step_count, 0);
	advance(w, 60);
	cr_expect_eq(count(FL_EXPORT_SESSION), 3, "an end is told once");
	stop(w);
}

/* Bytes of both directions, as the flows count them; told of again when there are more. */
Test(export_collect, bytes)
{
	struct world *w = start(R1, EXPORT(",'zoom-service':['datacenter'],'session-minimum':0"));
	struct router *r = &w->r[R1];
	uint32_t id;

	talk(w);
	id = router_session(r);
	r->t.flows[r->t.sessions[id].slot[0]].bytes = 1000;
	r->t.flows[r->t.sessions[id].slot[1]].bytes = 50;
	advance(w, 8);
	cr_expect_eq(session(0)->bytes, 1050);
	r->t.flows[r->t.sessions[id].slot[1]].bytes += 1ULL << 40;
	advance(w, 8);
	cr_expect_eq(session(1)->bytes, (1ULL << 40) + 1050);
	r->t.flows[r->t.sessions[id].slot[0]].bytes += 7;
	fl_engine_clear_all(r->engine);
	cr_expect_eq(session(2)->bytes, (1ULL << 40) + 1057, "up to the last packet");
	stop(w);
}

Test(export_collect, local_breakout)
{
	struct world *w = start(R1, EXPORT(",'vpn-service':['internet'],'session-minimum':0"));
	const struct say out = { .dst = "192.0.2.10", .dport = 4500 };
	const struct fl_export_session *s;

	client_says(w, &out);
	advance(w, 8);
	s = session(0);
	cr_expect_str_eq(s->app, "vpn");
	cr_expect_eq(s->nat.family, 4);
	cr_expect_neq(s->nat_port, 0);
	cr_assert_eq(s->step_count, 1);
	cr_expect_str_eq(s->steps[0].path, "inet", "the interface is its path");
	advance(w, 60);
	/* Which then has minutes too. */
	cr_expect_eq(minute("inet")->clients, 1);
	cr_expect_str_eq(minute("inet")->source, "none");
	cr_expect(isnan(minute("inet")->rtt_ms));
	stop(w);
}

/* The branch's router tells of the branch's clients; the data centre's does not. */
Test(export_collect, sessions_of_peers_are_theirs)
{
	struct world *w = start(R2, EXPORT(",'session-minimum':0"));

	talk(w);
	cr_assert_eq(router_sessions(&w->r[R2]), 1);
	advance(w, 10);
	fl_engine_clear_all(w->r[R2].engine);
	cr_expect_eq(count(FL_EXPORT_SESSION), 0);
	stop(w);
}

Test(export_collect, short_sessions)
{
	struct world *w = start(R1, EXPORT(""));

	talk(w);
	advance(w, 9);
	fl_engine_clear_all(w->r[R1].engine);
	cr_expect_eq(count(FL_EXPORT_SESSION), 0);
	/* Their record's next user is not taken for them. */
	talk(w);
	advance(w, 17);
	cr_expect_eq(session(0)->step_count, 1);
	stop(w);
}

/* Of a session that another process has told of, only what this one saw is said. */
Test(export_collect, adopted_session)
{
	struct world *w = start(R1, EXPORT(""));
	struct router *r = &w->r[R1];

	talk(w);
	advance(w, 30);
	fl_collect_free(collect);
	begin_to_watch(r);
	n_records = 0;
	advance(w, 8);
	cr_expect_leq(llabs(session(0)->start_s - (wall_s(w) - 38)), 1);
	cr_assert_eq(session(0)->step_count, 1);
	cr_expect_leq(llabs(session(0)->steps[0].since_s - (wall_s(w) - 8)), 1);
	stop(w);
}

Test(export_collect, records_beyond_the_rate_are_counted)
{
	struct world *w = start(R1, EXPORT(",'session-minimum':0,'records-per-second':1"));

	for (uint16_t port = 1; port <= 20; port++) {
		const struct say s = { .sport = port };

		client_says(w, &s);
	}
	fl_collect_tick(collect);
	fl_engine_clear_all(w->r[R1].engine);
	cr_expect_eq(count(FL_EXPORT_SESSION), 2, "a burst of two seconds' worth");
	cr_expect_eq(fl_collect_skipped(collect), 19, "one at the tick, twenty at their end");
	stop(w);
}

/* --- minutes ----------------------------------------------------------------------------------
 */

static void burst(struct world *w, enum device dev, struct fl_quality quality)
{
	struct router *r = &w->r[R1];
	struct fl_path_quality *q = &r->fabric->paths[router_path(r, dev)].quality;

	q->last = quality;
	q->burst_at = (struct fl_mono){ w->mono_ns };
}

static void to_next_minute(struct world *w)
{
	advance(w, (unsigned int)(60 - wall_s(w) % 60));
}

Test(export_collect, minute_of_a_path)
{
	struct world *w = start(R1, EXPORT(",'zoom-service':['datacenter'],'capacity':["
					   "{'interface':'wan1','upload':50,'download':100}]"));
	struct router *r = &w->r[R1];
	const struct fl_export_path_minute *m;
	const struct say other = { .src = "10.1.0.6" };
	int64_t now;

	to_next_minute(w);
	n_records = 0;
	now = wall_s(w) / 60;
	talk(w);
	client_says(w, &other);
	burst(w, DEV_WAN1, (struct fl_quality){ 10000, 1000, 0, FL_QUALITY_ALL });
	advance(w, 10);
	burst(w, DEV_WAN1, (struct fl_quality){ 30000, 2000, 20000, FL_QUALITY_ALL });
	advance(w, 10);
	/* All of it lost: that says nothing of latency. */
	burst(w, DEV_WAN1, (struct fl_quality){ 0, 0, 1000000, FL_QUALITY_LOSS });
	r->t.flows[r->t.sessions[router_session(r)].slot[0]].bytes += 5000000;
	rx_bytes += 1500000;
	tx_bytes += 750000;
	to_next_minute(w);
	m = minute("r2/wan1");
	cr_expect_eq(m->minute, now);
	cr_expect(m->active);
	cr_expect_str_eq(m->source, "bfd");
	cr_expect_float_eq(m->rtt_ms, 40, 1e-9, "%f: a round trip", m->rtt_ms);
	cr_expect_float_eq(m->jitter_ms, 1.5, 1e-9, "%f", m->jitter_ms);
	cr_expect_float_eq(m->loss_pct, 34, 1e-9, "%f", m->loss_pct);
	cr_expect_float_eq(m->rx_mbps, 1500000.0 * dev_ifindex(R1, DEV_WAN1) * 8 / 60e6, 0.05, "%f",
			   m->rx_mbps);
	cr_expect_float_eq(m->tx_mbps, m->rx_mbps / 2, 0.05);
	cr_expect_eq(m->tx_capacity_mbps, 50);
	cr_expect_eq(m->rx_capacity_mbps, 100);
	cr_expect_geq(m->zoom_bytes, 5000000);
	cr_expect_eq(m->clients, 2);
	m = minute("r2/wan2");
	cr_expect_str_eq(m->source, "none", "nobody measured it");
	cr_expect(isnan(m->rtt_ms) && isnan(m->loss_pct) && isnan(m->tx_capacity_mbps));
	cr_expect_eq(m->zoom_bytes, 0);

	/* The next minute has nothing of this one. */
	no_counters = true;
	to_next_minute(w);
	m = minute("r2/wan1");
	cr_expect_eq(m->minute, now + 1);
	cr_expect(isnan(m->rtt_ms) && isnan(m->loss_pct) && isnan(m->rx_mbps));
	cr_expect_eq(m->zoom_bytes, 0);
	cr_expect_eq(m->clients, 0);
	stop(w);
}

static struct fl_quality fpm_now;

static struct fl_quality fpm_of(void *ctx, uint16_t id, uint8_t proto)
{
	const struct router *r = ctx;

	cr_assert_eq(proto, 17);
	return id == router_path((struct router *)(uintptr_t)r, DEV_WAN1)
		       ? fpm_now
		       : (struct fl_quality){ 0 };
}

/* What users' own packets say counts more than probes; what they do not say, probes do. */
Test(export_collect, sources_are_named)
{
	struct world *w = start(R1, EXPORT(""));
	struct router *r = &w->r[R1];

	fl_choice_set_fpm(fl_engine_choice(r->engine), fpm_of, r);
	to_next_minute(w);
	fpm_now = (struct fl_quality){ 5000, 100, 0, FL_QUALITY_ALL };
	burst(w, DEV_WAN1, (struct fl_quality){ 10000, 1000, 20000, FL_QUALITY_ALL });
	to_next_minute(w);
	cr_expect_str_eq(minute("r2/wan1")->source, "fpm");
	cr_expect_float_eq(minute("r2/wan1")->rtt_ms, 10, 1e-9);
	cr_expect_float_eq(minute("r2/wan1")->loss_pct, 0, 1e-9);
	fpm_now.has = FL_QUALITY_LATENCY;
	advance(w, 1);
	burst(w, DEV_WAN1, (struct fl_quality){ 10000, 1000, 20000, FL_QUALITY_ALL });
	to_next_minute(w);
	cr_expect_str_eq(minute("r2/wan1")->source, "bfd+fpm");
	cr_expect_float_eq(minute("r2/wan1")->rtt_ms, 10, 1e-9);
	cr_expect_float_eq(minute("r2/wan1")->loss_pct, 2, 1e-9);
	stop(w);
}

/* A clock that is set forward or back: what was gathered belongs to no minute. */
Test(export_collect, clock_is_set)
{
	struct world *w = start(R1, EXPORT(""));

	advance(w, 10);
	w->wall_ns += 3600 * FL_NS_PER_S;
	advance(w, 1);
	cr_expect_eq(n_records, 0);
	w->wall_ns -= 7200 * FL_NS_PER_S;
	advance(w, 1);
	cr_expect_eq(n_records, 0);
	to_next_minute(w);
	cr_expect_eq(minute("r2/wan1")->minute, wall_s(w) / 60 - 1);
	stop(w);
}

/* --- events and neighbours --------------------------------------------------------------------
 */

Test(export_collect, path_goes_and_comes)
{
	struct world *w = start(R1, EXPORT(""));
	struct router *r = &w->r[R1];

	to_next_minute(w);
	advance(w, 1);
	router_link(r, DEV_WAN1, false);
	advance(w, 1);
	cr_expect_str_eq(event(0)->kind, "PATH_DOWN");
	cr_expect_str_eq(event(0)->severity, "bad");
	cr_expect_str_eq(event(0)->subject, "r2/wan1");
	cr_expect_str_neq(event(0)->detail, "", "it says why");
	cr_expect_eq(event(0)->at_s, wall_s(w) - 1);
	to_next_minute(w);
	cr_expect(minute("r2/wan1")->active, "for a part of the minute it was up");
	to_next_minute(w);
	cr_expect_not(minute("r2/wan1")->active);
	cr_expect(minute("r2/wan2")->active);
	router_link(r, DEV_WAN1, true);
	router_answer(r);
	advance(w, 1);
	cr_expect_str_eq(event(1)->kind, "PATH_UP");
	cr_expect_str_eq(event(1)->severity, "good");
	cr_expect_eq(count(FL_EXPORT_EVENT), 2);
	stop(w);
}

/* P-40: a path that breaks a policy's limits is told of, once, and so is its return. */
Test(export_collect, service_level)
{
	const struct world_opts opts = { .router = EXPORT(""),
					 .policy = ",'path-quality-filter':true,'max-latency':50" };
	struct world *w = world_new(&opts);
	struct router *r = &w->r[R1];
	struct fl_path_quality *q = &r->fabric->paths[router_path(r, DEV_WAN1)].quality;

	begin_to_watch(r);
	n_records = 0;
	q->mean = (struct fl_quality){ 10000, 500, 0, FL_QUALITY_ALL };
	advance(w, 30);
	cr_expect_eq(count(FL_EXPORT_EVENT), 0);
	q->mean.latency_us = 120000;
	advance(w, 30);
	cr_expect_str_eq(event(0)->kind, "SLA_VIOLATED");
	cr_expect_str_eq(event(0)->severity, "bad");
	cr_expect_str_eq(event(0)->subject, "r2/wan1");
	cr_expect_str_eq(event(0)->detail,
			 "policy both: latency 120.0 ms, jitter 0.5 ms, loss 0.00 %");
	cr_expect_eq(count(FL_EXPORT_EVENT), 1);
	q->mean.latency_us = 10000;
	advance(w, 600);
	cr_expect_str_eq(event(1)->kind, "SLA_MET");
	cr_expect_str_eq(event(1)->severity, "good");
	cr_expect_eq(count(FL_EXPORT_EVENT), 2);
	stop(w);
}

static void neigh(enum device dev, const char *addr, uint8_t last, bool valid)
{
	const struct fl_neigh n = { .ifindex = dev_ifindex(R1, dev),
				    .addr = addr_of(addr),
				    .mac = { 2, 0, 0, 0, 0, last },
				    .valid = valid };

	fl_collect_neigh(collect, &n);
}

/* Told of again with its name once there is one, and not again for that. */
Test(export_collect, names_of_neighbours)
{
	struct world *w = start(R1, EXPORT(""));

	lease = NULL;
	neigh(DEV_LAN, "10.1.0.77", 1, true);
	advance(w, 5);
	cr_assert_eq(count(FL_EXPORT_NEIGHBOUR), 1);
	cr_expect_str_eq(neighbour(0)->name, "");
	lease = "HQ-WS-0431";
	advance(w, 5);
	cr_assert_eq(count(FL_EXPORT_NEIGHBOUR), 2);
	cr_expect_str_eq(neighbour(1)->name, "HQ-WS-0431");
	advance(w, 20);
	cr_expect_eq(count(FL_EXPORT_NEIGHBOUR), 2);
	neigh(DEV_LAN, "10.1.0.78", 2, true);
	cr_expect_str_eq(neighbour(2)->name, "HQ-WS-0431", "at once, if it is known");
	lease = NULL;
	stop(w);
}

Test(export_collect, neighbours)
{
	struct world *w = start(R1, EXPORT(""));
	const struct fl_export_neighbour *n;
	int64_t came = wall_s(w);

	neigh(DEV_LAN, "10.1.0.77", 1, true);
	neigh(DEV_LAN, "10.1.0.77", 1, true);
	neigh(DEV_WAN1, "198.51.100.2", 2, true);
	cr_expect_eq(count(FL_EXPORT_NEIGHBOUR), 1, "once, and only hosts");
	n = neighbour(0);
	expect_addr(&n->addr, "10.1.0.77");
	cr_expect_eq(n->mac[5], 1);
	cr_expect_eq(n->from_s, came);
	advance(w, 610);
	n = neighbour(1);
	cr_expect_eq(n->from_s, came);
	cr_expect_geq(n->to_s, came + 600);
	/* Another device takes the address; then nobody has it. */
	n_records = 0;
	neigh(DEV_LAN, "10.1.0.77", 3, true);
	cr_expect_eq(neighbour(0)->mac[5], 1);
	cr_expect_eq(neighbour(0)->to_s, wall_s(w));
	cr_expect_eq(neighbour(1)->mac[5], 3);
	neigh(DEV_LAN, "10.1.0.77", 3, false);
	n_records = 0;
	advance(w, 1300);
	cr_expect_eq(count(FL_EXPORT_NEIGHBOUR), 0);
	stop(w);
}

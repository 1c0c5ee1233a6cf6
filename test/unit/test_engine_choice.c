// SPDX-License-Identifier: Apache-2.0
/*
 * Which way a new session takes (svr-protocol.md 6.1, 6.2), what is written down of it, and what
 * another configuration would have made of it.
 */
#include "agent/path/fabric_internal.h"
#include "agent/session/replay.h"
#include "test/unit/engine_test.h"

#define VOICE                                                                                      \
	",'path-quality-filter':true,'max-loss':1,'max-latency':150,'max-jitter':30,'min-mos':4"

static struct say nth(int n)
{
	return (struct say){ .sport = (uint16_t)(40000 + n) };
}

static void measure(struct router *r, enum device dev, uint32_t latency_ms, uint32_t loss_ppm)
{
	struct fl_path_quality *q = &r->fabric->paths[router_path(r, dev)].quality;

	q->mean = (struct fl_quality){ .latency_us = latency_ms * 1000,
				       .jitter_us = 1000,
				       .loss_ppm = loss_ppm,
				       .has = FL_QUALITY_ALL };
}

/* The path that a new session takes from R1; 0: it is denied. */
static uint16_t way_of(struct world *w, int n)
{
	struct say say = nth(n);
	uint32_t before = router_sessions(&w->r[R1]), id;

	client_says(w, &say);
	drain_out(&w->r[R2]);
	if (router_sessions(&w->r[R1]) == before)
		return 0;
	id = router_session(&w->r[R1]);
	cr_assert_eq(w->r[R1].t.sessions[id].sport, say.sport);
	world_leap(w, 1);
	return w->r[R1].t.vectors[w->r[R1].t.sessions[id].out.vector].path;
}

static const struct fl_history_decision *last_decision(const struct router *r)
{
	const struct fl_history *h = r->engine->history;
	const struct fl_history_opening *o = fl_history_find_opening(h, fl_history_last_opening(h));

	cr_assert(o);
	return fl_history_find_decision(h, o->decision);
}

/* --- policies --------------------------------------------------------------------------------- */

Test(engine_choice, the_limits_count_only_with_the_filter)
{
	static const struct {
		const char *policy;
		uint32_t latency_ms;
		uint32_t loss_ppm;
		enum device want;
	} rows[] = {
		{ NULL, 400, 100000, DEV_WAN1 },
		{ VOICE, 20, 0, DEV_WAN1 },
		{ VOICE, 151, 0, DEV_WAN2 },
		{ VOICE, 20, 10001, DEV_WAN2 },
		{ VOICE, 149, 10000, DEV_WAN1 },
		{ ",'max-latency':10", 151, 0, DEV_WAN1 },
		{ ",'path-quality-filter':true", 249, 5000, DEV_WAN1 },
		{ ",'path-quality-filter':true", 251, 0, DEV_WAN2 },
		{ ",'path-quality-filter':true", 20, 5001, DEV_WAN2 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(&(struct world_opts){ .policy = rows[i].policy });

		measure(&w->r[R1], DEV_WAN1, rows[i].latency_ms, rows[i].loss_ppm);
		measure(&w->r[R1], DEV_WAN2, 40, 0);
		cr_assert_eq(way_of(w, 0), router_path(&w->r[R1], rows[i].want), "row %zu", i);
		world_free(w);
	}
}

Test(engine_choice, the_best_path_is_what_the_criterion_says)
{
	static const struct {
		const char *policy;
		enum device want;
	} rows[] = {
		{ ",'best-path-criteria':'vector'", DEV_WAN1 },
		{ ",'best-path-criteria':'average-latency'", DEV_WAN2 },
		{ ",'best-path-criteria':'mos'", DEV_WAN1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(&(struct world_opts){ .policy = rows[i].policy });

		/* Faster, but it loses. */
		measure(&w->r[R1], DEV_WAN1, 30, 0);
		measure(&w->r[R1], DEV_WAN2, 20, 30000);
		cr_assert_eq(way_of(w, 0), router_path(&w->r[R1], rows[i].want), "row %zu", i);
		world_free(w);
	}
}

Test(engine_choice, best_effort_or_denial)
{
	struct world *w = world_new(&(struct world_opts){ .policy = VOICE });
	struct world_opts strict = { .policy = VOICE ",'best-effort':false" };
	struct drops before;

	measure(&w->r[R1], DEV_WAN1, 300, 0);
	measure(&w->r[R1], DEV_WAN2, 300, 0);
	cr_assert_eq(way_of(w, 0), router_path(&w->r[R1], DEV_WAN1));
	cr_assert_eq(last_decision(&w->r[R1])->result, FL_SLA_OK_BEST_EFFORT);
	router_configure(&w->r[R1], &strict);
	before = drops_of(&w->r[R1]);
	cr_assert_eq(way_of(w, 1), 0);
	assert_dropped(&w->r[R1], before, FL_DROP_SERVICE_LEVEL, 1);
	measure(&w->r[R1], DEV_WAN2, 30, 0);
	world_leap(w, 2000);
	cr_assert_eq(way_of(w, 2), router_path(&w->r[R1], DEV_WAN2));
	world_free(w);
}

Test(engine_choice, proportional_takes_turns)
{
	struct world *w = world_new(&(struct world_opts){
		.policy = ",'lb-strategy':'proportional'",
		.vectors = "{'name':'wan1','priority':5},{'name':'wan2','priority':5}" });
	uint16_t wan1 = router_path(&w->r[R1], DEV_WAN1);
	int first = 0;

	for (int n = 0; n < 20; n++)
		first += way_of(w, n) == wan1;
	cr_assert_eq(first, 10);
	world_free(w);
}

/* --- limits of routes ------------------------------------------------------------------------- */

#define ROUTES                                                                                     \
	",{'name':'few','service-name':'nowhere','peer':'r2','service-route-policy':'few'},"       \
	"{'name':'rest','service-name':'nowhere','peer':'r2','service-route-policy':'rest',"       \
	"'cost':10}"

/* Only R1 has these routes. */
static struct world *limited(const char *few, const char *rest)
{
	struct world *w = two_routers();
	static char text[512];

	snprintf(text, sizeof(text),
		 ",'service-route-policy':[{'name':'few',%s},{'name':'rest',%s}]", few, rest);
	router_configure(&w->r[R1], &(struct world_opts){ .router = text, .routes = ROUTES });
	return w;
}

/* Name of the route that a new session to "nowhere" takes from R1; "" if it is denied. */
static const char *route_of(struct world *w, int n)
{
	struct say say = nth(n);
	uint32_t before = router_sessions(&w->r[R1]);
	const struct fl_config *config = w->r[R1].config;
	uint16_t slot;

	say.dst = "10.3.0.1";
	client_says(w, &say);
	if (router_sessions(&w->r[R1]) == before)
		return "";
	slot = w->r[R1].engine->notes[router_session(&w->r[R1])].route;
	world_leap(w, 1);
	for (size_t i = 0; i < config->router.n_service_route; i++)
		if (w->r[R1].engine->plan.routes[i] == slot)
			return config->router.service_route[i].name;
	return "?";
}

Test(engine_choice, max_sessions_of_a_route)
{
	struct world *w = limited("'max-sessions':2", "'max-sessions':1");
	struct drops before;

	cr_assert_str_eq(route_of(w, 0), "few");
	cr_assert_str_eq(route_of(w, 1), "few");
	cr_assert_str_eq(route_of(w, 2), "rest");
	before = drops_of(&w->r[R1]);
	cr_assert_str_eq(route_of(w, 3), "");
	assert_dropped(&w->r[R1], before, FL_DROP_CAPACITY, 1);
	/* Room again when one ends. */
	fl_engine_close(w->r[R1].engine, 1, FL_CLOSE_CLEARED);
	world_run(w);
	cr_assert_str_eq(route_of(w, 4), "few");
	world_free(w);
}

Test(engine_choice, session_rate_of_a_route)
{
	struct world *w = limited("'session-rate':3", "'max-sessions':50");

	for (int n = 0; n < 3; n++)
		cr_assert_str_eq(route_of(w, n), "few");
	cr_assert_str_eq(route_of(w, 3), "rest");
	world_leap(w, 1000);
	cr_assert_str_eq(route_of(w, 4), "few");
	world_free(w);
}

Test(engine_choice, water_marks_of_a_route)
{
	const char *few =
		"'max-sessions':10,'session-high-water-mark':40,'session-low-water-mark':20";
	struct world *w = limited(few, "'max-sessions':50");
	struct fl_engine *e = w->r[R1].engine;

	for (int n = 0; n < 4; n++)
		cr_assert_str_eq(route_of(w, n), "few", "%d", n);
	cr_assert_str_eq(route_of(w, 4), "rest");
	/* Below the high mark is not enough; below the low one is. */
	fl_engine_close(e, 1, FL_CLOSE_CLEARED);
	fl_engine_close(e, 2, FL_CLOSE_CLEARED);
	cr_assert_str_eq(route_of(w, 5), "rest");
	fl_engine_close(e, 3, FL_CLOSE_CLEARED);
	cr_assert_str_eq(route_of(w, 6), "few");
	world_free(w);
}

/* --- limits of devices ------------------------------------------------------------------------ */

/* The device of an interface is above its high-water mark, or no longer. */
static void set_busy(struct router *r, enum device dev, bool busy)
{
	struct fl_netif *netif = &r->fabric->netifs[router_iface(r, dev)];
	size_t i = (size_t)(netif->device - r->config->router.device_interface);
	struct fl_cfg_device_interface *device = &r->config->router.device_interface[i];

	/* The configuration's from now on, which frees it. */
	if (!device->load_balancing)
		device->load_balancing = calloc(1, sizeof(*device->load_balancing));
	device->load_balancing->capacity_mbps = 100;
	device->load_balancing->utilization_high_water_mark = 80;
	netif->load.above = busy;
	netif->load.percent = busy ? 90 : 10;
}

Test(engine_choice, a_busy_device_takes_no_new_sessions)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R1];
	const struct fl_history_decision *last;
	struct drops before;

	cr_assert_eq(way_of(w, 0), router_path(r, DEV_WAN1));
	set_busy(r, DEV_WAN1, true);
	cr_assert_eq(way_of(w, 1), router_path(r, DEV_WAN2));
	last = last_decision(r);
	cr_assert_eq(last->candidate[0].verdict.reason, FL_SLA_WHY_UTILISATION);
	cr_assert_eq(last->candidate[0].path.load.device_percent, 90);
	cr_assert_eq(last->candidate[0].path.load.device_mbps, 100);
	set_busy(r, DEV_WAN2, true);
	before = drops_of(r);
	cr_assert_eq(way_of(w, 2), 0);
	assert_dropped(r, before, FL_DROP_CAPACITY, 1);
	set_busy(r, DEV_WAN1, false);
	cr_assert_eq(way_of(w, 3), router_path(r, DEV_WAN1));
	world_free(w);
}

/* Out by an interface of this router, without a peer. */
Test(engine_choice, a_busy_device_of_a_local_way)
{
	struct world *w = two_routers();
	struct say web = { .dst = "192.0.2.80" };
	struct drops before = drops_of(&w->r[R1]);

	set_busy(&w->r[R1], DEV_INET, true);
	client_says(w, &web);
	assert_dropped(&w->r[R1], before, FL_DROP_CAPACITY, 1);
	set_busy(&w->r[R1], DEV_INET, false);
	world_leap(w, 60000);
	client_says(w, &web);
	cr_assert_eq(drain_out(&w->r[R1]), 1);
	world_free(w);
}

/* Sessions that are there may stay; those whose path fails rather crowd a device than die. */
Test(engine_choice, a_busy_device_takes_sessions_whose_path_fails)
{
	struct world *w =
		world_new(&(struct world_opts){ .policy = ",'session-resiliency':'failover'" });
	struct router *r = &w->r[R1];
	struct say say = nth(0);
	const struct fl_session *s;

	establish(w, &say);
	s = &r->t.sessions[router_session(r)];
	set_busy(r, DEV_WAN1, true);
	world_advance(w, 5000);
	cr_assert_eq(r->t.vectors[s->out.vector].path, router_path(r, DEV_WAN1));
	set_busy(r, DEV_WAN2, true);
	router_link(r, DEV_WAN1, false);
	router_link(&w->r[R2], DEV_WAN1, false);
	world_advance(w, 1000);
	cr_assert_eq(r->t.vectors[s->out.vector].path, router_path(r, DEV_WAN2));
	world_free(w);
}

/* --- what is written down --------------------------------------------------------------------- */

Test(engine_choice, sessions_that_are_decided_alike_share_a_record)
{
	struct world *w = world_new(&(struct world_opts){ .policy = VOICE });
	const struct fl_history_decision *first, *second;

	measure(&w->r[R1], DEV_WAN1, 20, 0);
	measure(&w->r[R1], DEV_WAN2, 40, 0);
	for (int n = 0; n < 10; n++)
		way_of(w, n);
	first = last_decision(&w->r[R1]);
	cr_assert_eq(first->sessions, 10);
	cr_assert_eq(first->n_paths, 2);
	cr_assert_eq(first->candidate[1].verdict.reason, FL_SLA_WHY_WORSE);
	measure(&w->r[R1], DEV_WAN1, 21, 0);
	way_of(w, 10);
	second = last_decision(&w->r[R1]);
	cr_assert_neq(first, second);
	cr_assert_eq(second->sessions, 1);
	cr_assert_eq(second->candidate[0].path.bfd.latency_us, 21000);
	cr_assert_eq(first->candidate[0].path.bfd.latency_us, 20000);
	world_free(w);
}

/* The decision of a record, made once more, is the one that was made. */
Test(engine_choice, a_record_is_enough_to_decide_again)
{
	static struct fl_sla_decision then, again;
	struct world *w = world_new(&(struct world_opts){ .policy = VOICE });

	for (int n = 0; n < 40; n++) {
		measure(&w->r[R1], DEV_WAN1, 10 + (uint32_t)(n * 37 % 300),
			(uint32_t)(n * 7919 % 20000));
		measure(&w->r[R1], DEV_WAN2, 10 + (uint32_t)(n * 53 % 300), 0);
		way_of(w, n);
		fl_history_restore(last_decision(&w->r[R1]), &then);
		fl_sla_decide(&then.in, &again);
		cr_assert_eq(again.chosen, then.chosen);
		cr_assert_eq(again.result, then.result);
	}
	world_free(w);
}

static struct fl_replay replay_last(struct router *r, const struct fl_config *config)
{
	const struct fl_history *h = r->engine->history;
	struct fl_deciding by = fl_engine_deciding(r->engine);
	struct fl_replay result;
	struct fl_fib *fib;

	cr_assert(!fl_fib_new(config, &fib));
	by.config = config;
	by.fib = fib;
	by.policy_names = NULL;
	by.routes = NULL;
	fl_replay(r->engine, &by, fl_history_find_opening(h, fl_history_last_opening(h)), &result);
	fl_fib_free(fib);
	return result;
}

/* Of one session, and of many. */
#define LIMITS                                                                                     \
	",'service-route-policy':[{'name':'few','max-sessions':1},{'name':'more','max-"            \
	"sessions':9}]"

Test(engine_choice, another_policy_on_what_has_happened)
{
	static const struct {
		struct world_opts opts;
		enum fl_replay_verdict verdict;
		enum fl_drop_reason reason;
	} rows[] = {
		{ { .policy = NULL }, FL_REPLAY_SAME, FL_DROP_NONE },
		{ { .policy = ",'path-quality-filter':true,'max-latency':15" },
		  FL_REPLAY_MOVED,
		  FL_DROP_NONE },
		{ { .policy = ",'path-quality-filter':true,'max-latency':5,'best-effort':false" },
		  FL_REPLAY_DENIED,
		  FL_DROP_SERVICE_LEVEL },
		{ { .vectors = "{'name':'wan2'},{'name':'wan1'}" }, FL_REPLAY_MOVED, FL_DROP_NONE },
		{ { .vectors = "{'name':'wan1','priority':'never'},{'name':'wan2'}" },
		  FL_REPLAY_MOVED,
		  FL_DROP_NONE },
		{ { .access = "{'source':'vip'}" }, FL_REPLAY_DENIED, FL_DROP_ACCESS_DENIED },
		{ { .no_datacenter = true }, FL_REPLAY_DENIED, FL_DROP_NO_SERVICE },
		{ { .no_wan2 = true }, FL_REPLAY_SAME, FL_DROP_NONE },
		{ { .no_route = true }, FL_REPLAY_DENIED, FL_DROP_NO_ROUTE },
		{ { .no_route = true,
		    .routes = ",{'name':'x','service-name':'datacenter','peer':'r2'}" },
		  FL_REPLAY_SAME,
		  FL_DROP_NONE },
		{ { .vectors = "", .adjacency = ",'cost':5", .adjacency2 = "" },
		  FL_REPLAY_MOVED,
		  FL_DROP_NONE },
		{ { .router = LIMITS, .on = ",'service-route-policy':'few'" },
		  FL_REPLAY_DENIED,
		  FL_DROP_CAPACITY },
		{ { .router = LIMITS, .on = ",'service-route-policy':'more'" },
		  FL_REPLAY_SAME,
		  FL_DROP_NONE },
	};
	struct world *w = world_new(
		&(struct world_opts){ .router = LIMITS, .on = ",'service-route-policy':'more'" });

	measure(&w->r[R1], DEV_WAN1, 20, 0);
	measure(&w->r[R1], DEV_WAN2, 10, 0);
	cr_assert_eq(way_of(w, 0), router_path(&w->r[R1], DEV_WAN1));
	cr_assert_eq(way_of(w, 1), router_path(&w->r[R1], DEV_WAN1));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text = world_config_text(R1, &rows[i].opts);
		struct fl_config_errors *errors = NULL;
		struct fl_config *config;
		struct fl_replay r;

		cr_assert(!fl_config_load(text, strlen(text), &config, &errors), "row %zu", i);
		fl_config_errors_free(errors);
		r = replay_last(&w->r[R1], config);
		cr_assert_eq(r.verdict, rows[i].verdict, "row %zu: %d", i, r.verdict);
		cr_assert_eq(r.reason, rows[i].reason, "row %zu", i);
		if (r.verdict == FL_REPLAY_MOVED) {
			cr_assert_eq(r.from, router_path(&w->r[R1], DEV_WAN1));
			cr_assert_eq(r.to, router_path(&w->r[R1], DEV_WAN2));
			cr_assert(r.why[0]);
		}
		fl_config_free(config);
	}
	world_free(w);
}

/* Rings: the oldest go, and are not taken for newer ones. */
Test(engine_choice, records_that_are_gone_are_not_there)
{
	struct fl_history *h;
	struct fl_history_move move = { .cause = FL_MOVE_FAILBACK };
	struct fl_history_opening opening = { 0 };

	cr_assert(!fl_history_new(&h));
	cr_assert(!fl_history_find_move(h, 0) && !fl_history_find_move(h, 1));
	for (uint32_t n = 0; n < FL_HISTORY_MOVES + 5; n++)
		fl_history_move(h, &move);
	cr_assert(!fl_history_find_move(h, 5));
	cr_assert_eq(fl_history_find_move(h, 6)->seq, 6);
	cr_assert_eq(fl_history_last_move(h), FL_HISTORY_MOVES + 5);
	for (uint32_t n = 0; n < FL_HISTORY_OPENINGS + 1; n++)
		fl_history_opening(h, &opening);
	cr_assert(!fl_history_find_opening(h, 1));
	cr_assert(fl_history_find_opening(h, 2));
	fl_history_free(h);
}

/* How a path stood by a policy's limits is not how the next one of its number does. */
Test(engine_choice, a_path_that_is_taken_away_is_forgotten)
{
	struct world_opts opts = { .policy = VOICE };
	struct world *w = world_new(&opts);
	struct router *r = &w->r[R1];
	uint16_t wan1 = router_path(r, DEV_WAN1), wan2 = router_path(r, DEV_WAN2);

	measure(r, DEV_WAN1, 20, 0);
	measure(r, DEV_WAN2, 20, 0);
	cr_assert_eq(way_of(w, 1), wan1);
	measure(r, DEV_WAN1, 20, 50000);
	world_advance(w, 15000);
	cr_assert_eq(way_of(w, 2), wan2);
	opts.no_wan1 = true;
	router_configure(r, &opts);
	world_advance(w, 6000);
	cr_assert_eq(r->fpm_cleared[wan1], (1u << FL_PATH_SCOPES) - 1);
	cr_assert_eq(r->fpm_cleared[wan2], 0);
	opts.no_wan1 = false;
	router_configure(r, &opts);
	cr_assert_eq(router_path(r, DEV_WAN1), wan1);
	measure(r, DEV_WAN1, 20, 0);
	cr_assert_eq(way_of(w, 3), wan1);
	drain_wire(w);
	world_free(w);
}

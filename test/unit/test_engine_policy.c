// SPDX-License-Identifier: Apache-2.0
/*
 * Who may open what (svr-protocol.md 3.1): every reason for a denial, denials remembered, the
 * egress that decides again, the middle router, and sessions that a new configuration no longer
 * allows.
 */
#include "test/unit/engine_test.h"

static const struct say dns = { 0 };

/* --- denials ---------------------------------------------------------------------------------- */

struct denial_row {
	const char *name;
	struct world_opts opts;
	enum device dev;
	struct say say;
	enum fl_drop_reason reason;
	bool forgotten; /* not remembered in the data plane */
};

static const struct denial_row denial_rows[] = {
	{ "no service covers the destination",
	  { 0 },
	  DEV_LAN,
	  { .dst = "172.16.0.1" },
	  FL_DROP_NO_SERVICE,
	  false },
	{ "the service is disabled",
	  { .no_datacenter = true },
	  DEV_LAN,
	  { 0 },
	  FL_DROP_NO_SERVICE,
	  false },
	{ "another port",
	  { .datacenter = ",'transport':[{'protocol':'udp','port-range':"
			  "[{'start-port':54,'end-port':60}]}]" },
	  DEV_LAN,
	  { 0 },
	  FL_DROP_NO_SERVICE,
	  false },
	{ "another protocol",
	  { .datacenter = ",'transport':[{'protocol':'tcp'}]" },
	  DEV_LAN,
	  { 0 },
	  FL_DROP_NO_SERVICE,
	  false },
	{ "the interface has no tenant",
	  { 0 },
	  DEV_GUEST,
	  { .src = "10.7.0.9" },
	  FL_DROP_NO_TENANT,
	  false },
	{ "the tenant is denied",
	  { 0 },
	  DEV_LAN,
	  { .dst = "10.2.0.200" },
	  FL_DROP_ACCESS_DENIED,
	  false },
	{ "its prefix is denied",
	  { .access = "{'source':'staff'},"
		      "{'source':'staff@10.1.0.0/28','permission':'deny'}" },
	  DEV_LAN,
	  { 0 },
	  FL_DROP_ACCESS_DENIED,
	  false },
	{ "only another tenant is allowed",
	  { .access = "{'source':'vip'}" },
	  DEV_LAN,
	  { 0 },
	  FL_DROP_ACCESS_DENIED,
	  false },
	{ "the interface takes no pings",
	  { .lan = ",'icmp':'drop'" },
	  DEV_LAN,
	  { .proto = FL_IPPROTO_ICMP },
	  FL_DROP_ACCESS_DENIED,
	  false },
	{ "no service route", { 0 }, DEV_LAN, { .dst = "10.3.0.1" }, FL_DROP_NO_ROUTE, false },
	{ "a service route whose gateway is of the other family",
	  { .routes = ",{'name':'x','service-name':'nowhere','next-hop':{'interface':'inet',"
		      "'gateway-ip':'2001:db8::1'}}" },
	  DEV_LAN,
	  { .dst = "10.3.0.1" },
	  FL_DROP_NO_ROUTE,
	  false },
	{ "the kernel has no route",
	  { .routes = ",{'name':'x','service-name':'nowhere','use-learned-routes':true}" },
	  DEV_LAN,
	  { .dst = "10.3.0.1" },
	  FL_DROP_NO_ROUTE,
	  false },
	{ "vectors are all \"never\"",
	  { .vectors = "{'name':'wan1','priority':'never'},{'name':'wan2','priority':'never'}" },
	  DEV_LAN,
	  { 0 },
	  FL_DROP_NO_PATH,
	  false },
	{ "the source is ours", { 0 }, DEV_LAN, { .src = "10.1.0.1" }, FL_DROP_BAD_SOURCE, true },
	{ "the source is not reached by there",
	  { .lan = ",'reverse-flow-enforcement':'strict'" },
	  DEV_LAN,
	  { .src = "10.7.0.9" },
	  FL_DROP_SYMMETRY,
	  true },
};

/* Each counted with its reason; remembered for a second, so that only one packet costs the agent.
 */
Test(engine_policy, each_denial_has_its_reason)
{
	for (size_t i = 0; i < sizeof(denial_rows) / sizeof(denial_rows[0]); i++) {
		const struct denial_row *row = &denial_rows[i];
		struct world *w = world_new(&row->opts);
		struct router *r = &w->r[R1];
		struct drops before = drops_of(r);

		cr_assert_eq(host_says(w, R1, row->dev, &row->say), MODEL_PUNTED, "%s", row->name);
		assert_dropped(r, before, row->reason, 1);
		cr_assert_eq(host_says(w, R1, row->dev, &row->say),
			     row->forgotten ? MODEL_PUNTED : MODEL_DROPPED, "%s", row->name);
		assert_dropped(r, before, row->reason, 2);
		cr_assert_eq(r->punts[FL_PUNT_NEW], row->forgotten ? 2 : 1, "%s", row->name);
		world_leap(w, 1100);
		cr_assert_eq(host_says(w, R1, row->dev, &row->say), MODEL_PUNTED, "%s", row->name);
		cr_assert_eq(router_sessions(r), 0, "%s", row->name);
		cr_assert_eq(r->out.count + w->r[R2].out.count, 0, "%s: silence", row->name);
		world_free(w);
	}
}

/* Both paths are down: no path; and as soon as one is up again the session opens. */
Test(engine_policy, no_path)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R1];
	struct drops before = drops_of(r);

	router_link(r, DEV_WAN1, false);
	router_link(r, DEV_WAN2, false);
	client_says(w, &dns);
	assert_dropped(r, before, FL_DROP_NO_PATH, 1);
	router_link(r, DEV_WAN2, true);
	world_leap(w, 1100);
	client_says(w, &dns);
	assert_dropped(r, before, FL_DROP_NO_PATH, 1);
	assert_arrived(&w->r[R2], &dns, 2);
	world_free(w);
}

/* A new configuration makes remembered denials void. */
Test(engine_policy, denials_do_not_outlive_their_configuration)
{
	struct world_opts closed = { .access = "{'source':'vip'}" }, open = { 0 };
	struct world *w = world_new(&closed);

	client_says(w, &dns);
	cr_assert_eq(client_says(w, &dns), MODEL_DROPPED);
	router_configure(&w->r[R1], &open);
	router_configure(&w->r[R2], &open);
	client_says(w, &dns);
	assert_arrived(&w->r[R2], &dns, 2);
	world_free(w);
}

/* Denied is the tuple, nobody else's packet. */
Test(engine_policy, denials_are_of_one_tuple)
{
	struct say denied = { .dst = "10.2.0.200" };
	struct world *w = two_routers();

	client_says(w, &denied);
	client_says(w, &dns);
	assert_arrived(&w->r[R2], &dns, 2);
	world_free(w);
}

/* --- who is who ------------------------------------------------------------------------------- */

/* A tenant by the prefix of its source, on an interface that has none. */
Test(engine_policy, tenant_by_neighborhood_member)
{
	struct world_opts opts = {
		.staff = ",'member':[{'neighborhood':'guests','address':['10.7.0.0/28']}]",
		.guest = ",'neighborhood':[{'name':'guests'}]",
	};
	struct say member = { .src = "10.7.0.9" }, stranger = { .src = "10.7.0.99" };
	struct world *w = world_new(&opts);

	host_says(w, R1, DEV_GUEST, &member);
	assert_arrived(&w->r[R2], &member, 2);
	host_says(w, R1, DEV_GUEST, &stranger);
	cr_assert_eq(w->r[R1].t.drops[FL_DROP_NO_TENANT], 1);
	cr_assert_eq(router_sessions(&w->r[R1]), 1);
	world_free(w);
}

/* The host's own traffic has the router's local tenant. */
Test(engine_policy, the_hosts_own_traffic)
{
	struct world_opts opts = { .router = ",'local-tenant':'staff'" };
	struct say own = { .src = "10.1.0.1" }, answer = answer_to(&own);
	struct world *w = world_new(&opts);
	struct got g;

	cr_assert_gt(w->r[R1].n_host_prefixes, 0);
	host_says(w, R1, DEV_HOST, &own);
	assert_arrived(&w->r[R2], &own, 2);
	lan_says(w, R2, &answer);
	cr_assert(got_out(&w->r[R1], &g));
	cr_assert_eq(g.f->dev, DEV_HOST);
	cr_assert(arrived_as(&g, &answer, 1), "delivery to this host is no hop");
	world_free(w);
	w = two_routers();
	cr_assert_eq(w->r[R1].n_host_prefixes, 0);
	host_says(w, R1, DEV_HOST, &own);
	cr_assert_eq(router_sessions(&w->r[R1]), 0);
	world_free(w);
}

/* Toward an address of the last router itself. */
Test(engine_policy, a_service_on_the_router_itself)
{
	struct say own = { .dst = "10.2.0.1" };
	struct world_opts opts = { .lan_route = "'use-learned-routes':true" };
	struct world *w = world_new(&opts);
	struct got g;

	client_says(w, &own);
	cr_assert(got_out(&w->r[R2], &g));
	cr_assert_eq(g.f->dev, DEV_HOST);
	cr_assert(arrived_as(&g, &own, 1));
	world_free(w);
}

/* The path that the policy prefers; with it down, the other. */
Test(engine_policy, paths_in_the_order_of_the_vectors)
{
	struct world *w = two_routers();
	struct say second = { .sport = 41000 };
	struct got g;

	w->hold = true;
	client_says(w, &dns);
	cr_assert(got_wire(w, &g));
	cr_assert_eq(g.f->dev, DEV_WAN1);
	router_link(&w->r[R1], DEV_WAN1, false);
	client_says(w, &second);
	cr_assert(got_wire(w, &g));
	cr_assert_eq(g.f->dev, DEV_WAN2);
	world_free(w);
}

/* Without vectors: by cost. */
Test(engine_policy, paths_by_cost)
{
	struct world_opts opts = { .vectors = "",
				   .adjacency = ",'cost':10",
				   .adjacency2 = ",'cost':5" };
	struct world *w = world_new(&opts);
	struct got g;

	w->hold = true;
	client_says(w, &dns);
	cr_assert(got_wire(w, &g));
	cr_assert_eq(g.f->dev, DEV_WAN2);
	world_free(w);
}

/* --- the egress and the middle ---------------------------------------------------------------- */

/* The egress router re-evaluates policy, with the tenant of the metadata. */
Test(engine_policy, egress_decides_again)
{
	static const struct {
		const char *name;
		struct world_opts egress;
		enum fl_drop_reason reason;
	} rows[] = {
		{ "denied there",
		  { .access = "{'source':'staff','permission':'deny'}" },
		  FL_DROP_ACCESS_DENIED },
		{ "other tenants only", { .access = "{'source':'vip'}" }, FL_DROP_ACCESS_DENIED },
		{ "no such service", { .no_datacenter = true }, FL_DROP_NO_SERVICE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = two_routers();
		struct drops before;

		router_configure(&w->r[R2], &rows[i].egress);
		before = drops_of(&w->r[R2]);
		client_says(w, &dns);
		assert_dropped(&w->r[R2], before, rows[i].reason, 1);
		cr_assert_eq(router_sessions(&w->r[R1]), 1, "%s", rows[i].name);
		cr_assert_eq(router_sessions(&w->r[R2]), 0, "%s", rows[i].name);
		cr_assert_eq(drain_out(&w->r[R2]), 0, "%s", rows[i].name);
		world_free(w);
	}
}

/* A tenant that the egress does not know is the global one: it sees public services only. */
Test(engine_policy, unknown_tenants)
{
	static const struct {
		const char *service;
		bool opens;
	} rows[] = { { NULL, false }, { ",'scope':'public'", true } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world_opts opts = { .datacenter = rows[i].service };
		struct world *w = world_new(&opts);
		struct fl_meta m = craft_forward(&dns, 1);
		struct craft c = { .from = R1, .meta = &m, .payload = "x", .len = 1 };

		m.tenant = (struct fl_meta_name){ "strangers", 9 };
		craft_send(w, &c);
		cr_assert_eq(router_sessions(&w->r[R2]), rows[i].opens);
		if (!rows[i].opens)
			cr_assert_eq(w->r[R2].t.drops[FL_DROP_NO_TENANT], 1);
		world_free(w);
	}
}

/* The middle router: new waypoints, same UUID, same payload, tenant and source router as they came.
 */
Test(engine_policy, the_middle_router_relays)
{
	struct world *w = world_new(&(struct world_opts){ .routers = 3 });
	struct got in, out;

	w->hold = true;
	client_says(w, &dns);
	cr_assert(got_wire(w, &in));
	world_deliver(w, in.f);
	cr_assert(got_wire(w, &out));
	cr_assert_eq(out.f->router, R2);
	cr_assert_eq(out.f->dev, DEV_WAN2);
	cr_assert_eq(memcmp(out.o.meta.uuid, in.o.meta.uuid, 16), 0);
	cr_assert(fl_tuple_equal(&out.o.meta.forward, &in.o.meta.forward));
	cr_assert_eq(out.o.meta.tenant.len, 5);
	cr_assert_eq(memcmp(out.o.meta.tenant.s, "staff", 5), 0);
	cr_assert_eq(out.o.meta.source_router.len, 2);
	cr_assert_eq(memcmp(out.o.meta.source_router.s, "r1", 2), 0);
	cr_assert_eq(memcmp(out.o.meta.pathway.s, "203.0.113.1", out.o.meta.pathway.len), 0);
	cr_assert_eq(out.o.payload_len, in.o.payload_len);
	cr_assert_eq(memcmp(out.o.payload, in.o.payload, in.o.payload_len), 0);
	cr_assert_eq(router_state(&w->r[R2]), STATE(3, 3), "both handshakes");
	cr_assert_eq(out.p.hdr.ttl, 62);
	cr_assert_eq(out.t.src[0], 203);
	world_free(w);
}

/* It does not send a session back to where it came from. */
Test(engine_policy, the_middle_router_sends_nothing_back)
{
	struct world_opts opts = { .routers = 3,
				   .routes = ",{'name':'x','service-name':'nowhere','peer':'r2'}" };
	struct world_opts middle = { .routers = 3,
				     .routes =
					     ",{'name':'x','service-name':'nowhere','peer':'r1'}" };
	struct world *w = world_new(&(struct world_opts){ .routers = 3 });
	struct say s = { .dst = "10.3.0.9" };
	struct drops before;

	router_configure(&w->r[R1], &opts);
	router_configure(&w->r[R2], &middle);
	before = drops_of(&w->r[R2]);
	client_says(w, &s);
	assert_dropped(&w->r[R2], before, FL_DROP_NO_PATH, 1);
	cr_assert_eq(router_sessions(&w->r[R2]), 0);
	world_free(w);
}

/* --- configuration changes -------------------------------------------------------------------- */

struct change_row {
	const char *name;
	struct world_opts opts;
	int where;
	bool ends;
};

static const struct change_row change_rows[] = {
	{ "nothing changes", { 0 }, R1, false },
	{ "access is taken away", { .access = "{'source':'vip'}" }, R1, true },
	{ "access is taken away at the egress", { .access = "{'source':'vip'}" }, R2, true },
	{ "the service is gone", { .no_datacenter = true }, R1, true },
	{ "its ports change", { .datacenter = ",'transport':[{'protocol':'tcp'}]" }, R1, true },
	{ "another tenant at the interface", { .lan = "" }, R1, false },
	{ "the path is gone, the peer is still there by another", { .no_wan2 = true }, R1, false },
};

/* Sessions that would be denied now are ended, and the peer hears of it. */
Test(engine_policy, sessions_no_longer_allowed_are_ended)
{
	for (size_t i = 0; i < sizeof(change_rows) / sizeof(change_rows[0]); i++) {
		const struct change_row *row = &change_rows[i];
		struct world *w = two_routers();

		establish(w, &dns);
		router_configure(&w->r[row->where], &row->opts);
		world_run(w);
		for (int r = R1; r <= R2; r++)
			cr_assert_eq(router_sessions(&w->r[r]), !row->ends, "%s: r%d", row->name,
				     r + 1);
		if (!row->ends) {
			client_says(w, &dns);
			assert_arrived(&w->r[R2], &dns, 2);
		}
		world_free(w);
	}
}

/* The path that a session uses is gone: the session is ended, whatever becomes of its vector. */
Test(engine_policy, a_session_whose_path_is_gone_is_ended)
{
	struct world_opts without = { .no_wan2 = true };
	struct world *w = two_routers();
	struct say second = { .sport = 41000 };

	router_link(&w->r[R1], DEV_WAN1, false);
	client_says(w, &dns);
	router_link(&w->r[R1], DEV_WAN1, true);
	cr_assert_eq(router_sessions(&w->r[R1]), 1);
	router_configure(&w->r[R1], &without);
	cr_assert_eq(router_sessions(&w->r[R1]), 0);
	router_check(&w->r[R1]);
	client_says(w, &second);
	cr_assert_eq(router_sessions(&w->r[R1]), 1);
	w->hold = true;
	world_free(w);
}

/* Whatever another configuration failed by, the one in use stays as a whole. */
Test(engine_policy, a_configuration_that_cannot_be_used)
{
	struct world_opts denied = { .access = "{'source':'vip'}" }, open = { 0 };
	struct world *w = two_routers();
	struct say second = { .sport = 41000 }, third = { .sport = 42000 };

	establish(w, &dns);
	for (int i = 0; i < 2; i++)
		router_refuse(&w->r[R1], &denied);
	world_advance(w, 2000);
	client_says(w, &dns);
	assert_arrived(&w->r[R2], &dns, 2);
	client_says(w, &second);
	assert_arrived(&w->r[R2], &second, 2);
	router_configure(&w->r[R1], &open);
	client_says(w, &third);
	assert_arrived(&w->r[R2], &third, 2);
	router_configure(&w->r[R1], &denied);
	cr_assert_eq(router_sessions(&w->r[R1]), 0);
	world_run(w);
	world_free(w);
}

/* --- many sessions at a change ---------------------------------------------------------------- */

#define MANY 1500 /* more than are ended in one go */

/* On the first path, or the second. */
static struct world *many_sessions(bool second)
{
	struct world *w = world_new(&(struct world_opts){ .max_sessions = 2048 });

	router_link(&w->r[R1], DEV_WAN1, !second);
	for (uint16_t n = 0; n < MANY; n++)
		client_says(w, &(struct say){ .sport = (uint16_t)(20000 + n) });
	cr_assert_eq(router_sessions(&w->r[R1]), MANY);
	router_link(&w->r[R1], DEV_WAN1, true);
	drain_out(&w->r[R2]);
	return w;
}

/* What a new configuration does not allow is ended in parts, the loop goes on in between. */
Test(engine_policy, many_sessions_are_ended_in_parts)
{
	struct world_opts denied = { .access = "{'source':'vip'}" };
	struct world *w = many_sessions(false);
	struct router *r = &w->r[R1];
	int turns = 0;

	router_configure(r, &denied);
	cr_assert_gt(router_sessions(r), 0);
	cr_assert_lt(router_sessions(r), MANY);
	for (; fl_engine_tick(r->engine); turns++)
		cr_assert_lt(turns, 10);
	cr_assert_eq(router_sessions(r), 0);
	router_check(r);
	world_run(w);
	world_free(w);
}

/* Another configuration meanwhile: from then on only that one counts, for all sessions. */
Test(engine_policy, a_change_while_sessions_are_being_ended)
{
	static const struct {
		const char *access;
		bool end;
	} rows[] = { { NULL, false }, { "{'source':'vip'}", true } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world_opts denied = { .access = "{'source':'vip'}" };
		struct world_opts next = { .access = rows[i].access };
		struct world *w = many_sessions(false);
		struct router *r = &w->r[R1];
		uint32_t left;

		router_configure(r, &denied);
		left = router_sessions(r);
		router_configure(r, &next);
		while (fl_engine_tick(r->engine))
			;
		cr_assert_eq(router_sessions(r), rows[i].end ? 0 : left);
		router_check(r);
		world_run(w);
		world_free(w);
	}
}

/* Sessions name their interface by its number: it is nobody else's while one of them is there. */
Test(engine_policy, an_interface_that_goes_keeps_its_number_for_its_sessions)
{
	struct world_opts without = { .no_wan2 = true }, with = { 0 };
	struct world *w = many_sessions(true);
	struct router *r = &w->r[R1];
	uint16_t wan2 = fl_fabric_netif_named(r->fabric, "wan2")->id;
	struct say second = { .sport = 41000 };

	router_configure(r, &without);
	cr_assert_gt(router_sessions(r), 0, "still to be ended");
	cr_assert_null(fl_fabric_netif_named(r->fabric, "wan2"));
	cr_assert_not_null(fl_fabric_netif(r->fabric, wan2));
	client_says(w, &second);
	while (fl_engine_tick(r->engine))
		;
	cr_assert_eq(router_sessions(r), 1, "the new one");
	cr_assert_null(fl_fabric_netif(r->fabric, wan2));
	router_configure(r, &with);
	router_check(r);
	w->hold = true;
	world_free(w);
}

// SPDX-License-Identifier: Apache-2.0
/* Sessions carried in copies (svr-protocol.md 6.4, P-42): handshake on each path, numbers, loss. */
#include "test/unit/engine_test.h"

static const struct say call = { 0 };
static const struct world_opts in_copies = { .policy =
						     ",'session-resiliency':'packet-duplication'" };

/* Copies of the usual packet by both ways, and their answers: both handshakes are over. */
static struct world *established(const struct world_opts *opts)
{
	struct world *w = world_new(opts);

	client_says(w, &call);
	server_says(w, &call);
	client_says(w, &call);
	server_says(w, &call);
	cr_assert_eq(drain_out(&w->r[R1]), 2);
	cr_assert_eq(drain_out(&w->r[R2]), 2);
	cr_assert_eq(router_state(&w->r[R1]), STATE(0, 0));
	cr_assert_eq(router_state(&w->r[R2]), STATE(0, 0));
	return w;
}

static const struct fl_dup *dup_of(const struct router *r)
{
	cr_assert_eq(r->n_dups, 1);
	return &r->dups[0].dup;
}

Test(engine_dup, both_paths_carry_the_same_session)
{
	struct world *w = world_new(&in_copies);
	struct got g[2];

	w->hold = true;
	client_says(w, &call);
	cr_assert_eq(w->wire.count, 2);
	for (int i = 0; i < 2; i++) {
		cr_assert(got_wire(w, &g[i]));
		cr_assert_eq(fl_meta_check_forward(&g[i].o.meta), 0);
		cr_assert(fl_meta_has(&g[i].o.meta, FL_META_DUPLICATE_SEQ));
		cr_assert_eq(g[i].o.meta.duplicate_seq, 1);
		cr_assert_eq(g[i].o.payload_len, 32);
	}
	cr_assert_eq(memcmp(g[0].o.meta.uuid, g[1].o.meta.uuid, 16), 0);
	cr_assert_eq(strncmp(g[0].o.meta.pathway.s, "198.51.100.1", g[0].o.meta.pathway.len), 0);
	cr_assert_eq(strncmp(g[1].o.meta.pathway.s, "203.0.113.1", g[1].o.meta.pathway.len), 0);
	cr_assert_eq(g[0].t.sport, g[1].t.sport, "waypoint ports are the peer's, not the path's");
	cr_assert_neq(g[0].f->dev, g[1].f->dev);
	world_free(w);
}

Test(engine_dup, one_copy_arrives_and_both_sides_settle)
{
	struct world *w = established(&in_copies);
	struct got g[2];

	cr_assert_eq(dup_of(&w->r[R1])->ready, 3);
	cr_assert_eq(dup_of(&w->r[R2])->ready, 3);
	cr_assert_eq(w->r[R2].t.drops[FL_DROP_DUPLICATE], 2);
	cr_assert_eq(w->r[R1].t.drops[FL_DROP_DUPLICATE], 2);

	/* From now on a number is all that is added: 20 bytes, no security id. */
	w->hold = true;
	client_says(w, &call);
	for (int i = 0; i < 2; i++) {
		cr_assert(got_wire(w, &g[i]));
		cr_assert_eq(g[i].o.meta.has, FL_META_BIT(FL_META_DUPLICATE_SEQ));
		cr_assert_eq(g[i].o.meta.duplicate_seq, 3);
		cr_assert_eq(g[i].o.block_len, 20);
	}
	world_free(w);
}

/* The table of what may be lost: which of two copies, of request and answer. */
Test(engine_dup, any_one_path_is_enough)
{
	for (int lost = 0; lost < 4; lost++) {
		struct world *w = world_new(&in_copies);
		struct got g;

		for (int n = 0; n < 5; n++) {
			w->hold = true;
			client_says(w, &call);
			cr_assert_eq(w->wire.count, 2);
			for (int i = 0; i < 2; i++) {
				cr_assert(got_wire(w, &g));
				if (g.f->dev == (lost & 1 ? DEV_WAN1 : DEV_WAN2))
					world_deliver(w, g.f);
			}
			cr_assert_eq(drain_out(&w->r[R2]), 1);
			drain_wire(w); /* acknowledgements without user data */
			server_says(w, &call);
			while (got_wire(w, &g))
				if (g.f->dev == (lost & 2 ? DEV_WAN1 : DEV_WAN2))
					world_deliver(w, g.f);
			/* The responder has heard of one path and answers there. */
			cr_assert_eq(drain_out(&w->r[R1]), !(lost & 1) == !(lost & 2),
				     "lost %d, packet %d", lost, n);
		}
		world_free(w);
	}
}

/* One path says nothing for two seconds: user packets no longer wait for it, and it is tried. */
Test(engine_dup, a_silent_path_does_not_hold_up_the_other)
{
	struct world *w = world_new(&in_copies);
	unsigned int tried = 0;
	struct got g;

	for (int n = 0; n < 50; n++) {
		w->hold = true;
		if (n % 2)
			server_says(w, &call);
		else
			client_says(w, &call);
		world_advance(w, 100);
		while (got_wire(w, &g)) {
			if (g.f->dev == DEV_WAN1)
				world_deliver(w, g.f);
			else if (g.meta && fl_meta_has(&g.o.meta, FL_META_FORWARD) &&
				 !g.o.payload_len)
				tried++;
		}
	}
	cr_assert_eq(drain_out(&w->r[R2]), 25);
	cr_assert_eq(drain_out(&w->r[R1]), 25);
	cr_assert_eq(router_state(&w->r[R1]), STATE(0, 0));
	cr_assert_eq(dup_of(&w->r[R1])->ready, 1);
	cr_assert_geq(tried, 2);
	cr_assert_leq(tried, 4);

	/* It speaks again: the next try makes it ready, and the tries' receiver forwards nothing.
	 */
	w->hold = false;
	world_advance(w, 1500);
	cr_assert_eq(dup_of(&w->r[R1])->ready, 3);
	cr_assert_eq(dup_of(&w->r[R2])->ready, 3);
	cr_assert_eq(drain_out(&w->r[R2]), 0);
	world_free(w);
}

/* Only the client speaks: acknowledgements are generated, on each path. */
Test(engine_dup, one_way)
{
	struct world *w = world_new(&in_copies);

	for (int n = 0; n < 40; n++) {
		client_says(w, &call);
		world_advance(w, 50);
	}
	cr_assert_eq(drain_out(&w->r[R2]), 40);
	cr_assert_eq(router_state(&w->r[R1]), STATE(0, 0));
	cr_assert_eq(dup_of(&w->r[R1])->ready, 3);
	world_free(w);
}

Test(engine_dup, tcp_goes_one_way)
{
	struct world *w = world_new(&in_copies);
	const struct say syn = { .proto = 6, .dport = 80, .no_payload = true };

	w->hold = true;
	client_says(w, &syn);
	cr_assert_eq(w->wire.count, 1);
	cr_assert_eq(w->r[R1].n_dups, 0);
	world_free(w);
}

Test(engine_dup, one_path_is_no_copy)
{
	struct world_opts opts = in_copies;
	struct world *w;

	opts.no_wan2 = true;
	w = world_new(&opts);
	client_says(w, &call);
	cr_assert_eq(w->r[R1].n_dups, 0);
	cr_assert_eq(drain_out(&w->r[R2]), 1);
	world_free(w);
}

Test(engine_dup, a_path_that_the_policy_forbids_is_left_out)
{
	struct world_opts opts = in_copies;
	struct world *w;

	opts.vectors = "{'name':'wan1'},{'name':'wan2','priority':'never'}";
	w = world_new(&opts);
	client_says(w, &call);
	cr_assert_eq(w->r[R1].n_dups, 0);
	world_free(w);
}

Test(engine_dup, ping_in_copies)
{
	const struct say ping = { .proto = 1, .sport = 77 };
	struct world *w = world_new(&in_copies);

	for (int n = 0; n < 3; n++)
		client_says(w, &ping);
	cr_assert_eq(drain_out(&w->r[R2]), 3);
	cr_assert_eq(w->r[R2].t.drops[FL_DROP_DUPLICATE], 3);
	world_free(w);
}

/* A datagram that with its number does not fit: its sender hears how much would. */
Test(engine_dup, sender_is_told_what_fits)
{
	struct world *w = established(&in_copies);
	const struct say big = { .df = true, .len = 1500 - 28 - 20 - 16 + 1 };
	const struct say fits = { .df = true, .len = 1500 - 28 - 20 - 16 };
	struct got g;

	client_says(w, &fits);
	cr_assert_eq(drain_out(&w->r[R2]), 1);
	client_says(w, &big);
	cr_assert_eq(drain_out(&w->r[R2]), 0);
	cr_assert(got_out(&w->r[R1], &g));
	cr_assert_eq(g.p.hdr.proto, 1);
	cr_assert_eq(g.p.l4[6] << 8 | g.p.l4[7], 1500 - 20 - 16);
	cr_assert_eq(drain_out(&w->r[R1]), 0, "once, not for every copy");
	world_free(w);
}

Test(engine_dup, too_big_is_cut_on_every_path)
{
	struct world *w = established(&in_copies);
	const struct say big = { .len = 1472 };
	struct got g;

	client_says(w, &big);
	cr_assert(got_out(&w->r[R2], &g));
	cr_assert_eq(g.p.payload_len, 1472);
	cr_assert_eq(drain_out(&w->r[R2]), 0);
	world_free(w);
}

/* The responder has lost everything and counts from 1 again, the initiator goes on. */
Test(engine_dup, responder_restarts)
{
	struct world *w = established(&in_copies);

	for (int n = 0; n < 3000; n++)
		server_says(w, &call);
	cr_assert_eq(drain_out(&w->r[R1]), 3000);
	router_forget_all(&w->r[R2]);
	client_says(w, &call); /* unknown there: asks to be told */
	world_advance(w, 100);
	for (int n = 0; n < 3; n++) {
		client_says(w, &call);
		server_says(w, &call);
	}
	cr_assert_eq(drain_out(&w->r[R2]), 3);
	cr_assert_eq(drain_out(&w->r[R1]), 3);
	cr_assert_eq(dup_of(&w->r[R1])->ready, 3);
	cr_assert_eq(router_state(&w->r[R1]), STATE(0, 0));
	world_free(w);
}

/* The side leads to a peer that has never heard of the session: handshakes and window begin anew.
 */
Test(engine_dup, another_peer_counts_anew)
{
	struct world *w = established(&in_copies);
	struct router *r = &w->r[R1];

	for (int n = 0; n < 3000; n++)
		server_says(w, &call);
	cr_assert_eq(drain_out(r), 3000);
	router_forget_all(&w->r[R2]);
	fl_engine_dup_turned(r->engine, router_session(r), FL_FORWARD);
	cr_assert_eq(dup_of(r)->ready, 0);
	for (int n = 0; n < 3; n++) {
		client_says(w, &call);
		server_says(w, &call);
	}
	cr_assert_eq(drain_out(&w->r[R2]), 3);
	cr_assert_eq(drain_out(r), 3);
	cr_assert_eq(dup_of(r)->ready, 3);
	world_free(w);
}

Test(engine_dup, a_path_goes_down_and_comes_back)
{
	struct world *w = established(&in_copies);

	router_link(&w->r[R1], DEV_WAN1, false);
	world_advance(w, 1000); /* word of the move, and its answer */
	w->hold = true;
	client_says(w, &call);
	cr_assert_eq(w->wire.count, 1);
	world_run(w);
	cr_assert_eq(drain_out(&w->r[R2]), 1);
	w->hold = false;
	router_link(&w->r[R1], DEV_WAN1, true);
	world_advance(w, 1000);
	drain_wire(w);
	w->hold = true;
	client_says(w, &call);
	cr_assert_eq(w->wire.count, 2);
	world_run(w);
	cr_assert_eq(drain_out(&w->r[R2]), 1);
	world_free(w);
}

/* Another process takes the sessions over: numbers go on. */
Test(engine_dup, agents_restart)
{
	struct world *w = established(&in_copies);

	for (int r = R1; r <= R2; r++)
		router_restart(&w->r[r]);
	client_says(w, &call);
	server_says(w, &call);
	cr_assert_eq(drain_out(&w->r[R2]), 1);
	cr_assert_eq(drain_out(&w->r[R1]), 1);
	cr_assert_eq(dup_of(&w->r[R1])->sent, 3);
	world_free(w);
}

Test(engine_dup, state_ends_with_the_session)
{
	struct world *w = established(&in_copies);

	fl_engine_clear_all(w->r[R1].engine);
	world_run(w);
	cr_assert_eq(router_sessions(&w->r[R2]), 0);
	cr_assert_eq(w->r[R1].n_dups, 0);
	cr_assert_eq(w->r[R2].n_dups, 0);
	world_free(w);
}

/* A bare packet has no number: whoever sends it does not know the session. */
Test(engine_dup, bare_packets_are_dropped)
{
	struct world *w = established(&in_copies);
	struct router *r = &w->r[R2];
	const struct fl_session *s = &r->t.sessions[router_session(r)];
	const struct craft bare = { .from = R1,
				    .dev = DEV_WAN1,
				    .sport = s->in.remote_port,
				    .dport = s->in.local_port,
				    .payload = "bare",
				    .len = 4 };
	struct drops before = drops_of(r);

	craft_send(w, &bare);
	assert_dropped(r, before, FL_DROP_META_INCOMPLETE, 1);
	cr_assert_eq(drain_out(r), 0);
	world_free(w);
}

/* Sessions that are there follow the policy's paths. */
Test(engine_dup, configuration_takes_a_path_away)
{
	struct world *w = established(&in_copies);
	struct world_opts one = in_copies;

	one.vectors = "{'name':'wan1'},{'name':'wan2','priority':'never'}";
	router_configure(&w->r[R1], &one);
	cr_assert_eq(dup_of(&w->r[R1])->ready, 1);
	cr_assert_eq(dup_of(&w->r[R1])->path[1], 0);
	w->hold = true;
	client_says(w, &call);
	cr_assert_eq(w->wire.count, 1);
	world_run(w);
	cr_assert_eq(drain_out(&w->r[R2]), 1);
	world_free(w);
}

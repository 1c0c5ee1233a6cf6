// SPDX-License-Identifier: Apache-2.0
/*
 * P-17: what a router says in a TCP session itself is an ACK segment with the connection's numbers,
 * so that nothing under way takes it for a stranger's.
 */
#include "test/unit/engine_test.h"

#define TCP .proto = FL_IPPROTO_TCP, .dport = 443

static const struct say syn = { TCP, .seq = 100 };

/* The client's data, and the server's; the SYN-ACK of the small world has number 7000. */
static const struct say data = {
	TCP,        .tcp_flags = FL_TH_ACK,
	.seq = 101, .ack = 7001,
	.len = 50,  .payload = "fifty bytes of payload for a connection, in all..."
};
static const struct say reply = { .src = "10.2.0.53",
				  .dst = "10.1.0.5",
				  .sport = 443,
				  .dport = 40000,
				  .proto = FL_IPPROTO_TCP,
				  .tcp_flags = FL_TH_ACK,
				  .seq = 7001,
				  .ack = 151,
				  .payload = "twenty bytes more...",
				  .len = 20 };

static void assert_numbers(const struct got *g, uint32_t seq, uint32_t ack)
{
	const struct fl_tcp *tcp = (const void *)g->p.l4;

	cr_assert_eq(g->p.hdr.proto, FL_IPPROTO_TCP);
	cr_assert_eq(tcp->flags, FL_TH_ACK);
	cr_assert_eq(FL_HOST32(tcp->seq), seq, "sequence %u", FL_HOST32(tcp->seq));
	cr_assert_eq(FL_HOST32(tcp->ack), ack, "acknowledgement %u", FL_HOST32(tcp->ack));
	cr_assert_neq(FL_HOST16(tcp->window), 0);
}

/* Take the next control message from the wire. */
static struct got next_control(struct world *w, uint8_t control)
{
	struct got g;

	cr_assert(got_wire(w, &g));
	cr_assert(g.meta && fl_meta_has(&g.o.meta, FL_META_CONTROL));
	cr_assert_eq(g.o.meta.control, control);
	return g;
}

/* Numbers of the handshake, which the agent has carried. */
Test(engine_numbers, p17_deletion_of_a_new_connection)
{
	struct world *w = two_routers();
	struct got g;

	establish(w, &syn);
	w->hold = true;
	fl_engine_clear_all(w->r[R1].engine);
	g = next_control(w, FL_CONTROL_DELETE);
	assert_numbers(&g, 101, 7001);
	fl_engine_clear_all(w->r[R2].engine);
	g = next_control(w, FL_CONTROL_DELETE);
	assert_numbers(&g, 7001, 101);
	world_free(w);
}

/* The data plane notes the numbers of the segments that end a connection, whatever went before. */
Test(engine_numbers, p17_deletion_after_a_reset)
{
	struct say rst = { TCP, .tcp_flags = FL_TH_RST | FL_TH_ACK, .seq = 5000000, .ack = 9000000,
			   .no_payload = true };
	struct world *w = two_routers();
	struct got g;

	establish(w, &syn);
	client_says(w, &data);
	client_says(w, &rst);
	w->hold = true;
	world_advance(w, 6000);
	g = next_control(w, FL_CONTROL_DELETE);
	assert_numbers(&g, 5000000, 9000000);
	world_free(w);
}

/* "strict" follows every segment. */
Test(engine_numbers, p17_deletion_with_strict)
{
	struct world *w = world_new(
		&(struct world_opts){ .policy = ",'transport-state-enforcement':'strict'" });
	struct got g;

	establish(w, &syn);
	client_says(w, &data);
	server_says(w, &syn); /* the SYN-ACK once more changes nothing */
	lan_says(w, R2, &reply);
	w->hold = true;
	fl_engine_clear_all(w->r[R1].engine);
	g = next_control(w, FL_CONTROL_DELETE);
	assert_numbers(&g, 151, 7021);
	world_free(w);
}

/* So do sessions that are kept alive: a keep-alive is said when all has been quiet for long. */
Test(engine_numbers, p17_keep_alive)
{
	struct world *w = world_new(&(struct world_opts){
		.authority = ",'session-type':[{'name':'long','timeout':7200000,"
			     "'nat-keep-alive':true,"
			     "'transport':[{'protocol':'tcp','port-range':[{'start-port':443}]}]}]",
		.adjacency = ",'nat-keep-alive':{'tcp-inactivity-timeout':30}" });
	struct got g;

	establish(w, &syn);
	client_says(w, &data);
	lan_says(w, R2, &reply);
	w->hold = true;
	world_advance(w, 33000);
	g = next_control(w, FL_CONTROL_KEEPALIVE);
	assert_numbers(&g, 151, 7021);
	world_free(w);
}

/* The answer to a health check takes the numbers of the packet that asked. */
Test(engine_numbers, p17_answer_to_a_health_check)
{
	struct world *w = two_routers();
	struct fl_meta m = { .has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_HEALTH),
			     .security_id = 1,
			     .health = FL_HEALTH_REQUEST };
	struct craft c = { .from = R1,
			   .proto = FL_IPPROTO_TCP,
			   .tcp_flags = FL_TH_ACK,
			   .seq = 300000,
			   .ack = 700000,
			   .meta = &m,
			   .payload = "ten bytes.",
			   .len = 10 };
	const struct fl_session *s;
	struct got g;

	establish(w, &syn);
	s = &w->r[R2].t.sessions[router_session(&w->r[R2])];
	c.sport = s->in.remote_port;
	c.dport = s->in.local_port;
	w->hold = true;
	craft_send(w, &c);
	g = next_control(w, FL_CONTROL_EXISTS);
	assert_numbers(&g, 700000, 300010);
	world_free(w);
}

/* P-14's acknowledgement: the server has said nothing yet, so there is only what the client sent.
 */
Test(engine_numbers, p17_generated_acknowledgement)
{
	struct world *w = two_routers();
	const struct fl_tcp *tcp;
	struct got g;

	client_says(w, &syn);
	w->hold = true;
	world_advance(w, 1200);
	cr_assert(got_wire(w, &g));
	cr_assert(fl_meta_has(&g.o.meta, FL_META_REVERSE));
	tcp = (const void *)g.p.l4;
	cr_assert_eq(FL_HOST32(tcp->ack), 101);
	world_free(w);
}

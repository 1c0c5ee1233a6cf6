/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of the engine say often: counters before and after, sessions brought to a state. */
#ifndef FL_TEST_UNIT_ENGINE_TEST_H
#define FL_TEST_UNIT_ENGINE_TEST_H

#include <criterion/criterion.h>

#include "test/unit/engine_world.h"

static const char *const drop_names[] = { [FL_DROP_NONE] = "none",
#define X(name, id, text) [FL_DROP_##name] = id,
					  FL_DROP_REASONS(X)
#undef X
};

struct drops {
	uint64_t n[FL_DROP_MAX];
};

static inline struct drops drops_of(const struct router *r)
{
	struct drops d;

	memcpy(d.n, r->t.drops, sizeof(d.n));
	return d;
}

/* Since @before exactly @n packets were dropped, all for this reason. */
#define assert_dropped(r, before, reason, count)                                                   \
	do {                                                                                       \
		for (int why_ = 1; why_ < FL_DROP_MAX; why_++) {                                   \
			uint64_t want_ = (uint64_t)(count) * (why_ == (int)(reason)),              \
				 have_ = (r)->t.drops[why_] - (before).n[why_];                    \
			cr_assert_eq(have_, want_, "%s: %ju drops, want %ju", drop_names[why_],    \
				     (uintmax_t)have_, (uintmax_t)want_);                          \
		}                                                                                  \
	} while (0)

#define assert_no_drops(r, before) assert_dropped(r, before, FL_DROP_NONE, 0)

/* Take what came out, however much: how much. */
static inline size_t drain_out(struct router *r)
{
	struct got g;
	size_t n = 0;

	while (got_out(r, &g))
		n++;
	return n;
}

/* What is under way gets lost. */
static inline size_t drain_wire(struct world *w)
{
	size_t n = w->wire.count;

	frames_clear(&w->wire);
	return n;
}

/* The packet came out as @say has it, except for the TTL, which is smaller by @hops. */
static inline bool arrived_as(const struct got *g, const struct say *say, int hops)
{
	static uint8_t packet[FL_MAX_FRAME];
	struct fl_packet p;
	struct fl_tuple t;
	size_t len = say_packet(say, packet);

	return !fl_packet_parse(packet, len, &p) && fl_packet_tuple(&p, &t) &&
	       fl_tuple_equal(&t, &g->t) && p.payload_len == g->p.payload_len &&
	       !memcmp(p.payload, g->p.payload, p.payload_len) &&
	       p.hdr.tcp_flags == g->p.hdr.tcp_flags && g->p.hdr.ttl == p.hdr.ttl - hops;
}

/* Exactly one packet came out of this router toward hosts, and it is what @say says. */
#define assert_arrived(r, say, hops)                                                               \
	do {                                                                                       \
		struct got got_;                                                                   \
		cr_assert(got_out(r, &got_), "nothing arrived");                                   \
		cr_assert(arrived_as(&got_, say, hops));                                           \
		cr_assert_eq((r)->out.count, 0, "more arrived");                                   \
	} while (0)

/* A session whose handshake is over on both routers; nothing under way. */
static inline void establish(struct world *w, const struct say *say)
{
	struct say next = *say;

	client_says(w, say);
	server_says(w, say);
	if (say->proto == FL_IPPROTO_TCP) {
		next.tcp_flags = FL_TH_ACK;
		next.seq++;
		next.ack = 7001;
		next.no_payload = true;
	}
	client_says(w, &next);
	for (int i = 0; i < w->routers; i++) {
		cr_assert_eq(router_state(&w->r[i]), 0, "r%d: %#x", i + 1, router_state(&w->r[i]));
		drain_out(&w->r[i]);
	}
}

/* The n-th session's first packet: every one of another client and port. */
static inline struct say nth_client(int n)
{
	static char src[64][16];
	struct say say = { .sport = (uint16_t)(40000 + n) };

	snprintf(src[n % 64], sizeof(src[0]), "10.1.0.%d", 5 + n % 64);
	say.src = src[n % 64];
	return say;
}

static inline void establish_many(struct world *w, int count)
{
	for (int n = 0; n < count; n++) {
		struct say say = nth_client(n);

		establish(w, &say);
	}
}

static inline struct world *two_routers(void)
{
	return world_new(&(struct world_opts){ 0 });
}

/* Forward metadata is on, off: seen from the initiator's and the responder's router. */
#define SEND_F  STATE(FL_FLOW_TX_META, FL_FLOW_RX_META)
#define SEND_R  STATE(FL_FLOW_RX_META, FL_FLOW_TX_META)
#define SETTLED 0u

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A fixture: one packet into one hook in a given state, and everything that has to come of it. */
#ifndef FL_TEST_BPF_FIXTURE_H
#define FL_TEST_BPF_FIXTURE_H

#include "test/bpf/world.h"

enum fx_hook {
	FX_XDP = 1,
	FX_TC = 2,
	FX_EGRESS = 4, /* TC egress: from this host */
	FX_BOTH = FX_XDP | FX_TC,
};

enum fx_in {
	FX_LAN,
	FX_WAN,
	FX_WAN2,
	FX_TUN,
};

enum fx_want {
	FX_SENT,   /* redirected; the packet equals `out` */
	FX_KERNEL, /* passed untouched */
	FX_HOST,   /* passed, and equal to `out` */
	FX_DROP,   /* with `reason` */
	FX_PUNT,   /* with `punt`; as it came, or as `out` */
	FX_TAKEN,  /* read by the data plane, and no more */
};

struct fixture {
	const char *name;
	enum fx_hook hooks;
	enum fx_in from;
	struct pg_spec in;
	const struct world_session *session; /* NULL: none */
	enum fx_want want;
	struct pg_spec out;
	enum fl_drop_reason reason;
	enum fl_punt_reason punt;
	uint16_t gso_size;
	size_t cut; /* bytes taken off the end of the packet */
	int runs;   /* of the same packet; 0: one. Only what comes of the last counts */
	void (*before)(struct world *w, uint32_t session);
	/* Fill in what `out` points to, knowing what came out: NULL or what is wrong with that. */
	const char *(*expect)(struct world *w, const uint8_t *packet, size_t len);
	/* Further checks after the run: NULL or what is wrong. */
	const char *(*after)(struct world *w, uint32_t session, const struct fl_punt *punt);
};

struct fixture_set {
	const char *name;
	const struct fixture *rows;
	size_t count;
};

#define FIXTURE_SET(id, text, rows)                                                                \
	const struct fixture_set id = { text, rows, sizeof(rows) / sizeof((rows)[0]) }

extern const struct fixture_set fx_forward, fx_l2, fx_parse, fx_handshake, fx_tcp, fx_icmp,
	fx_admission, fx_host, fx_gso, fx_echo, fx_mark, fx_mark_class, fx_unmark, fx_dup, fx_seal,
	fx_unseal;

/* Client 10.1.0.5 to server 10.2.0.53 by way of peer 1; ports 40000 and 53; waypoints 20000 and
 * 20001. */
#define LAN_SIDE(nh)                                                                               \
	{                                                                                          \
		.kind = FL_SIDE_LAN, .id = W_LAN, .nexthop = (nh)                                  \
	}
#define PEER_SIDE(vector_)                                                                         \
	{                                                                                          \
		.kind = FL_SIDE_PEER, .id = 1, .local_port = 20000, .remote_port = 20001,          \
		.vector = (vector_)                                                                \
	}

#endif

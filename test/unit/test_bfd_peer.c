// SPDX-License-Identifier: Apache-2.0
/* Sequence numbers, restarts and NATs, as BFD packets tell of them. */
#include <errno.h>

#include <criterion/criterion.h>

#include "agent/path/bfd_peer.h"

#define SILENCE_US 300000

static const struct fl_meta_endpoint own = { { { 192, 0, 2, 1 }, 4 }, 1280 };
static const struct fl_meta_endpoint there = { { { 192, 0, 2, 2 }, 4 }, 1280 };
static const struct fl_meta_endpoint nat1 = { { { 203, 0, 113, 9 }, 4 }, 1280 };
static const struct fl_meta_endpoint nat2 = { { { 203, 0, 113, 9 }, 4 }, 40000 };

static int rx(struct fl_bfd_peer *p, uint32_t start_s, uint32_t random, uint32_t seq, uint64_t ms)
{
	const struct fl_bfd_pkt pkt = { .has_auth = true, .auth.seq = seq };
	const struct fl_meta meta = { .own_endpoint = there, .boot_id = { start_s, random } };

	return fl_bfd_peer_rx(p, &pkt, &meta, &there, &own, SILENCE_US,
			      (struct fl_mono){ ms * FL_NS_PER_MS });
}

/* Packets one after the other, each judged by those before it that were accepted. */
Test(bfd_peer, sequence)
{
	static const struct {
		const char *what;
		uint32_t start_s, random, seq;
		uint64_t ms;
		int ret;
	} rows[] = {
		{ "the first, any number", 100, 1, 0xfffffff0, 0, 0 },
		{ "again", 100, 1, 0xfffffff0, 10, -EALREADY },
		{ "the next", 100, 1, 0xfffffff1, 50, 0 },
		{ "an older one", 100, 1, 0xffffffef, 60, -EALREADY },
		{ "some lost, over the wrap", 100, 1, 0x5, 100, 0 },
		{ "from before the wrap", 100, 1, 0xfffffff5, 110, -EALREADY },
		{ "the last of the window", 100, 1, 0x25, 120, 0 },
		{ "one beyond the window", 100, 1, 0x46, 130, -ERANGE },
		{ "the same, nearly silent", 100, 1, 0x46, 419, -ERANGE },
		{ "the same after silence", 100, 1, 0x46, 420, 0 },
		{ "an old one after silence", 100, 1, 0x25, 10000, -EALREADY },
		{ "half around after silence", 100, 1, 0x80000046, 10000, -EALREADY },
		{ "far ahead after silence", 100, 1, 0x80000045, 10000, 0 },
		{ "a later boot", 200, 2, 1, 10010, FL_BFD_EV_NEW_BOOT },
		{ "its next", 200, 2, 2, 10020, 0 },
		{ "a replay of the first life", 100, 1, 0x80000046, 10030, -ESTALE },
		{ "same second, another boot", 200, 3, 7, 10030, -ESTALE },
		{ "same second, after silence", 200, 3, 7, 10320, FL_BFD_EV_NEW_BOOT },
		{ "clock lost", 50, 9, 1, 10330, -ESTALE },
		{ "clock lost, after silence", 50, 9, 1, 10620, FL_BFD_EV_NEW_BOOT },
		{ "and the true one returns", 300, 4, 1, 10630, FL_BFD_EV_NEW_BOOT },
	};
	struct fl_bfd_peer p = { 0 };
	uint64_t replayed = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int ret = rx(&p, rows[i].start_s, rows[i].random, rows[i].seq, rows[i].ms);

		cr_assert_eq(ret, rows[i].ret, "%s: %d", rows[i].what, ret);
		replayed += ret < 0;
		cr_assert_eq(p.replayed, replayed);
	}
	cr_assert_eq(p.boots, 4);
}

/* A policy without HMAC has no sequence numbers, but boots all the same. */
Test(bfd_peer, without_authentication)
{
	const struct fl_bfd_pkt pkt = { .has_auth = false };
	struct fl_meta meta = { .own_endpoint = there, .boot_id = { 100, 1 } };
	struct fl_bfd_peer p = { 0 };

	for (int i = 0; i < 3; i++)
		cr_assert_eq(fl_bfd_peer_rx(&p, &pkt, &meta, &there, &own, SILENCE_US,
					    (struct fl_mono){ 1 }),
			     0);
	meta.boot_id.start_s = 101;
	cr_assert_eq(
		fl_bfd_peer_rx(&p, &pkt, &meta, &there, &own, SILENCE_US, (struct fl_mono){ 2 }),
		FL_BFD_EV_NEW_BOOT);
}

/* Its numbers go on meanwhile: with authentication again they count, from wherever they are. */
Test(bfd_peer, authentication_comes_back)
{
	const struct fl_bfd_pkt bare = { .has_auth = false };
	const struct fl_meta meta = { .own_endpoint = there, .boot_id = { 100, 1 } };
	struct fl_bfd_peer p = { 0 };

	cr_assert_eq(rx(&p, 100, 1, 5, 1), 0);
	cr_assert_eq(fl_bfd_peer_rx(&p, &bare, &meta, &there, &own, SILENCE_US,
				    (struct fl_mono){ 2 * FL_NS_PER_MS }),
		     0);
	cr_assert_eq(rx(&p, 100, 1, 4, 3), -EALREADY, "from before");
	cr_assert_eq(rx(&p, 100, 1, 500, 4), 0);
	cr_assert_eq(rx(&p, 100, 1, 540, 5), -ERANGE, "the window holds again");
	cr_assert_eq(rx(&p, 100, 1, 501, 6), 0);
}

Test(bfd_peer, nat)
{
	static const struct {
		const char *what;
		const struct fl_meta_endpoint *source; /* where it comes from */
		const struct fl_meta_endpoint *says;   /* where it believes to be */
		const struct fl_meta_endpoint *sees;   /* where it sees us; NULL: not yet */
		int ret;
		const struct fl_meta_endpoint *outer;
		bool peer_nated, self_nated;
	} rows[] = {
		{ "no NAT", &there, &there, NULL, 0, &there, false, false },
		{ "it sees us where we are", &there, &there, &own, 0, &there, false, false },
		{ "it sees us elsewhere", &there, &there, &nat1, FL_BFD_EV_NAT, &there, false,
		  true },
		{ "and goes on", &there, &there, NULL, 0, &there, false, true },
		{ "a NAT on its side", &nat1, &there, &nat1, FL_BFD_EV_NAT, &there, true, true },
		{ "twice: it moved", &nat1, &there, &nat1, FL_BFD_EV_MOVED, &nat1, true, true },
		{ "one from elsewhere", &nat2, &there, &nat1, 0, &nat1, true, true },
		{ "back", &nat1, &there, &nat1, 0, &nat1, true, true },
		{ "elsewhere again", &nat2, &there, &nat1, 0, &nat1, true, true },
		{ "and a third place", &there, &there, &nat1, FL_BFD_EV_NAT, &nat1, false, true },
		{ "elsewhere", &nat2, &there, &nat1, FL_BFD_EV_NAT, &nat1, true, true },
		{ "the port alone", &nat2, &there, &own, FL_BFD_EV_MOVED | FL_BFD_EV_NAT, &nat2,
		  true, false },
	};
	struct fl_bfd_peer p = { 0 };
	uint32_t moves = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fl_bfd_pkt pkt = { .has_auth = true, .auth.seq = (uint32_t)i };
		struct fl_meta meta = { .own_endpoint = *rows[i].says };
		int ret;

		if (rows[i].sees) {
			meta.has = FL_META_BIT(FL_META_SEEN_ENDPOINT);
			meta.seen_endpoint = *rows[i].sees;
		}
		ret = fl_bfd_peer_rx(&p, &pkt, &meta, rows[i].source, &own, SILENCE_US,
				     (struct fl_mono){ i });
		cr_assert_eq(ret, rows[i].ret, "%s: %x", rows[i].what, ret);
		cr_assert(fl_addr_equal(&p.outer.addr, &rows[i].outer->addr) &&
				  p.outer.port == rows[i].outer->port,
			  "%s", rows[i].what);
		cr_assert_eq(p.peer_nated, rows[i].peer_nated, "%s", rows[i].what);
		cr_assert_eq(p.self_nated, rows[i].self_nated, "%s", rows[i].what);
		moves += (ret & FL_BFD_EV_MOVED) != 0;
	}
	cr_assert_eq(p.moves, moves);
}

// SPDX-License-Identifier: Apache-2.0
/* BFD control packets: what is read and written, and everything that is refused. */
#include <errno.h>

#include "agent/codec/bfd_pkt.h"
#include "agent/codec/meta.h"
#include "test/unit/hex.h"

/* As FRR's bfdd sends it: state, no authentication, nothing behind it. */
#define PLAIN "20c00318 11223344 aabbccdd 000f4240 0007a120 0000c350"
#define AUTH  "20c40330 11223344 aabbccdd 000f4240 0007a120 0000c350 f0180100 00000007"
#define ZEROS "00000000000000000000000000000000"

static int parse(const char *hex, struct fl_bfd_pkt *pkt)
{
	uint8_t data[256], *copy;
	size_t len = hex_bytes(hex, data, sizeof(data));
	int err;

	/* Memory of exactly the size, for the sanitizer. */
	copy = malloc(len ? len : 1);
	memcpy(copy, data, len);
	err = fl_bfd_parse(copy, len, pkt);
	free(copy);
	return err;
}

static bool same(const struct fl_bfd_pkt *a, const struct fl_bfd_pkt *b)
{
	return a->state == b->state && a->diag == b->diag && a->detect_mult == b->detect_mult &&
	       a->poll == b->poll && a->final == b->final && a->independent == b->independent &&
	       a->demand == b->demand && a->has_auth == b->has_auth && a->my_discr == b->my_discr &&
	       a->your_discr == b->your_discr && a->desired_tx_us == b->desired_tx_us &&
	       a->required_rx_us == b->required_rx_us &&
	       a->required_echo_us == b->required_echo_us && a->auth.seq == b->auth.seq &&
	       a->auth.key_id == b->auth.key_id;
}

#define BASE                                                                                       \
	.detect_mult = 3, .my_discr = 0x11223344, .your_discr = 0xaabbccdd,                        \
	.desired_tx_us = 1000000, .required_rx_us = 500000, .required_echo_us = 50000

static const struct {
	const char *hex;
	struct fl_bfd_pkt pkt;
} good[] = {
	{ PLAIN, { BASE, .state = FL_BFD_UP } },
	{ AUTH ZEROS,
	  { BASE, .state = FL_BFD_UP, .has_auth = true, .auth = { .seq = 7, .key_id = 1 } } },
	{ "20e00318 11223344 aabbccdd 000f4240 0007a120 0000c350",
	  { BASE, .state = FL_BFD_UP, .poll = true } },
	{ "20d00318 11223344 aabbccdd 000f4240 0007a120 0000c350",
	  { BASE, .state = FL_BFD_UP, .final = true } },
	{ "21880318 11223344 aabbccdd 000f4240 0007a120 0000c350",
	  { BASE, .state = FL_BFD_INIT, .diag = FL_BFD_DIAG_TIMER_EXPIRED, .independent = true } },
	{ "3fc2ff18 11223344 aabbccdd 000f4240 0007a120 0000c350",
	  { .state = FL_BFD_UP,
	    .diag = 31,
	    .detect_mult = 255,
	    .demand = true,
	    .my_discr = 0x11223344,
	    .your_discr = 0xaabbccdd,
	    .desired_tx_us = 1000000,
	    .required_rx_us = 500000,
	    .required_echo_us = 50000 } },
	/* Without your discriminator: only when down. */
	{ "20400318 00000001 00000000 000f4240 00000000 00000000",
	  { .state = FL_BFD_DOWN, .detect_mult = 3, .my_discr = 1, .desired_tx_us = 1000000 } },
	{ "27000318 00000001 00000000 000f4240 00000000 00000000",
	  { .state = FL_BFD_ADMIN_DOWN,
	    .diag = FL_BFD_DIAG_ADMIN_DOWN,
	    .detect_mult = 3,
	    .my_discr = 1,
	    .desired_tx_us = 1000000 } },
};

Test(bfd_pkt, good)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint8_t out[FL_BFD_CONTROL_LEN + FL_BFD_AUTH_LEN];
		struct fl_writer w = fl_writer(out, sizeof(out));
		struct fl_bfd_pkt pkt;

		cr_assert_eq(parse(good[i].hex, &pkt), 0, "row %zu", i);
		cr_assert(same(&pkt, &good[i].pkt), "row %zu", i);
		cr_assert_eq(fl_bfd_build(&good[i].pkt, &w), (int)fl_bfd_pkt_len(&pkt));
		assert_hex(out, fl_writer_len(&w), good[i].hex);
		for (size_t room = 0; room < fl_bfd_pkt_len(&pkt); room++) {
			w = fl_writer(out, room);
			cr_assert_eq(fl_bfd_build(&good[i].pkt, &w), -ENOSPC);
			cr_assert_eq(fl_writer_len(&w), 0);
		}
	}
}

/* What follows the sections is for the caller to judge. */
Test(bfd_pkt, trailing)
{
	struct fl_bfd_pkt pkt;

	cr_assert_eq(parse(PLAIN "4c48dbc6ddf6670c", &pkt), 0);
	cr_assert_eq(fl_bfd_pkt_len(&pkt), FL_BFD_CONTROL_LEN);
	cr_assert_eq(parse(AUTH ZEROS "00", &pkt), 0);
	cr_assert_eq(fl_bfd_pkt_len(&pkt), FL_BFD_CONTROL_LEN + FL_BFD_AUTH_LEN);
}

#define REST " 11223344 aabbccdd 000f4240 0007a120 0000c350"

static const struct {
	const char *name;
	const char *hex;
	int err;
} bad[] = {
	{ "empty", "", -EBADMSG },
	{ "one byte", "20", -EBADMSG },
	{ "one byte too short", "20c00318 11223344 aabbccdd 000f4240 0007a120 0000c3", -EBADMSG },
	{ "version 0", "00c00318" REST, -EPROTONOSUPPORT },
	{ "version 2", "40c00318" REST, -EPROTONOSUPPORT },
	{ "an echo packet", "4c48dbc6ddf6670c102900000010000400000001800400110000",
	  -EPROTONOSUPPORT },
	{ "length 0", "20c00300" REST, -EBADMSG },
	{ "length 23", "20c00317" REST, -EBADMSG },
	{ "length 25", "20c00319" REST "00", -EBADMSG },
	{ "length beyond the payload", "20c00330" REST, -EBADMSG },
	{ "multiplier 0", "20c00018" REST, -EBADMSG },
	{ "multipoint", "20c10318" REST, -EBADMSG },
	{ "poll and final", "20f00318" REST, -EBADMSG },
	{ "my discriminator 0", "20c00318 00000000 aabbccdd 000f4240 0007a120 0000c350", -EBADMSG },
	{ "up without your discriminator", "20c00318 11223344 00000000 000f4240 0007a120 0000c350",
	  -EBADMSG },
	{ "init without your discriminator",
	  "20800318 11223344 00000000 000f4240 0007a120 0000c350", -EBADMSG },
	{ "authentication announced, length of without", "20c40318" REST, -EBADMSG },
	{ "authentication announced, cut",
	  "20c4032f" REST "f01801000000000700000000000000000000000000", -EBADMSG },
	{ "authentication not announced", "20c00330" REST "f018010000000007" ZEROS, -EBADMSG },
	{ "simple password", "20c4031d" REST "0105017777", -EBADMSG },
	{ "simple password, as long as ours", "20c40330" REST "0118010000000007" ZEROS,
	  -EPROTONOSUPPORT },
	{ "keyed SHA1", "20c40334" REST "041c010000000007" ZEROS "00000000", -EPROTONOSUPPORT },
	{ "our type, other length", "20c40330" REST "f017010000000007" ZEROS, -EBADMSG },
	{ "our type, longer", "20c40331" REST "f019010000000007" ZEROS "00", -EBADMSG },
};

Test(bfd_pkt, bad)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fl_bfd_pkt pkt;
		int err = parse(bad[i].hex, &pkt);

		cr_assert_eq(err, bad[i].err, "%s: %d", bad[i].name, err);
	}
}

Test(bfd_pkt, build_refuses_what_parse_refuses)
{
	static const struct fl_bfd_pkt rows[] = {
		{ BASE, .state = FL_BFD_UP, .poll = true, .final = true },
		{ BASE, .state = FL_BFD_UP, .diag = 32 },
		{ BASE, .state = (enum fl_bfd_state)4 },
		{ .state = FL_BFD_UP, .my_discr = 1, .your_discr = 1 },
		{ .state = FL_BFD_DOWN, .detect_mult = 3 },
		{ .state = FL_BFD_INIT, .detect_mult = 3, .my_discr = 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t out[64];
		struct fl_writer w = fl_writer(out, sizeof(out));

		cr_assert_eq(fl_bfd_build(&rows[i], &w), -EINVAL, "row %zu", i);
	}
}

#define ECHO "4c48dbc6ddf6670c10290000 0010000400000001 8004001100000005 0003000a 00000000075bcd15"

Test(bfd_pkt, echo_reflect)
{
	static const struct {
		const char *hex;
		bool reflected;
	} rows[] = {
		{ ECHO "00", true },
		{ ECHO "00" ZEROS, true },
		{ ECHO "01", false }, /* never twice */
		{ ECHO "ff", false },
		{ ECHO, false },
		{ PLAIN, false },
		/* A fence and some data; a block with other TLVs of the same length. */
		{ "4c48dbc6ddf6670c100c0000" ZEROS ZEROS, false },
		{ "4c48dbc6ddf6670c10290000 0018000400000001 8004001100000005 0003000a "
		  "00000000075bcd15 00",
		  false },
		{ "4c48dbc6ddf6670c10290000 0010000400000001 8006001100000005 0003000a "
		  "00000000075bcd15 00",
		  false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t data[128], before[128];
		size_t len = hex_bytes(rows[i].hex, data, sizeof(data));

		memcpy(before, data, len);
		cr_assert_eq(fl_bfd_echo_reflect(data, len), rows[i].reflected, "row %zu", i);
		before[FL_ECHO_REFLECTED_OFFSET] ^= rows[i].reflected;
		cr_assert(!memcmp(before, data, len), "row %zu", i);
	}
}

Test(bfd_pkt, needed_metadata)
{
	static const enum fl_meta_field needed[] = { FL_META_SECURITY_ID, FL_META_OWN_ENDPOINT,
						     FL_META_BOOT_ID, FL_META_SOURCE_ROUTER,
						     FL_META_PATHWAY };
	struct fl_meta all = { .source_router = { "r1", 2 }, .pathway = { "p", 1 } }, m;

	for (size_t i = 0; i < 5; i++)
		all.has |= FL_META_BIT(needed[i]);
	cr_assert_eq(fl_bfd_check_meta(&all), 0);
	for (size_t i = 0; i < 5; i++) {
		m = all;
		m.has &= ~FL_META_BIT(needed[i]);
		cr_assert_eq(fl_bfd_check_meta(&m), -ENODATA, "field %zu", i);
	}
	m = all;
	m.pathway.len = 0;
	cr_assert_eq(fl_bfd_check_meta(&m), -ENODATA);
	m = all;
	m.source_router.len = 0;
	cr_assert_eq(fl_bfd_check_meta(&m), -ENODATA);
}

Test(bfd_pkt, words)
{
	cr_assert_str_eq(fl_bfd_state_name(FL_BFD_UP), "up");
	cr_assert_str_eq(fl_bfd_state_name((enum fl_bfd_state)7), "unknown");
	cr_assert_str_eq(fl_bfd_diag_text(3), "neighbour signalled session down");
	cr_assert_str_eq(fl_bfd_diag_text(8), "reverse concatenated path down");
	cr_assert_str_eq(fl_bfd_diag_text(9), "unknown");
}

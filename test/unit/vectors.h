/* SPDX-License-Identifier: Apache-2.0 */
/* The test vectors of svr-protocol.md 2.9, as bytes and as structs. */
#ifndef FL_TEST_UNIT_VECTORS_H
#define FL_TEST_UNIT_VECTORS_H

#include <string.h>

#include "agent/codec/meta.h"

#define COOKIE "4c48dbc6ddf6670c"

#define VECTOR_A                                                                                   \
	COOKIE "1014 004f"                                                                         \
	       "0010 0004 00000001"                                                                \
	       "0002 000d 0a010005 0a020035 9c40 0035 11"                                          \
	       "0007 0003 726564"                                                                  \
	       "000a 0003 646e73"                                                                  \
	       "0006 0010 0f1e2d3c4b5a49788796a5b4c3d2e1f0"                                        \
	       "000e 0007 6272616e636831"                                                          \
	       "0013 000d 3139382e35312e3130302e3130"
#define VECTOR_B                                                                                   \
	COOKIE "101400600010000400000001"                                                          \
	       "30e5c435e4e5cb282c69ebac61035fad16f421bd75e264cb2735da63a28eb49d"                  \
	       "a60e12e280ca449973cbc5d6390664dad38cb1be248b5288b292a7a5ad6428fa"                  \
	       "f4f422d502be16fc852eaf6faadccf56 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
#define VECTOR_C                                                                                   \
	COOKIE "1018002100100004000000010012"                                                      \
	       "00000004000d0a0200350a01000500359c40110013000c3230332e302e3131332e3230"
#define VECTOR_D COOKIE "101a0000 001a000a 3012d687 606ddd23 0062"
#define VECTOR_E COOKIE "10190000 0010000400000001 0018000102"
#define VECTOR_F COOKIE "10190000 0010000400000001 002e000101"
#define VECTOR_G COOKIE "101a0000 0001000a 11223344 abcd 20b9 05c8"
#define FENCE    "4c48dbc6ddf6670c100c0000"

#define VECTOR_PAYLOAD "123401000001000000000000016101740000010001"
#define VECTOR_UNIX_S  1700000000

static inline struct fl_meta_name name_of(const char *text)
{
	return (struct fl_meta_name){ text, (uint16_t)strlen(text) };
}

static inline struct fl_meta vector_a(void)
{
	struct fl_meta m = {
		.has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_FORWARD) |
		       FL_META_BIT(FL_META_TENANT) | FL_META_BIT(FL_META_SERVICE) |
		       FL_META_BIT(FL_META_UUID) | FL_META_BIT(FL_META_SOURCE_ROUTER) |
		       FL_META_BIT(FL_META_PATHWAY),
		.security_id = 1,
		.forward = { .src = { 10, 1, 0, 5 },
			     .dst = { 10, 2, 0, 53 },
			     .sport = 40000,
			     .dport = 53,
			     .family = 4,
			     .proto = 17 },
		.uuid = { 0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x49, 0x78, 0x87, 0x96, 0xa5, 0xb4,
			  0xc3, 0xd2, 0xe1, 0xf0 },
	};

	m.tenant = name_of("red");
	m.service = name_of("dns");
	m.source_router = name_of("branch1");
	m.pathway = name_of("198.51.100.10");
	return m;
}

static inline struct fl_meta vector_c(void)
{
	struct fl_meta a = vector_a(), m = {
		.has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_DISABLE_FORWARD) |
		       FL_META_BIT(FL_META_REVERSE) | FL_META_BIT(FL_META_PATHWAY),
		.security_id = 1,
	};

	m.reverse = fl_tuple_reverse(&a.forward);
	m.pathway = name_of("203.0.113.20");
	return m;
}

static inline struct fl_meta vector_d(void)
{
	return (struct fl_meta){
		.has = FL_META_BIT(FL_META_METRICS),
		.metrics = { .tx_colour = 3,
			     .tx_time_ms = 1234567,
			     .rx_colour = 6,
			     .rx_time_ms = 7200035,
			     .prev_count = 98 },
	};
}

static inline struct fl_meta vector_e(void)
{
	return (struct fl_meta){
		.has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_CONTROL),
		.security_id = 1,
		.control = FL_CONTROL_ENABLE,
	};
}

static inline struct fl_meta vector_f(void)
{
	return (struct fl_meta){
		.has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_HEALTH),
		.security_id = 1,
		.health = FL_HEALTH_REQUEST,
	};
}

static inline struct fl_meta vector_g(void)
{
	return (struct fl_meta){
		.has = FL_META_BIT(FL_META_FRAGMENT),
		.fragment = { .ext_id = 0x11223344,
			      .orig_id = 0xabcd,
			      .mf = true,
			      .offset = 185,
			      .largest = 1480 },
	};
}

#endif

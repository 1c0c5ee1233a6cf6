// SPDX-License-Identifier: Apache-2.0
/* Metadata codec: the vectors of svr-protocol.md 2.9 in both directions, and every TLV's layout. */
#include <errno.h>

#include "test/unit/hex.h"
#include "test/unit/meta_equal.h"
#include "test/unit/vectors.h"

/* Build @m, or return the error. */
static int build(const struct fl_meta *m, uint8_t *out, size_t room, struct fl_meta_lens *lens)
{
	struct fl_writer w = fl_writer(out, room);
	int len = fl_meta_build(m, &w, lens);

	if (len > 0)
		cr_assert_eq(fl_writer_len(&w), (size_t)len);
	else
		cr_assert_eq(fl_writer_len(&w), 0, "the cursor moved without success");
	return len;
}

/* All three steps of reading. */
static int parse(const uint8_t *block, size_t len, struct fl_meta *m)
{
	struct fl_meta_lens lens;
	int err = fl_meta_peek(block, len, &lens);

	if (!err)
		err = fl_meta_parse_header(block, &lens, m);
	if (!err)
		err = fl_meta_parse_payload(block + lens.header, lens.payload, m);
	return err;
}

/* @m is @text on the wire, and back. */
static void check_vector(const struct fl_meta *m, const char *text)
{
	struct fl_meta_lens lens;
	struct fl_meta back;
	uint8_t block[4096];
	int len = build(m, block, sizeof(block), &lens);

	assert_hex(block, len, text);
	cr_assert_eq(lens.header, (block[8] & 15) << 8 | block[9]);
	cr_assert_eq(lens.payload, block[10] << 8 | block[11]);
	cr_assert_eq(fl_meta_block_len(&lens), (size_t)len);
	cr_assert_eq(parse(block, (size_t)len, &back), 0);
	cr_assert_eq(back.unknown, 0);
	cr_assert(meta_equal(m, &back));
}

Test(meta, vector_a_forward)
{
	struct fl_meta m = vector_a();

	check_vector(&m, VECTOR_A);
	cr_assert_eq(fl_meta_check_forward(&m), 0);
	cr_assert_eq(fl_meta_check_reverse(&m), -ENODATA);
}

Test(meta, vector_b_header_is_readable_while_the_payload_is_not)
{
	struct fl_meta_lens lens;
	uint8_t block[256];
	size_t len = hex_bytes(VECTOR_B, block, sizeof(block));
	struct fl_meta m;

	cr_assert_eq(len, 116);
	cr_assert_eq(fl_meta_peek(block, len, &lens), 0);
	cr_assert_eq(lens.header, 20);
	cr_assert_eq(lens.payload, 96);
	cr_assert_eq(fl_meta_parse_header(block, &lens, &m), 0);
	cr_assert_eq(m.has, FL_META_BIT(FL_META_SECURITY_ID));
	cr_assert_eq(m.security_id, 1);
	cr_assert_eq(fl_meta_parse_payload(block + 20, 96, &m), -EBADMSG);
}

Test(meta, vector_c_reverse)
{
	struct fl_meta m = vector_c();

	check_vector(&m, VECTOR_C);
	cr_assert_eq(fl_meta_check_reverse(&m), 0);
	cr_assert_eq(fl_meta_check_forward(&m), -ENODATA);
}

Test(meta, vector_d_path_metrics)
{
	struct fl_meta m = vector_d();

	check_vector(&m, VECTOR_D);
}

Test(meta, vector_e_enable_metadata)
{
	struct fl_meta m = vector_e();

	check_vector(&m, VECTOR_E);
}

Test(meta, vector_f_health_check)
{
	struct fl_meta m = vector_f();

	check_vector(&m, VECTOR_F);
}

Test(meta, vector_g_fragment)
{
	struct fl_meta m = vector_g();

	check_vector(&m, VECTOR_G);
}

Test(meta, fence)
{
	struct fl_meta m = { 0 };
	struct fl_meta_lens lens;

	check_vector(&m, FENCE);
	assert_hex(fl_meta_fence, sizeof(fl_meta_fence), FENCE);
	cr_assert_eq(fl_meta_peek(fl_meta_fence, 12, &lens), 0);
	cr_assert(fl_meta_is_fence(&lens));
	/* The data plane's view of the same bytes. */
	cr_assert_eq(*(const fl_u64_una *)fl_meta_fence, FL_META_COOKIE);
	cr_assert_eq(*(const fl_u32_una *)(fl_meta_fence + 8), FL_META_FENCE_TAIL);
}

/* Layout of each TLV that the vectors do not have: one field set, and its bytes. */
#define LAYOUT(name, lens, bytes, ...)                                                             \
	Test(meta_layout, name)                                                                    \
	{                                                                                          \
		struct fl_meta m = { __VA_ARGS__ };                                                \
                                                                                                   \
		check_vector(&m, COOKIE lens bytes);                                               \
	}
#define HAS(field) .has = FL_META_BIT(FL_META_##field)

#define V6_A "20010db8000000000000000000000001"
#define V6_B "20010db8000000000000000000000002"
#define V6(n)                                                                                      \
	{                                                                                          \
		0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, n                         \
	}

LAYOUT(forward6, "100c 0029", "0003 0025" V6_A V6_B "1234 5678 06", HAS(FORWARD),
       .forward = { .src = V6(1),
		    .dst = V6(2),
		    .sport = 0x1234,
		    .dport = 0x5678,
		    .family = 6,
		    .proto = 6 })
LAYOUT(reverse6, "100c 0029", "0005 0025" V6_A V6_B "0007 0007 3a", HAS(REVERSE),
       .reverse = { .src = V6(1), .dst = V6(2), .sport = 7, .dport = 7, .family = 6, .proto = 58 })
LAYOUT(interface_id, "100c 0008", "0008 0004 01020304", HAS(INTERFACE_ID),
       .interface_id = 0x01020304)
LAYOUT(encrypted, "100c 0004", "000b 0000", HAS(ENCRYPTED))
LAYOUT(tcp_syn, "100c 0004", "000c 0000", HAS(TCP_SYN))
LAYOUT(session_count, "100c 000c", "000d 0008 0102030405060708", HAS(SESSION_COUNT),
       .session_count = 0x0102030405060708)
LAYOUT(security_policy, "100c 0007", "000f 0003 616573", HAS(SECURITY_POLICY),
       .security_policy = { "aes", 3 })
LAYOUT(dest_router, "100c 0007", "0011 0003 687562", HAS(DEST_ROUTER), .dest_router = { "hub", 3 })
LAYOUT(icmp_location4, "1014 0000", "0014 0004 c0000201", HAS(ICMP_LOCATION),
       .icmp_location = { .family = 4, .b = { 192, 0, 2, 1 } })
LAYOUT(icmp_location6, "1020 0000", "0015 0010" V6_A, HAS(ICMP_LOCATION),
       .icmp_location = { .family = 6, .b = V6(1) })
LAYOUT(source_nat, "100c 0008", "0019 0004 c0000201", HAS(SOURCE_NAT),
       .source_nat = { .family = 4, .b = { 192, 0, 2, 1 } })
LAYOUT(metrics_bounds, "101a 0000", "001a 000a ffffffff 0fffffff ffff", HAS(METRICS),
       .metrics = { .tx_colour = 15,
		    .tx_time_ms = 0xfffffff,
		    .rx_time_ms = 0xfffffff,
		    .prev_count = 0x7fff,
		    .drop = true })
LAYOUT(modify_request, "100c 0006", "001c 0002 8fff", HAS(MODIFY),
       .modify = { .forward = true, .seq = 0xfff })
LAYOUT(modify_done, "100c 0006", "001c 0002 4001", HAS(MODIFY),
       .modify = { .done = true, .seq = 1 })
LAYOUT(application, "100c 0006", "0023 0002 c3a4", HAS(APPLICATION),
       .application = { "\xc3\xa4", 2 })
LAYOUT(vector, "100c 000c", "8008 0008 0007 0000 01020304", HAS(VECTOR),
       .vector = { .id = 7, .seq = 0x01020304 })
LAYOUT(remaining_time, "100c 0008", "002a 0004 00000e10", HAS(REMAINING_TIME), .remaining_s = 3600)
LAYOUT(payload_key_16, "100c 0016", "002e 0012 01 07 000102030405060708090a0b0c0d0e0f",
       HAS(PAYLOAD_KEY),
       .payload_key = { .key = (const uint8_t *)"\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17",
			.key_len = 16,
			.cipher = 1,
			.epoch = 7 })
LAYOUT(multicast4, "100c 000f", "0032 000b 04 80 0a000001 e0000105 11", HAS(MULTICAST),
       .multicast = { .source = { .family = 4, .b = { 10, 0, 0, 1 } },
		      .group = { .family = 4, .b = { 224, 0, 1, 5 } },
		      .flags = 0x80,
		      .proto = 17 })
LAYOUT(multicast6, "100c 0027", "0032 0023 06 00" V6_A V6_B "11", HAS(MULTICAST),
       .multicast = { .source = { .family = 6, .b = V6(1) },
		      .group = { .family = 6, .b = V6(2) },
		      .proto = 17 })
LAYOUT(multicast_egress, "100c 000b", "0033 0007 0002 01 61 02 6262", HAS(MULTICAST_EGRESS),
       .egress = { (const uint8_t *)"\1a\2bb", 5, 2 })
LAYOUT(multicast_egress_none, "100c 0006", "0033 0002 0000", HAS(MULTICAST_EGRESS))
LAYOUT(fragment_bounds, "101a 0000", "0001 000a ffffffff ffff 5fff ffff", HAS(FRAGMENT),
       .fragment = {
	       .ext_id = ~0u, .orig_id = 0xffff, .df = true, .offset = 0x1fff, .largest = 0xffff })
LAYOUT(duplicate_seq, "1014 0000", "8001 0004 00000001", HAS(DUPLICATE_SEQ), .duplicate_seq = 1)
LAYOUT(own_endpoint4, "1018 0000", "8002 0008 04 00 0500 c0000201", HAS(OWN_ENDPOINT),
       .own_endpoint = { .addr = { .family = 4, .b = { 192, 0, 2, 1 } }, .port = 1280 })
LAYOUT(seen_endpoint6, "1024 0000", "8005 0014 06 00 ffff" V6_A, HAS(SEEN_ENDPOINT),
       .seen_endpoint = { .addr = { .family = 6, .b = V6(1) }, .port = 65535 })
LAYOUT(boot_id, "1018 0000", "8003 0008 65920080 deadbeef", HAS(BOOT_ID),
       .boot_id = { .start_s = 0x65920080, .random = 0xdeadbeef })
LAYOUT(echo, "1021 0000", "8004 0011 00000009 0003 000a 0000018bcfe56800 01", HAS(ECHO),
       .echo = { .burst = 9, .index = 3, .count = 10, .tx_time_us = 0x18bcfe56800, .reflected = 1 })
LAYOUT(mtu_probe, "1016 0000", "8006 0006 05dc 00000000", HAS(MTU_PROBE),
       .mtu_probe = { .size = 1500, .pad_len = 4 })

LAYOUT(capability, "1014 0000", "8007 0004 00000003", HAS(CAPABILITY),
       .capability = FL_CAPABLE_VECTORS | FL_CAPABLE_KEPT)

Test(meta_layout, an_echo_block_has_its_flag_where_the_reflector_looks)
{
	struct fl_meta m = { .has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_ECHO),
			     .security_id = 1,
			     .echo = { .reflected = 0xa5 } };
	struct fl_meta_lens lens;
	uint8_t block[64];

	cr_assert_eq(build(&m, block, sizeof(block), &lens), FL_ECHO_BLOCK_LEN);
	cr_assert_eq(block[FL_ECHO_REFLECTED_OFFSET], 0xa5);
}

Test(meta_layout, egress_names_one_by_one)
{
	struct fl_meta_egress e = { (const uint8_t *)"\1a\0\2bb", 6, 3 };
	struct fl_meta_name name;
	size_t pos = 0;

	cr_assert(fl_meta_egress_next(&e, &pos, &name));
	cr_assert(name_equal(name, name_of("a")));
	cr_assert(fl_meta_egress_next(&e, &pos, &name));
	cr_assert_eq(name.len, 0);
	cr_assert(fl_meta_egress_next(&e, &pos, &name));
	cr_assert(name_equal(name, name_of("bb")));
	cr_assert_not(fl_meta_egress_next(&e, &pos, &name));
}

Test(meta, a_writer_one_byte_short_is_refused_at_every_length)
{
	struct fl_meta m = vector_a();
	struct fl_meta_lens lens;
	uint8_t block[99];

	for (size_t room = 0; room < sizeof(block); room++)
		cr_assert_eq(build(&m, block, room, &lens), -ENOSPC, "room %zu", room);
	cr_assert_eq(build(&m, block, sizeof(block), &lens), 99);
}

/* Each of these would be read as something else, or not at all. */
Test(meta, values_that_do_not_fit_are_refused)
{
	static char long_name[257];
	static const char not_utf8[] = "\xff";
	const struct fl_meta bad[] = {
		{ HAS(TENANT), .tenant = { long_name, 256 } },
		{ HAS(TENANT), .tenant = { not_utf8, 1 } },
		{ HAS(SERVICE), .service = { "a\0b", 3 } },
		{ HAS(FORWARD), .forward = { .family = 5 } },
		{ HAS(REVERSE), .reverse = { .family = 0 } },
		{ HAS(FRAGMENT), .fragment = { .offset = 0x2000 } },
		{ HAS(METRICS), .metrics = { .tx_colour = 16 } },
		{ HAS(METRICS), .metrics = { .rx_colour = 16 } },
		{ HAS(METRICS), .metrics = { .tx_time_ms = 1 << 28 } },
		{ HAS(METRICS), .metrics = { .rx_time_ms = 1 << 28 } },
		{ HAS(METRICS), .metrics = { .prev_count = 0x8000 } },
		{ HAS(MODIFY), .modify = { .seq = 0x1000 } },
		{ HAS(PAYLOAD_KEY), .payload_key = { (const uint8_t *)long_name, 24, 1, 0 } },
		{ HAS(ICMP_LOCATION) },
		{ HAS(SOURCE_NAT), .source_nat = { .family = 6 } },
		{ HAS(OWN_ENDPOINT) },
		{ HAS(MULTICAST),
		  .multicast = { .source = { .family = 4 }, .group = { .family = 6 } } },
		{ HAS(MULTICAST_EGRESS), .egress = { (const uint8_t *)"\2a", 2, 1 } },
		{ HAS(MULTICAST_EGRESS), .egress = { (const uint8_t *)"\1a\1b", 4, 1 } },
		{ HAS(MULTICAST_EGRESS), .egress = { (const uint8_t *)"\1\xff", 2, 1 } },
		{ .has = 1ULL << FL_META_FIELD_MAX },
	};
	struct fl_meta_lens lens;
	uint8_t block[512];

	memset(long_name, 'x', 256);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(build(&bad[i], block, sizeof(block), &lens), -EINVAL, "row %zu", i);
}

Test(meta, sections_longer_than_their_length_fields_are_refused)
{
	static uint8_t block[1 << 18], entries[65535];
	struct fl_meta m = { HAS(MTU_PROBE), .mtu_probe = { .pad_len = 4095 - 12 - 4 - 2 } };
	struct fl_meta_lens lens;

	cr_assert_eq(build(&m, block, sizeof(block), &lens), 4095);
	cr_assert_eq(lens.header, 4095);
	m.mtu_probe.pad_len++;
	cr_assert_eq(build(&m, block, sizeof(block), &lens), -EMSGSIZE);

	m = (struct fl_meta){ HAS(MULTICAST_EGRESS), .egress = { entries, 65535 - 6, 65535 - 6 } };
	cr_assert_eq(build(&m, block, sizeof(block), &lens), 12 + 65535);
	cr_assert_eq(lens.payload, 65535);
	m.egress = (struct fl_meta_egress){ entries, 65535, 65535 };
	cr_assert_eq(build(&m, block, sizeof(block), &lens), -EMSGSIZE);
}

Test(meta, each_mandatory_value_of_the_forward_set_is_missed)
{
	static const enum fl_meta_field need[] = { FL_META_FORWARD,       FL_META_TENANT,
						   FL_META_SERVICE,       FL_META_UUID,
						   FL_META_SOURCE_ROUTER, FL_META_PATHWAY };
	struct fl_meta m;

	for (size_t i = 0; i < sizeof(need) / sizeof(need[0]); i++) {
		m = vector_a();
		m.has &= ~FL_META_BIT(need[i]);
		cr_expect_eq(fl_meta_check_forward(&m), -ENODATA, "field %d", need[i]);
	}
	for (int i = 0; i < 4; i++) {
		m = vector_a();
		(i == 0   ? &m.tenant
		 : i == 1 ? &m.service
		 : i == 2 ? &m.source_router
			  : &m.pathway)
			->len = 0;
		cr_expect_eq(fl_meta_check_forward(&m), -ENODATA, "empty name %d", i);
	}
	m = vector_a();
	m.has |= FL_META_BIT(FL_META_ENCRYPTED);
	cr_expect_eq(fl_meta_check_forward(&m), -ENODATA, "encrypted, by which policy?");
	m.has |= FL_META_BIT(FL_META_SECURITY_POLICY);
	cr_expect_eq(fl_meta_check_forward(&m), -ENODATA, "policy without name");
	m.security_policy = name_of("aes");
	cr_expect_eq(fl_meta_check_forward(&m), 0);
}

Test(meta, errors_become_drop_reasons)
{
	cr_assert_eq(fl_meta_drop_reason(-ENODATA), FL_DROP_META_INCOMPLETE);
	cr_assert_eq(fl_meta_drop_reason(-EBADMSG), FL_DROP_META_MALFORMED);
	cr_assert_eq(fl_meta_drop_reason(-EPROTONOSUPPORT), FL_DROP_META_MALFORMED);
}

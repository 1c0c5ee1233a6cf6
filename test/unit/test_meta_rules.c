// SPDX-License-Identifier: Apache-2.0
/* The parsing rules of svr-protocol.md P-01 and P-02, one row each: bytes in, result out. */
#include <errno.h>

#include "test/unit/hex.h"
#include "test/unit/vectors.h"

struct base_row {
	const char *name;
	const char *bytes;
	int want;
	uint16_t header, payload;
};

static const struct base_row base_rows[] = {
	{ "nothing", "", -ENOENT, 0, 0 },
	{ "seven bytes of cookie", "4c48dbc6ddf667", -ENOENT, 0, 0 },
	{ "other first byte", "4d48dbc6ddf6670c 100c 0000", -ENOENT, 0, 0 },
	{ "other last byte", "4c48dbc6ddf6670d 100c 0000", -ENOENT, 0, 0 },
	{ "cookie alone", COOKIE, -EBADMSG, 0, 0 },
	{ "11 bytes", COOKIE "100c 00", -EBADMSG, 0, 0 },
	{ "fence", COOKIE "100c 0000", 0, 12, 0 },
	{ "version 0", COOKIE "000c 0000", -EPROTONOSUPPORT, 0, 0 },
	{ "version 2", COOKIE "200c 0000", -EPROTONOSUPPORT, 0, 0 },
	{ "version 15", COOKIE "f00c 0000", -EPROTONOSUPPORT, 0, 0 },
	{ "header length 0", COOKIE "1000 0000", -EBADMSG, 0, 0 },
	{ "header length 11", COOKIE "100b 0000", -EBADMSG, 0, 0 },
	{ "header beyond the end", COOKIE "100d 0000", -EBADMSG, 0, 0 },
	{ "header to the end", COOKIE "100d 0000 aa", 0, 13, 0 },
	{ "payload beyond the end", COOKIE "100c 0001", -EBADMSG, 0, 0 },
	{ "payload to the end", COOKIE "100c 0001 aa", 0, 12, 1 },
	{ "user data behind", COOKIE "100c 0001 aa bb", 0, 12, 1 },
	{ "both one byte too long", COOKIE "100d 0002 aa bb", -EBADMSG, 0, 0 },
	{ "largest lengths", COOKIE "1fff ffff", -EBADMSG, 0, 0 },
};

Test(meta_rules, base_header)
{
	for (size_t i = 0; i < sizeof(base_rows) / sizeof(base_rows[0]); i++) {
		const struct base_row *row = &base_rows[i];
		struct fl_meta_lens lens = { 1, 2 };
		uint8_t data[64];
		size_t len = hex_bytes(row->bytes, data, sizeof(data));

		cr_expect_eq(fl_meta_peek(data, len, &lens), row->want, "%s", row->name);
		if (row->want)
			cr_expect(lens.header == 1 && lens.payload == 2, "%s: result", row->name);
		else
			cr_expect(lens.header == row->header && lens.payload == row->payload,
				  "%s: lengths", row->name);
	}
}

#define H  0
#define P  1
#define ID FL_META_BIT(FL_META_SECURITY_ID)

struct tlv_row {
	const char *name;
	int section;
	const char *tlvs;
	int want;
	int unknown;
	uint64_t has;
};

#define V16      "00112233445566778899aabbccddeeff"
#define B(f)     FL_META_BIT(FL_META_##f)
#define BAD      -EBADMSG, 0, 0
#define SKIPPED  0, 1, 0
#define TAKEN(f) 0, 0, B(f)

static const struct tlv_row tlv_rows[] = {
	/* boundaries */
	{ "empty header section", H, "", 0, 0, 0 },
	{ "empty payload section", P, "", 0, 0, 0 },
	{ "one byte", H, "00", BAD },
	{ "type only", H, "0010", BAD },
	{ "half a length", H, "0010 00", BAD },
	{ "value missing", H, "0010 0004", BAD },
	{ "value cut", H, "0010 0004 000000", BAD },
	{ "rest of one byte", H, "0010 0004 00000001 00", BAD },
	{ "rest of three bytes", P, "000b 0000 000000", BAD },
	{ "unknown runs over the end", H, "0099 0005 00000000", BAD },
	{ "length 65535", P, "0007 ffff 61", BAD },
	/* unknown */
	{ "unknown", H, "0099 0003 010203", SKIPPED },
	{ "unknown without value", P, "0099 0000", SKIPPED },
	{ "type 0", P, "0000 0000", SKIPPED },
	{ "gap: 9", P, "0009 0001 00", SKIPPED },
	{ "gap: 22", H, "0016 0000", SKIPPED },
	{ "gap: 52", P, "0034 0000", SKIPPED },
	{ "private 0x8000", H, "8000 0000", SKIPPED },
	{ "private 0x8009", H, "8009 0000", SKIPPED },
	{ "type 65535", H, "ffff 0000", SKIPPED },
	{ "three unknown, one known", H, "0099 0000 0010 0004 00000001 0098 0001 00 0097 0000", 0,
	  3, ID },
	/* repeated: first wins, but its length must be right */
	{ "security id twice", H, "0010 0004 00000001 0010 0004 00000002", TAKEN(SECURITY_ID) },
	{ "second one of wrong length", H, "0010 0004 00000001 0010 0003 000002", BAD },
	{ "forward context of both families", P,
	  "0002 000d 0a000001 0a000002 0001 0002 06 0003 0025" V16 V16 "0003 0004 11",
	  TAKEN(FORWARD) },
	/* fixed lengths, one short and one long */
	{ "fragment 9", H, "0001 0009 112233445566778899", BAD },
	{ "fragment 11", H, "0001 000b 1122334455667788990011", BAD },
	{ "forward4 12", P, "0002 000c 0a000001 0a000002 0001 0002", BAD },
	{ "forward4 14", P, "0002 000e 0a000001 0a000002 0001 0002 0600", BAD },
	{ "forward6 36", P, "0003 0024" V16 V16 "0001 0002", BAD },
	{ "reverse4 37", P, "0004 0025" V16 V16 "0001 0002 06", BAD },
	{ "reverse6 13", P, "0005 000d 0a000001 0a000002 0001 0002 06", BAD },
	{ "uuid 15", P, "0006 000f 00112233445566778899aabbccddee", BAD },
	{ "uuid 17", P, "0006 0011" V16 "00", BAD },
	{ "interface id 3", P, "0008 0003 000000", BAD },
	{ "encrypted flag with value", P, "000b 0001 01", BAD },
	{ "syn flag with value", P, "000c 0001 01", BAD },
	{ "session count 4", P, "000d 0004 00000000", BAD },
	{ "security id 2", H, "0010 0002 0001", BAD },
	{ "security id 8", H, "0010 0008 0000000000000001", BAD },
	{ "disable flag with value", H, "0012 0001 01", BAD },
	{ "icmp location4 16", H, "0014 0010" V16, BAD },
	{ "icmp location6 4", H, "0015 0004 01020304", BAD },
	{ "control 0", H, "0018 0000", BAD },
	{ "control 2", H, "0018 0002 0001", BAD },
	{ "source nat 16", P, "0019 0010" V16, BAD },
	{ "path metrics 8", H, "001a 0008 0000000000000000", BAD },
	{ "modify 4", P, "001c 0004 00000000", BAD },
	{ "remaining time 2", P, "002a 0002 0000", BAD },
	{ "duplicate sequence 8", H, "8001 0008 0000000000000001", BAD },
	{ "boot id 7", H, "8003 0007 00000000000000", BAD },
	{ "echo 16", H, "8004 0010" V16, BAD },
	/* lengths that the value itself decides */
	{ "endpoint family 4 with 16 bytes", H, "8002 0014 04 00 0500" V16, BAD },
	{ "endpoint family 6 with 4 bytes", H, "8002 0008 06 00 0500 01020304", BAD },
	{ "endpoint family 5", H, "8005 0008 05 00 0500 01020304", BAD },
	{ "endpoint family 0", H, "8005 0008 00 00 0500 01020304", BAD },
	{ "endpoint of 9 bytes", H, "8005 0009 04 00 0500 01020304 00", BAD },
	{ "reserved byte is not looked at", H, "8005 0008 04 ff 0500 01020304",
	  TAKEN(SEEN_ENDPOINT) },
	{ "mtu probe 1", H, "8006 0001 05", BAD },
	{ "mtu probe without pad", H, "8006 0002 05dc", TAKEN(MTU_PROBE) },
	{ "mtu probe pad is not looked at", H, "8006 0004 05dc ffff", TAKEN(MTU_PROBE) },
	{ "capability 3", H, "8007 0003 000001", BAD },
	{ "capability with bits that nobody knows", H, "8007 0004 ffffffff", TAKEN(CAPABILITY) },
	{ "vector 7", P, "8008 0007 0007 0000 010203", BAD },
	{ "vector, its reserved bits not looked at", P, "8008 0008 0007 ffff 01020304",
	  TAKEN(VECTOR) },
	{ "multicast family 4, 35 bytes", P, "0032 0023 04 00" V16 V16 "11", BAD },
	{ "multicast family 6, 11 bytes", P, "0032 000b 06 00 0a000001 e0000001 11", BAD },
	{ "multicast family 7", P, "0032 000b 07 00 0a000001 e0000001 11", BAD },
	{ "multicast 10", P, "0032 000a 04 00 0a000001 e0000001", BAD },
	{ "egress without count", P, "0033 0001 00", BAD },
	{ "egress of none", P, "0033 0002 0000", TAKEN(MULTICAST_EGRESS) },
	{ "egress count too high", P, "0033 0004 0002 0161", BAD },
	{ "egress count too low", P, "0033 0006 0001 0161 0162", BAD },
	{ "egress entry over the end", P, "0033 0004 0001 0261", BAD },
	{ "egress name not UTF-8", P, "0033 0004 0001 01ff", BAD },
	{ "payload key 17", P, "002e 0011 01" V16, BAD },
	{ "payload key 18", P, "002e 0012 0100" V16, TAKEN(PAYLOAD_KEY) },
	{ "payload key 26", P, "002e 001a 0100" V16 "0011223344556677", BAD },
	{ "payload key 34", P, "002e 0022 0200" V16 V16, TAKEN(PAYLOAD_KEY) },
	{ "payload key 35", P, "002e 0023 020000" V16 V16, BAD },
	/* names */
	{ "name", P, "0007 0003 726564", TAKEN(TENANT) },
	{ "empty name", P, "0007 0000", TAKEN(TENANT) },
	{ "name with NUL", P, "0007 0003 720064", BAD },
	{ "name ending with NUL", P, "000a 0004 646e7300", BAD },
	{ "name of two-byte characters", P, "000e 0004 c3a4c3b6", TAKEN(SOURCE_ROUTER) },
	{ "name cut in a character", P, "000f 0003 c3a4c3", BAD },
	{ "name of overlong form", P, "0011 0002 c0af", BAD },
	{ "name with surrogate", P, "0013 0003 eda080", BAD },
	{ "name above U+10FFFF", P, "0023 0004 f4908080", BAD },
	/* P-02: 46 by section, not by length */
	{ "46 in header is the health check", H, "002e 0001 01", TAKEN(HEALTH) },
	{ "46 in header with a key's length", H, "002e 0012 0100" V16, BAD },
	{ "46 in payload with the check's length", P, "002e 0001 01", BAD },
	/* section inferred: accepted in both */
	{ "8 in header", H, "0008 0004 00000001", TAKEN(INTERFACE_ID) },
	{ "8 in payload", P, "0008 0004 00000001", TAKEN(INTERFACE_ID) },
	{ "13 in header", H, "000d 0008 0000000000000001", TAKEN(SESSION_COUNT) },
	{ "28 in header", H, "001c 0002 8001", TAKEN(MODIFY) },
	{ "35 in header", H, "0023 0001 61", TAKEN(APPLICATION) },
	/* in the other section: unknown there */
	{ "security id in payload", P, "0010 0004 00000001", SKIPPED },
	{ "control in payload", P, "0018 0001 02", SKIPPED },
	{ "tenant in header", H, "0007 0003 726564", SKIPPED },
	{ "forward context in header", H, "0002 000d 0a000001 0a000002 0001 0002 06", SKIPPED },
	{ "wrong length does not matter there", H, "0002 0001 0a", SKIPPED },
	{ "duplicate sequence in payload", P, "8001 0004 00000001", SKIPPED },
	/* reserved bits are not looked at */
	{ "fragment bit 15", H, "0001 000a 00000000 0000 8000 0000", TAKEN(FRAGMENT) },
	{ "modify reserved bits", P, "001c 0002 3001", TAKEN(MODIFY) },
	{ "unknown control is taken", H, "0018 0001 63", TAKEN(CONTROL) },
};

/* Put the TLVs of @row in a section of their own, exactly as long as they are. */
static int parse_row(const struct tlv_row *row, struct fl_meta *m)
{
	uint8_t tlvs[512], block[12 + 512];
	size_t len = hex_bytes(row->tlvs, tlvs, sizeof(tlvs));
	struct fl_meta_lens lens = { 12, 0 };
	int err;

	*(row->section == H ? &lens.header : &lens.payload) += (uint16_t)len;
	memcpy(block, fl_meta_fence, 12);
	memcpy(block + 12, tlvs, len);
	err = fl_meta_parse_header(block, &lens, m);
	return err ? err : fl_meta_parse_payload(block + lens.header, lens.payload, m);
}

Test(meta_rules, tlvs)
{
	for (size_t i = 0; i < sizeof(tlv_rows) / sizeof(tlv_rows[0]); i++) {
		const struct tlv_row *row = &tlv_rows[i];
		struct fl_meta m;
		int err = parse_row(row, &m);

		cr_expect_eq(err, row->want, "%s: %d", row->name, err);
		if (err)
			continue;
		cr_expect_eq(m.unknown, row->unknown, "%s: unknown %u", row->name, m.unknown);
		cr_expect_eq(m.has, row->has, "%s: has %#llx", row->name,
			     (unsigned long long)m.has);
	}
}

Test(meta_rules, of_repeated_tlvs_the_first_value_counts)
{
	const struct tlv_row ids = { .section = H,
				     .tlvs = "0010 0004 00000001 0010 0004 00000002" };
	const struct tlv_row names = { .section = P, .tlvs = "0007 0001 61 0007 0001 62" };
	struct fl_meta m;

	cr_assert_eq(parse_row(&ids, &m), 0);
	cr_assert_eq(m.security_id, 1);
	cr_assert_eq(parse_row(&names, &m), 0);
	cr_assert(m.tenant.len == 1 && m.tenant.s[0] == 'a');
}

Test(meta_rules, header_wins_over_payload_where_both_may_have_it)
{
	uint8_t block[64];
	size_t len =
		hex_bytes(COOKIE "1012 0006 001c 0002 8001 001c 0002 8002", block, sizeof(block));
	struct fl_meta_lens lens;
	struct fl_meta m;

	cr_assert_eq(fl_meta_peek(block, len, &lens), 0);
	cr_assert_eq(fl_meta_parse_header(block, &lens, &m), 0);
	cr_assert_eq(fl_meta_parse_payload(block + lens.header, lens.payload, &m), 0);
	cr_assert_eq(m.modify.seq, 1);
}

Test(meta_rules, reserved_bits_are_in_no_value)
{
	const struct tlv_row modify = { .section = P, .tlvs = "001c 0002 3001" };
	const struct tlv_row fragment = { .section = H,
					  .tlvs = "0001 000a 00000000 0000 8001 0000" };
	struct fl_meta m;

	cr_assert_eq(parse_row(&modify, &m), 0);
	cr_assert(m.modify.seq == 1 && !m.modify.forward && !m.modify.done);
	cr_assert_eq(parse_row(&fragment, &m), 0);
	cr_assert(m.fragment.offset == 1 && !m.fragment.df && !m.fragment.mf);
}

/* 255 bytes are a name, 256 are not. */
Test(meta_rules, longest_name)
{
	uint8_t section[4 + 256];
	struct fl_meta m = { 0 };

	memset(section, 'x', sizeof(section));
	memcpy(section, "\0\7\0\xff", 4);
	cr_assert_eq(fl_meta_parse_payload(section, 4 + 255, &m), 0);
	cr_assert_eq(m.tenant.len, 255);
	cr_assert_eq(m.tenant.s, (const char *)section + 4);
	m = (struct fl_meta){ 0 };
	memcpy(section, "\0\7\1\0", 4);
	cr_assert_eq(fl_meta_parse_payload(section, 4 + 256, &m), -EBADMSG);
}

/* Every truncation of a good block is refused, and never read beyond (ASan build). */
Test(meta_rules, every_truncation_is_noticed)
{
	uint8_t block[128], *copy;
	size_t len = hex_bytes(VECTOR_A, block, sizeof(block));
	struct fl_meta_lens lens, cut;
	struct fl_meta m;

	cr_assert_eq(fl_meta_peek(block, len, &lens), 0);
	for (size_t n = 0; n < len; n++) {
		copy = malloc(n ? n : 1);
		memcpy(copy, block, n);
		cr_expect_neq(fl_meta_peek(copy, n, &cut), 0, "%zu bytes", n);
		free(copy);
	}
	for (uint16_t n = 0; n < lens.payload; n++) {
		static const uint16_t whole[] = { 0, 17, 24, 31, 51, 62 };
		bool boundary = false;

		for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
			boundary |= whole[i] == n;
		copy = malloc(n ? n : 1);
		memcpy(copy, block + lens.header, n);
		m = (struct fl_meta){ 0 };
		cr_expect_eq(fl_meta_parse_payload(copy, n, &m), boundary ? 0 : -EBADMSG,
			     "section of %u", n);
		free(copy);
	}
}

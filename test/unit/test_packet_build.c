// SPDX-License-Identifier: Apache-2.0
/* Packets made here: headers, datagrams, resets, ICMP errors, the MSS clamp. */
#include <errno.h>

#include <criterion/criterion.h>

#include "agent/codec/packet_build.h"
#include "test/unit/hex.h"
#include "test/unit/pkt.h"

static const int families[] = { 4, 6 };

static struct fl_packet parsed(struct pkt *k)
{
	struct fl_packet p;

	cr_assert_eq(fl_packet_parse(k->b, k->len, &p), 0);
	return p;
}

static struct fl_tuple tuple_of(struct pkt *k)
{
	struct fl_packet p = parsed(k);
	struct fl_tuple t;

	cr_assert(fl_packet_tuple(&p, &t));
	return t;
}

/* The IPv4 header and its checksum are the well-known example of RFC 1071 tutorials, 192.168. */
Test(packet_build, ip4_header)
{
	const struct fl_ip_spec spec = { .tuple = { .src = { 192, 168, 0, 1 },
						    .dst = { 192, 168, 0, 199 },
						    .family = 4,
						    .proto = 17 },
					 .df = true,
					 .ttl = 64 };
	uint8_t out[20];

	fl_packet_put_ip(out, &spec, 95);
	assert_hex(out, 20, "45000073 00004000 4011 b861 c0a80001 c0a800c7");
}

Test(packet_build, ip4_fields)
{
	const struct fl_ip_spec spec = {
		.tuple = { .family = 4, .proto = 6 }, .id = 0xabcd, .tos = 0xb8, .ttl = 3
	};
	uint8_t out[20];

	fl_packet_put_ip(out, &spec, 1);
	be16(out + 10, 0);
	assert_hex(out, 20, "45b80015 abcd0000 0306 0000 00000000 00000000");
}

Test(packet_build, ip6_header)
{
	const struct fl_ip_spec spec = {
		.tuple = { .src = P6A, .dst = P6B, .family = 6, .proto = 58 },
		.flow_label = 0xffabcde,
		.tos = 0xb8,
		.ttl = 255
	};
	uint8_t out[40];

	fl_packet_put_ip(out, &spec, 0x1234);
	assert_hex(out, 40,
		   "6b8abcde 1234 3a ff 20010db8000100000000000000000005"
		   "20010db8000200000000000000000035");
}

Test(packet_build, udp)
{
	for (size_t i = 0; i < 2; i++) {
		struct pkt *k = new_udp(families[i], 101);
		struct fl_ip_spec spec = { .tuple = tuple_of(k), .ttl = 61, .id = 0x1234 };
		uint8_t out[200];

		cr_assert_eq(fl_packet_build_udp(&spec, k->b + k->l4 + 8, 101, out, sizeof(out)),
			     (int)k->len);
		cr_assert(!memcmp(out, k->b, k->len));
		cr_assert(slow_ok(out, k->len));
		cr_assert_eq(fl_packet_build_udp(&spec, k->b, 101, out, k->len - 1), -ENOSPC);
		/* The payload may lie in place already. */
		memcpy(out, k->b, k->len);
		cr_assert_eq(fl_packet_build_udp(&spec, out + k->l4 + 8, 101, out, sizeof(out)),
			     (int)k->len);
		cr_assert(!memcmp(out, k->b, k->len));
		free(k);
	}
}

Test(packet_build, udp_bounds)
{
	static uint8_t out[70000];
	struct fl_ip_spec spec = { .tuple = { .family = 4, .proto = 0 } };

	cr_assert_eq(fl_packet_build_udp(&spec, NULL, 0, out, sizeof(out)), 28);
	cr_assert_eq(fl_packet_build_udp(&spec, out, 65507, out, sizeof(out)), 65535);
	cr_assert_eq(fl_packet_build_udp(&spec, out, 65508, out, sizeof(out)), -EMSGSIZE);
}

/* RFC 9293 3.10.7.1: what a reset carries, by what it answers. */
Test(packet_build, rst)
{
	static const struct {
		const char *name;
		uint8_t flags;
		size_t len;
		uint32_t seq, ack;
		uint8_t want; /* flags; 0: nothing is sent */
	} rows[] = {
		{ "SYN", FL_TH_SYN, 0, 0, 0x11111112, FL_TH_RST | FL_TH_ACK },
		{ "SYN with data", FL_TH_SYN, 5, 0, 0x11111117, FL_TH_RST | FL_TH_ACK },
		{ "FIN without ACK", FL_TH_FIN, 0, 0, 0x11111112, FL_TH_RST | FL_TH_ACK },
		{ "data without ACK", FL_TH_PSH, 9, 0, 0x1111111a, FL_TH_RST | FL_TH_ACK },
		{ "no flags, no data", 0, 0, 0, 0x11111111, FL_TH_RST | FL_TH_ACK },
		{ "SYN-ACK", FL_TH_SYN | FL_TH_ACK, 0, 0x22222222, 0, FL_TH_RST },
		{ "data", FL_TH_ACK | FL_TH_PSH, 700, 0x22222222, 0, FL_TH_RST },
		{ "FIN-ACK", FL_TH_FIN | FL_TH_ACK, 0, 0x22222222, 0, FL_TH_RST },
		{ "RST", FL_TH_RST, 0, 0, 0, 0 },
		{ "RST-ACK", FL_TH_RST | FL_TH_ACK, 0, 0, 0, 0 },
	};

	for (size_t n = 0; n < 2 * sizeof(rows) / sizeof(rows[0]); n++) {
		int f = families[n & 1];
		struct pkt *k = new_tcp(f, rows[n / 2].flags, rows[n / 2].len);
		struct pkt *out = calloc(1, sizeof(*out));
		struct fl_packet p = parsed(k);
		struct fl_tuple t = tuple_of(k), want = fl_tuple_reverse(&t);
		int len = fl_packet_build_rst(&p, out->b, sizeof(out->b));
		const uint8_t *tcp = out->b + k->l4;

		cr_expect_eq(len, rows[n / 2].want ? (int)k->l4 + 20 : 0, "%s", rows[n / 2].name);
		if (len) {
			out->len = (size_t)len;
			t = tuple_of(out);
			cr_expect(fl_tuple_equal(&t, &want), "%s", rows[n / 2].name);
			cr_expect_eq(get32(tcp + 4), rows[n / 2].seq, "%s", rows[n / 2].name);
			cr_expect_eq(get32(tcp + 8), rows[n / 2].ack, "%s", rows[n / 2].name);
			cr_expect_eq(tcp[13], rows[n / 2].want, "%s", rows[n / 2].name);
			cr_expect(slow_ok(out->b, out->len), "%s", rows[n / 2].name);
			cr_expect_eq(fl_packet_build_rst(&p, out->b, out->len - 1), -ENOSPC);
		}
		free(k);
		free(out);
	}
}

Test(packet_build, rst_wraps_and_keeps_dscp)
{
	struct pkt *k = new_tcp(4, FL_TH_SYN, 0);
	struct fl_packet p;
	uint8_t out[64];

	be32(k->b + 24, 0xffffffff);
	k->b[1] = 0xbb; /* EF, congestion experienced */
	p = parsed(k);
	cr_assert_eq(fl_packet_build_rst(&p, out, sizeof(out)), 40);
	cr_assert_eq(get32(out + 28), 0);
	cr_assert_eq(out[1], 0xb8);
	free(k);
	k = new_tcp(6, FL_TH_SYN, 0);
	k->b[0] = 0x6b;
	k->b[1] = 0xb0;
	p = parsed(k);
	cr_assert_eq(fl_packet_build_rst(&p, out, sizeof(out)), 60);
	cr_assert_eq(out[0], 0x6b);
	cr_assert_eq(out[1], 0x80);
	free(k);
}

Test(packet_build, no_rst_for_what_is_not_tcp)
{
	struct pkt *k = new_udp(4, 30);
	struct fl_packet p = parsed(k);
	uint8_t out[64];

	cr_assert_eq(fl_packet_build_rst(&p, out, sizeof(out)), 0);
	free(k);
	k = new_tcp(4, FL_TH_ACK, 30);
	be16(k->b + 6, 0x0004);
	p = parsed(k);
	cr_assert_eq(fl_packet_build_rst(&p, out, sizeof(out)), 0, "a later fragment");
	free(k);
}

static struct fl_icmp_error error_of(int family, enum fl_icmp_kind kind)
{
	return (struct fl_icmp_error){ .kind = kind,
				       .from = { .family = (uint8_t)family,
						 .b = { 0xfd, 0, 0, 9 } },
				       .mtu = 1432 };
}

Test(packet_icmp, each_kind)
{
	static const struct {
		enum fl_icmp_kind kind;
		uint8_t type4, code4, type6, code6;
		uint32_t rest4, rest6;
	} rows[] = {
		{ FL_ICMP_TTL_EXPIRED, 11, 0, 3, 0, 0, 0 },
		{ FL_ICMP_TOO_BIG, 3, 4, 2, 0, 1432, 1432 },
		{ FL_ICMP_NO_ROUTE, 3, 0, 1, 0, 0, 0 },
		{ FL_ICMP_NO_HOST, 3, 1, 1, 3, 0, 0 },
		{ FL_ICMP_NO_PORT, 3, 3, 1, 4, 0, 0 },
		{ FL_ICMP_PROHIBITED, 3, 13, 1, 1, 0, 0 },
	};

	for (size_t n = 0; n < 12; n++) {
		int f = families[n & 1];
		struct pkt *about = new_udp(f, 60), *out = calloc(1, sizeof(*out));
		struct fl_icmp_error e = error_of(f, rows[n / 2].kind);
		struct fl_packet p = parsed(about);
		struct fl_tuple want, got;
		const uint8_t *icmp = out->b + about->l4;

		out->len = (size_t)fl_packet_build_icmp_error(&p, &e, out->b, sizeof(out->b));
		cr_assert_eq(out->len, about->l4 + 8 + about->len);
		cr_assert(slow_ok(out->b, out->len), "row %zu", n);
		cr_assert_eq(icmp[0], f == 6 ? rows[n / 2].type6 : rows[n / 2].type4);
		cr_assert_eq(icmp[1], f == 6 ? rows[n / 2].code6 : rows[n / 2].code4);
		cr_assert_eq(get32(icmp + 4), f == 6 ? rows[n / 2].rest6 : rows[n / 2].rest4);
		cr_assert(!memcmp(icmp + 8, about->b, about->len));
		/* From us, to the source. */
		cr_assert(!memcmp(out->b + (f == 6 ? 8 : 12), e.from.b, f == 6 ? 16 : 4));
		cr_assert(!memcmp(out->b + (f == 6 ? 24 : 16), about->b + (f == 6 ? 8 : 12),
				  f == 6 ? 16 : 4));
		/* And it can be read back. */
		p = parsed(out);
		want = tuple_of(about);
		cr_assert(fl_packet_quoted_tuple(&p, &got));
		cr_assert(fl_tuple_equal(&want, &got));
		free(about);
		free(out);
	}
}

Test(packet_icmp, tos)
{
	struct pkt *about = new_udp(4, 60);
	struct fl_icmp_error e = error_of(4, FL_ICMP_TTL_EXPIRED);
	struct fl_packet p = parsed(about);
	uint8_t out[200];

	about->b[1] = 0xff;
	cr_assert_eq(fl_packet_build_icmp_error(&p, &e, out, sizeof(out)), 28 + 88);
	cr_assert_eq(out[1], 0xde);
	free(about);
}

/* RFC 1812 4.3.2.3: 576 bytes; RFC 4443 2.4 (c): 1280. */
Test(packet_icmp, as_much_as_fits_is_quoted)
{
	static const struct {
		int family;
		size_t payload, want;
	} rows[] = {
		{ 4, 576 - 28 - 28, 576 },
		{ 4, 576 - 28 - 28 + 1, 576 },
		{ 4, 9000, 576 },
		{ 4, 576 - 28 - 28 - 1, 575 },
		{ 6, 1280 - 48 - 48, 1280 },
		{ 6, 1280 - 48 - 48 + 1, 1280 },
		{ 6, 1280 - 48 - 48 - 1, 1279 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pkt *about = new_udp(rows[i].family, rows[i].payload);
		struct fl_icmp_error e = error_of(rows[i].family, FL_ICMP_TOO_BIG);
		struct fl_packet p = parsed(about);
		uint8_t out[1400];

		cr_expect_eq(fl_packet_build_icmp_error(&p, &e, out, sizeof(out)),
			     (int)rows[i].want, "row %zu", i);
		cr_expect(slow_ok(out, rows[i].want), "row %zu", i);
		cr_expect_eq(fl_packet_build_icmp_error(&p, &e, out, rows[i].want - 1), -ENOSPC);
		free(about);
	}
}

/* Change @about at @at and see whether an error of @kind is sent about it. */
static bool answered(struct pkt *about, size_t at, const char *hex, enum fl_icmp_kind kind)
{
	struct fl_icmp_error e = error_of(about->b[0] >> 4, kind);
	struct fl_packet p;
	uint8_t out[1400];
	int len;

	hex_bytes(hex, about->b + at, 16);
	p = parsed(about);
	len = fl_packet_build_icmp_error(&p, &e, out, sizeof(out));
	cr_assert_geq(len, 0);
	free(about);
	return len > 0;
}

#define TTL FL_ICMP_TTL_EXPIRED
#define BIG FL_ICMP_TOO_BIG

Test(packet_icmp, about_which_packets)
{
	/* RFC 1812 4.3.2.7 */
	cr_expect(answered(new_udp(4, 9), 12, "0a010005", TTL), "plain");
	cr_expect_not(answered(new_udp(4, 9), 12, "00000000", TTL), "from 0.0.0.0");
	cr_expect_not(answered(new_udp(4, 9), 12, "00010203", TTL), "from network 0");
	cr_expect_not(answered(new_udp(4, 9), 12, "7f000001", TTL), "from loopback");
	cr_expect_not(answered(new_udp(4, 9), 12, "e0000001", TTL), "from multicast");
	cr_expect_not(answered(new_udp(4, 9), 12, "f0000001", TTL), "from class E");
	cr_expect_not(answered(new_udp(4, 9), 12, "ffffffff", TTL), "from broadcast");
	cr_expect(answered(new_udp(4, 9), 12, "dfffffff", TTL), "from 223.255.255.255");
	cr_expect_not(answered(new_udp(4, 9), 16, "e0000105", TTL), "to multicast");
	cr_expect_not(answered(new_udp(4, 9), 16, "e0000105", BIG), "to multicast, too big");
	cr_expect_not(answered(new_udp(4, 9), 16, "ffffffff", TTL), "to broadcast");
	cr_expect(answered(new_udp(4, 9), 6, "2000", TTL), "first fragment");
	cr_expect_not(answered(new_udp(4, 9), 6, "0001", TTL), "later fragment");
	cr_expect(answered(new_icmp(4, 8, 0, 9), 20, "08", TTL), "echo");
	for (int type = 3; type <= 12; type++)
		if (type == 3 || type == 5 || type == 11 || type == 12)
			cr_expect_not(answered(new_icmp(4, (uint8_t)type, 0, 9), 21, "00", TTL),
				      "about ICMP type %d", type);
	/* RFC 4443 2.4 (e) */
	cr_expect(answered(new_udp(6, 9), 8, "20010db8", TTL), "plain");
	cr_expect_not(answered(new_udp(6, 9), 8, "00000000000000000000000000000000", TTL), "::");
	cr_expect_not(answered(new_udp(6, 9), 8, "00000000000000000000000000000001", TTL), "::1");
	cr_expect(answered(new_udp(6, 9), 8, "00000000000000000000000000000002", TTL), "::2");
	cr_expect_not(answered(new_udp(6, 9), 8, "ff02", TTL), "from multicast");
	cr_expect_not(answered(new_udp(6, 9), 24, "ff0e", TTL), "to multicast");
	cr_expect(answered(new_udp(6, 9), 24, "ff0e", BIG), "to multicast, too big");
	cr_expect(answered(new_icmp(6, 128, 0, 9), 40, "80", TTL), "echo");
	cr_expect_not(answered(new_icmp(6, 1, 0, 9), 41, "00", TTL), "about an error");
	cr_expect_not(answered(new_icmp(6, 127, 0, 9), 41, "00", BIG), "about an unknown error");
	cr_expect_not(answered(new_icmp(6, 137, 0, 9), 41, "00", TTL), "about a redirect");
}

Test(packet_icmp, source_of_the_other_family)
{
	struct pkt *about = new_udp(4, 9);
	struct fl_icmp_error e = error_of(6, FL_ICMP_TTL_EXPIRED);
	struct fl_packet p = parsed(about);
	uint8_t out[200];

	cr_assert_eq(fl_packet_build_icmp_error(&p, &e, out, sizeof(out)), -EINVAL);
	free(about);
}

/* TCP options as hex, where the MSS value is in them, and what a clamp to 1400 makes of it. */
static const struct {
	const char *name;
	uint8_t flags;
	const char *options;
	int at;
	unsigned int want; /* 0: left alone */
} mss_rows[] = {
	{ "alone", FL_TH_SYN, "020405b4", 2, 1400 },
	{ "in a SYN-ACK", FL_TH_SYN | FL_TH_ACK, "020405b4", 2, 1400 },
	{ "behind others", FL_TH_SYN, "0402 080a0000000100000000 0204 05b4", 14, 1400 },
	{ "at an odd place", FL_TH_SYN, "01 0204 05b4 01 01 01", 3, 1400 },
	{ "odd behind window scale", FL_TH_SYN, "030307 0204 05b4 00", 5, 1400 },
	{ "largest", FL_TH_SYN, "0204ffff", 2, 1400 },
	{ "one more", FL_TH_SYN, "02040579", 2, 1400 },
	{ "as large", FL_TH_SYN, "02040578", 2, 0 },
	{ "smaller", FL_TH_SYN, "02040218", 2, 0 },
	{ "no SYN", FL_TH_ACK, "020405b4", 2, 0 },
	{ "none", FL_TH_SYN, "01010101", 2, 0 },
	{ "behind the end", FL_TH_SYN, "00040101 020405b4", 6, 0 },
	{ "wrong length", FL_TH_SYN, "020305b4", 2, 0 },
	{ "wrong length, no loop", FL_TH_SYN, "030005b4 020405b4", 6, 0 },
	{ "option over the end", FL_TH_SYN, "03090204 05b40101", 4, 0 },
	{ "cut at the end", FL_TH_SYN, "01010102", 2, 0 },
};

Test(packet_mss, clamp)
{
	for (size_t n = 0; n < 2 * sizeof(mss_rows) / sizeof(mss_rows[0]); n++) {
		uint8_t opt[40], before[200];
		size_t opt_len = hex_bytes(mss_rows[n / 2].options, opt, sizeof(opt));
		struct pkt *k =
			new_tcp_opt(families[n & 1], mss_rows[n / 2].flags, opt, opt_len, 3);
		struct fl_packet p = parsed(k);

		memcpy(before, k->b, k->len);
		cr_expect_eq(fl_packet_clamp_mss(&p, 1400), mss_rows[n / 2].want != 0, "%s",
			     mss_rows[n / 2].name);
		if (mss_rows[n / 2].want)
			cr_expect_eq(get16(p.l4 + 20 + mss_rows[n / 2].at), mss_rows[n / 2].want,
				     "%s", mss_rows[n / 2].name);
		else
			cr_expect(!memcmp(before, k->b, k->len), "%s", mss_rows[n / 2].name);
		cr_expect(slow_ok(k->b, k->len), "%s: checksum", mss_rows[n / 2].name);
		free(k);
	}
}

Test(packet_mss, checksum_left_to_offload_stays_so)
{
	struct pkt *k = new_tcp_opt(4, FL_TH_SYN, "\2\4\5\xb4", 4, 0);
	struct fl_packet p = parsed(k);

	be16(p.l4 + 16, slow_pseudo(k->b, p.l4_len, 6));
	cr_assert(fl_packet_clamp_mss(&p, 1400));
	cr_assert_eq(fl_packet_csum_state(&p), FL_CSUM_PARTIAL);
	free(k);
}

/* A clamp must not repair what was broken on the way. */
Test(packet_mss, wrong_checksum_stays_wrong)
{
	struct pkt *k = new_tcp_opt(4, FL_TH_SYN, "\2\4\5\xb4", 4, 0);
	struct fl_packet p = parsed(k);

	unsigned int sum;

	p.l4[16] ^= 4;
	sum = slow_sum(p.l4, p.l4_len, 0);
	cr_assert(fl_packet_clamp_mss(&p, 1400));
	cr_assert_eq(fl_packet_csum_state(&p), FL_CSUM_BAD);
	cr_assert_eq(slow_sum(p.l4, p.l4_len, 0), sum, "wrong by another amount");
	free(k);
}

/* The option's two bytes would be user data. */
Test(packet_mss, option_cut_by_the_end_of_the_header)
{
	struct pkt *k = new_tcp_opt(4, FL_TH_SYN, "\1\1\2\4", 4, 8);
	struct fl_packet p = parsed(k);

	memset(p.payload, 0xff, 8);
	cr_assert_not(fl_packet_clamp_mss(&p, 1400));
	cr_assert_eq(p.payload[0], 0xff);
	free(k);
}

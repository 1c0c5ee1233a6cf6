// SPDX-License-Identifier: Apache-2.0
/* Packets: what is parsed and refused, tuples, quoted tuples, checksums. */
#include <criterion/criterion.h>

#include "test/unit/hex.h"
#include "test/unit/pkt.h"

static const int families[] = { 4, 6 };

static struct fl_packet parsed(struct pkt *k)
{
	struct fl_packet p;

	cr_assert_eq(fl_packet_parse(k->b, k->len, &p), 0);
	return p;
}

Test(packet, parts_of_each_kind)
{
	for (int i = 0; i < 2; i++) {
		int f = families[i];
		size_t ip = f == 6 ? 40 : 20;
		struct {
			struct pkt *k;
			uint32_t header;
			uint8_t proto;
		} rows[] = {
			{ new_udp(f, 21), 8, 17 },
			{ new_tcp(f, FL_TH_SYN, 0), 20, 6 },
			{ new_tcp_opt(f, FL_TH_ACK, "\1\1\1\1", 4, 100), 24, 6 },
			{ new_icmp(f, f == 6 ? 128 : 8, 0, 56), 8, f == 6 ? 58 : 1 },
		};

		for (size_t j = 0; j < 4; j++) {
			struct fl_packet p = parsed(rows[j].k);

			cr_assert_eq(p.data, rows[j].k->b);
			cr_assert_eq(p.len, rows[j].k->len);
			cr_assert_eq(p.l4, p.data + ip);
			cr_assert_eq(p.l4_len, p.len - ip);
			cr_assert_eq(p.payload, p.l4 + rows[j].header);
			cr_assert_eq(p.payload_len, p.l4_len - rows[j].header);
			cr_assert_eq(p.hdr.proto, rows[j].proto);
			cr_assert_eq(p.hdr.family, f);
			free(rows[j].k);
		}
	}
}

Test(packet, link_padding_is_not_part_of_it)
{
	struct pkt *k = new_udp(4, 3);
	struct fl_packet p;

	cr_assert_eq(fl_packet_parse(k->b, k->len + 15, &p), 0);
	cr_assert_eq(p.len, k->len);
	cr_assert_eq(p.payload_len, 3);
	cr_assert_eq(fl_packet_csum_state(&p), FL_CSUM_GOOD);
	free(k);
}

/* Every truncation of every kind is refused; none is read beyond its end (ASan build). */
Test(packet, truncations)
{
	for (int i = 0; i < 2; i++) {
		int f = families[i];
		struct pkt *kinds[] = { new_udp(f, 5), new_tcp_opt(f, 0x10, "\1\1\1\1", 4, 5),
					new_icmp(f, f == 6 ? 128 : 8, 0, 5) };

		for (size_t j = 0; j < 3; j++) {
			for (size_t len = 0; len < kinds[j]->len; len++) {
				uint8_t *copy = malloc(len ? len : 1);
				struct fl_packet p;

				memcpy(copy, kinds[j]->b, len);
				cr_assert_eq(fl_packet_parse(copy, len, &p), -FL_DROP_MALFORMED,
					     "IPv%d kind %zu %zu bytes", f, j, len);
				free(copy);
			}
			free(kinds[j]);
		}
	}
}

/* One byte of a good packet changed so that lengths contradict each other. */
Test(packet, contradictions)
{
	static const struct {
		const char *name;
		int family;
		char kind; /* u, t, i */
		size_t at;
		uint8_t to;
		int want;
	} rows[] = {
		{ "version 5", 4, 'u', 0, 0x55, FL_DROP_MALFORMED },
		{ "version 0", 4, 'u', 0, 0x05, FL_DROP_MALFORMED },
		{ "header of 16 bytes", 4, 'u', 0, 0x44, FL_DROP_MALFORMED },
		{ "header beyond total length", 4, 'u', 0, 0x4f, FL_DROP_MALFORMED },
		{ "total length below header", 4, 'u', 3, 19, FL_DROP_MALFORMED },
		{ "total length below UDP header", 4, 'u', 3, 27, FL_DROP_MALFORMED },
		{ "total length above what is there", 4, 'u', 2, 1, FL_DROP_MALFORMED },
		{ "UDP length 7", 4, 'u', 25, 7, FL_DROP_MALFORMED },
		{ "UDP length above packet", 4, 'u', 25, 14, FL_DROP_MALFORMED },
		{ "UDP length below packet", 4, 'u', 25, 12, 0 },
		{ "TCP header of 16 bytes", 4, 't', 32, 0x40, FL_DROP_MALFORMED },
		{ "TCP header beyond packet", 4, 't', 32, 0x70, FL_DROP_MALFORMED },
		{ "TCP header is the packet", 4, 't', 32, 0x60, 0 },
		{ "IPv6 payload length 7", 6, 'u', 5, 7, FL_DROP_MALFORMED },
		{ "IPv6 payload above what is there", 6, 'u', 5, 14, FL_DROP_MALFORMED },
		{ "IPv6 UDP length above packet", 6, 'u', 45, 14, FL_DROP_MALFORMED },
		{ "ICMP shorter than its header", 4, 'i', 3, 27, FL_DROP_MALFORMED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int f = rows[i].family;
		struct pkt *k = rows[i].kind == 'u'   ? new_udp(f, 5)
				: rows[i].kind == 't' ? new_tcp(f, 0x10, 4)
						      : new_icmp(f, 8, 0, 5);
		struct fl_packet p;

		k->b[rows[i].at] = rows[i].to;
		cr_expect_eq(fl_packet_parse(k->b, k->len, &p), -rows[i].want, "%s", rows[i].name);
		free(k);
	}
}

Test(packet, udp_ends_where_its_length_says)
{
	struct pkt *k = new_udp(4, 9);
	struct fl_packet p;

	be16(k->b + 24, 8 + 4);
	p = parsed(k);
	cr_assert_eq(p.l4_len, 12);
	cr_assert_eq(p.payload_len, 4);
	cr_assert_eq(p.len, 20 + 8 + 9);
	fl_packet_csum_fill(&p);
	k->len = 20 + 12;
	cr_assert_eq(slow_sum(k->b + 20, 12, slow_pseudo(k->b, 12, 17)), 0xffff);
	free(k);
}

/* Put @ext of @ext_len bytes between the IPv6 header and layer 4. */
static void insert_ext(struct pkt *k, uint8_t type, const uint8_t *ext, size_t ext_len)
{
	memmove(k->b + 40 + ext_len, k->b + 40, k->len - 40);
	memcpy(k->b + 40, ext, ext_len);
	k->b[40] = k->b[6];
	k->b[6] = type;
	k->len += ext_len;
	k->l4 += ext_len;
	be16(k->b + 4, (unsigned int)k->len - 40);
}

Test(packet, extension_headers)
{
	struct pkt *k = new_tcp(6, FL_TH_ACK, 33);
	struct fl_tuple t, plain;
	struct fl_packet p = parsed(k);

	cr_assert(fl_packet_tuple(&p, &plain));
	insert_ext(k, 60, (const uint8_t[16]){ 0, 1, 1, 12 }, 16);
	insert_ext(k, 0, (const uint8_t[8]){ 0, 0, 5, 2 }, 8);
	p = parsed(k);
	cr_assert_eq(p.l4, k->b + 64);
	cr_assert_eq(p.payload_len, 33);
	cr_assert_eq(fl_packet_csum_state(&p), FL_CSUM_GOOD);
	cr_assert(fl_packet_tuple(&p, &t));
	cr_assert(fl_tuple_equal(&t, &plain));
	p.l4[16] ^= 1;
	fl_packet_csum_fill(&p);
	cr_assert_eq(slow_sum(p.l4, p.l4_len, slow_pseudo(k->b, p.l4_len, 6)), 0xffff);
	free(k);
}

Test(packet, source_routes_are_refused)
{
	struct pkt *k = new_udp(6, 4);
	struct fl_packet p;

	insert_ext(k, 43, (const uint8_t[8]){ 0, 0, 4, 1 }, 8);
	cr_assert_eq(fl_packet_parse(k->b, k->len, &p), -FL_DROP_IP_OPTION);
	free(k);
}

Test(packet, tuple)
{
	static const struct fl_tuple want4 = { .src = { 10, 1, 0, 5 },
					       .dst = { 10, 2, 0, 53 },
					       .sport = 40000,
					       .dport = 53,
					       .family = 4,
					       .proto = 17 };
	static const struct fl_tuple want6 = {
		.src = P6A, .dst = P6B, .sport = 40000, .dport = 443, .family = 6, .proto = 6
	};
	struct pkt *k4 = new_udp(4, 1), *k6 = new_tcp(6, FL_TH_SYN, 0);
	struct fl_packet p4 = parsed(k4), p6 = parsed(k6);
	struct fl_tuple t, r;

	memset(&t, 0xff, sizeof(t));
	cr_assert(fl_packet_tuple(&p4, &t));
	cr_assert(fl_tuple_equal(&t, &want4));
	cr_assert(fl_packet_tuple(&p6, &t));
	cr_assert(fl_tuple_equal(&t, &want6));
	r = fl_tuple_reverse(&t);
	cr_assert(r.sport == 443 && r.dport == 40000 && r.src[15] == 53 && r.dst[15] == 5);
	r = fl_tuple_reverse(&r);
	cr_assert(fl_tuple_equal(&t, &r));
	r.proto++;
	cr_assert_not(fl_tuple_equal(&t, &r));
	free(k4);
	free(k6);
}

/* P-04 */
Test(packet, tuple_of_icmp_and_others)
{
	struct pkt *k = new_icmp(4, 8, 0, 4);
	struct fl_packet p = parsed(k);
	struct fl_tuple t;

	cr_assert(fl_packet_tuple(&p, &t));
	cr_assert(t.sport == 0xbeef && t.dport == 0xbeef && t.proto == 1);
	free(k);
	k = new_icmp(6, 129, 0, 4);
	p = parsed(k);
	cr_assert(fl_packet_tuple(&p, &t));
	cr_assert(t.sport == 0xbeef && t.dport == 0xbeef && t.proto == 58);
	/* ICMP for IPv4 is nothing special behind IPv6. */
	k->b[6] = 1;
	p = parsed(k);
	cr_assert(fl_packet_tuple(&p, &t));
	cr_assert(t.sport == 0 && t.dport == 0 && t.proto == 1);
	cr_assert_eq(p.payload, p.l4);
	free(k);
	k = new_udp(4, 4);
	k->b[9] = 47;
	p = parsed(k);
	cr_assert(fl_packet_tuple(&p, &t));
	cr_assert(t.sport == 0 && t.dport == 0 && t.proto == 47);
	cr_assert_eq(fl_packet_csum_state(&p), FL_CSUM_NONE);
	free(k);
	k = new_icmp(4, 3, 1, 40);
	p = parsed(k);
	cr_assert_not(fl_packet_tuple(&p, &t), "an error has no tuple of its own");
	free(k);
}

Test(packet, fragments)
{
	struct pkt *k = new_udp(4, 100);
	struct fl_packet p;
	struct fl_tuple t;
	uint8_t before[200];

	be16(k->b + 6, 0x2000); /* first */
	memcpy(before, k->b, k->len);
	p = parsed(k);
	cr_assert_not(fl_packet_is_later_fragment(&p));
	cr_assert(fl_packet_tuple(&p, &t));
	cr_assert_eq(t.dport, 53);
	cr_assert_eq(fl_packet_csum_state(&p), FL_CSUM_NONE);
	fl_packet_csum_fill(&p);
	cr_assert(!memcmp(before, k->b, k->len), "a part of what it covers is not here");
	be16(k->b + 6, 0x0010); /* last */
	p = parsed(k);
	cr_assert(fl_packet_is_later_fragment(&p));
	cr_assert_not(fl_packet_tuple(&p, &t));
	cr_assert_eq(p.payload_len, 108);
	free(k);
}

/* An ICMP error about @inner, of which @len bytes are quoted. */
static struct pkt *new_error(int family, uint8_t type, const struct pkt *inner, size_t len)
{
	struct pkt *k = new_icmp(family, type, 0, len);

	memcpy(k->b + k->l4 + 8, inner->b, len);
	return k;
}

static bool quoted(int family, uint8_t type, struct pkt *inner, size_t len, struct fl_tuple *t)
{
	struct pkt *k = new_error(family, type, inner, len);
	struct fl_packet p = parsed(k);
	bool found = fl_packet_quoted_tuple(&p, t);

	free(k);
	return found;
}

Test(packet, quoted_tuple)
{
	for (int i = 0; i < 2; i++) {
		int f = families[i];
		uint8_t type = f == 6 ? 1 : 3;
		size_t ip = f == 6 ? 40 : 20;
		struct pkt *inner[] = { new_udp(f, 30), new_tcp(f, FL_TH_SYN, 0),
					new_icmp(f, f == 6 ? 128 : 8, 0, 30) };

		for (size_t j = 0; j < 3; j++) {
			struct fl_packet p = parsed(inner[j]);
			struct fl_tuple want, got;

			cr_assert(fl_packet_tuple(&p, &want));
			/* Eight bytes of layer 4 are enough, seven are not. */
			cr_assert(quoted(f, type, inner[j], ip + 8, &got));
			cr_assert(fl_tuple_equal(&want, &got), "IPv%d kind %zu", f, j);
			cr_assert(quoted(f, type, inner[j], inner[j]->len, &got));
			cr_assert(fl_tuple_equal(&want, &got));
			for (size_t len = 0; len < ip + 8; len++)
				cr_assert_not(quoted(f, type, inner[j], len, &got), "%zu", len);
		}
		for (size_t j = 0; j < 3; j++)
			free(inner[j]);
	}
}

Test(packet, quotes_that_say_nothing)
{
	struct pkt *udp = new_udp(4, 30), *error = new_icmp(4, 11, 0, 30), *udp6 = new_udp(6, 30);
	struct fl_packet p = parsed(udp);
	struct fl_tuple t;

	cr_assert_not(fl_packet_quoted_tuple(&p, &t), "no ICMP at all");
	cr_assert_not(quoted(4, 8, udp, 40, &t), "no error");
	cr_assert_not(quoted(4, 3, error, 40, &t), "an error about an error");
	cr_assert_not(quoted(4, 3, udp6, 60, &t), "other version");
	cr_assert_not(quoted(6, 1, udp, 50, &t), "other version");
	udp->b[0] = 0x65;
	cr_assert_not(quoted(4, 3, udp, 50, &t), "version 6 in 4, else as it should be");
	udp6->b[0] = 0x40;
	cr_assert_not(quoted(6, 1, udp6, 60, &t), "version 4 in 6, else as it should be");
	udp6->b[0] = 0x60;
	udp->b[0] = 0x44;
	cr_assert_not(quoted(4, 3, udp, 50, &t), "header length 16");
	udp->b[0] = 0x4f;
	cr_assert_not(quoted(4, 3, udp, 50, &t), "header beyond the quote");
	udp->b[0] = 0x45;
	be16(udp->b + 6, 0x0001);
	cr_assert_not(quoted(4, 3, udp, 50, &t), "a later fragment");
	be16(udp->b + 6, 0x2000);
	cr_assert(quoted(4, 3, udp, 50, &t), "a first fragment");
	insert_ext(udp6, 44, (const uint8_t[8]){ 0, 0, 0, 8 }, 8);
	cr_assert_not(quoted(6, 1, udp6, 60, &t), "a later fragment");
	udp6->b[43] = 1;
	cr_assert(quoted(6, 1, udp6, 60, &t), "a first fragment");
	cr_assert_eq(t.dport, 53);
	free(udp);
	free(udp6);
	free(error);
}

/* RFC 1071 section 3 has this sum. */
Test(packet_csum, rfc1071_example)
{
	const uint8_t data[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	cr_assert_eq(FL_HOST16(fl_csum_bytes(data, 8, 0)), 0xddf2);
}

Test(packet_csum, sums_of_all_lengths)
{
	uint8_t data[300];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * i + 0x5b);
	for (size_t start = 0; start < 9; start++)
		for (size_t len = 0; start + len <= sizeof(data); len++)
			cr_assert_eq(FL_HOST16(fl_csum_bytes(data + start, len, FL_BE16(0xfedc))),
				     slow_sum(data + start, len, 0xfedc), "%zu+%zu", start, len);
	memset(data, 0xff, sizeof(data));
	cr_assert_eq(fl_csum_bytes(data, sizeof(data), 0xffff), 0xffff);
}

static struct pkt *new_kind(int family, char kind, size_t len)
{
	switch (kind) {
	case 'u':
		return new_udp(family, len);
	case 't':
		return new_tcp(family, FL_TH_ACK, len);
	default:
		return new_icmp(family, family == 6 ? 128 : 8, 0, len);
	}
}

static size_t field_of(char kind)
{
	return kind == 'u' ? 6 : kind == 't' ? 16 : 2;
}

Test(packet_csum, states_and_filling)
{
	static const size_t lens[] = { 0, 1, 2, 3, 64, 1399, 1400, 60000 };

	for (size_t n = 0; n < 2 * 3 * 8; n++) {
		int f = families[n & 1];
		char kind = "uti"[n / 2 % 3];
		struct pkt *k = new_kind(f, kind, lens[n / 6]);
		struct fl_packet p = parsed(k);
		uint8_t *field = p.l4 + field_of(kind), right[2];

		memcpy(right, field, 2);
		cr_assert_eq(fl_packet_csum_state(&p), FL_CSUM_GOOD, "IPv%d %c %u", f, kind, p.len);
		field[1] ^= 0x40;
		cr_assert_eq(fl_packet_csum_state(&p), FL_CSUM_BAD, "IPv%d %c %u", f, kind, p.len);
		fl_packet_csum_fill(&p);
		cr_assert(!memcmp(right, field, 2), "IPv%d %c %u", f, kind, p.len);
		cr_assert(slow_ok(k->b, k->len));
		p.data[p.len - 1] ^= 1;
		cr_assert_eq(fl_packet_csum_state(&p), FL_CSUM_BAD);
		free(k);
	}
}

/* As a stack leaves it that counts on offload: the pseudo-header's sum, not complemented. */
Test(packet_csum, left_to_offload)
{
	for (size_t n = 0; n < 4; n++) {
		int f = families[n & 1];
		char kind = "ut"[n / 2];
		struct pkt *k = new_kind(f, kind, 500);
		struct fl_packet p = parsed(k);

		be16(p.l4 + field_of(kind), slow_pseudo(k->b, p.l4_len, kind == 'u' ? 17 : 6));
		cr_assert_eq(fl_packet_csum_state(&p), FL_CSUM_PARTIAL);
		fl_packet_csum_fill(&p);
		cr_assert_eq(fl_packet_csum_state(&p), FL_CSUM_GOOD);
		cr_assert(slow_ok(k->b, k->len));
		free(k);
	}
}

Test(packet_csum, udp_without)
{
	struct pkt *k4 = new_udp(4, 10), *k6 = new_udp(6, 10);
	struct fl_packet p4 = parsed(k4), p6 = parsed(k6);

	be16(k4->b + 26, 0);
	be16(k6->b + 46, 0);
	cr_assert_eq(fl_packet_csum_state(&p4), FL_CSUM_NONE);
	cr_assert_eq(fl_packet_csum_state(&p6), FL_CSUM_NONE,
		     "RFC 6936 5: not a router's business");
	free(k4);
	free(k6);
}

/* Data chosen so that the sum comes out as 0: it is sent as ffff (RFC 768). */
Test(packet_csum, udp_zero_is_ffff)
{
	struct pkt *k = new_udp(4, 2);
	struct fl_packet p = parsed(k);
	unsigned int sum;

	be16(k->b + 26, 0);
	be16(k->b + 28, 0);
	sum = slow_sum(k->b + 20, 10, slow_pseudo(k->b, 10, 17));
	be16(k->b + 28, 0xffff - sum);
	fl_packet_csum_fill(&p);
	cr_assert_eq(get16(k->b + 26), 0xffff);
	cr_assert_eq(fl_packet_csum_state(&p), FL_CSUM_GOOD);
	free(k);
}

Test(packet_csum, ipv4_header)
{
	struct pkt *k = new_udp(4, 2);
	struct fl_packet p = parsed(k);
	unsigned int want = get16(k->b + 10);

	cr_assert(fl_packet_ip_csum_ok(&p));
	k->b[10] ^= 0x10;
	cr_assert_not(fl_packet_ip_csum_ok(&p));
	fl_ip4_csum_fill((struct fl_ip4 *)k->b);
	cr_assert_eq(get16(k->b + 10), want);
	free(k);
	k = new_udp(6, 2);
	p = parsed(k);
	cr_assert(fl_packet_ip_csum_ok(&p));
	free(k);
}

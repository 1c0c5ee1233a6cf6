// SPDX-License-Identifier: Apache-2.0
/* Segments of GSO super-packets, and IPv4 fragments: put together again they are the whole. */
#include <errno.h>

#include <criterion/criterion.h>

#include "agent/codec/packet_split.h"
#include "test/unit/hex.h"
#include "test/unit/pkt.h"

static const int families[] = { 4, 6 };

static struct fl_packet parsed(struct pkt *k)
{
	struct fl_packet p;

	cr_assert_eq(fl_packet_parse(k->b, k->len, &p), 0);
	return p;
}

/* One piece in a buffer of exactly its size, so that ASan sees a byte too much. */
static size_t next_piece(struct fl_split *s, uint8_t **ret)
{
	static uint8_t probe[66000];
	struct fl_split copy = *s;
	int len = fl_split_next(&copy, probe, sizeof(probe));

	cr_assert_geq(len, 0, "%d", len);
	*ret = malloc(len ? (size_t)len : 1);
	if (len) {
		copy = *s;
		cr_assert_eq(fl_split_next(&copy, *ret, (size_t)len - 1), -ENOSPC);
		cr_assert_eq(copy.offset, s->offset);
	}
	cr_assert_eq(fl_split_next(s, *ret, (size_t)len), len);
	return (size_t)len;
}

#define CWR 0x80
#define ECE 0x40

/* TCP in segments of @size: every field of every segment. */
static void check_tcp(int family, size_t len, uint16_t size, bool partial)
{
	const uint8_t flags = FL_TH_ACK | FL_TH_PSH | FL_TH_FIN | CWR | ECE;
	struct pkt *k = new_tcp_opt(family, flags, "\1\1\10\12abcdefgh", 12, len);
	struct fl_packet p = parsed(k);
	size_t front = k->l4 + 32, done = 0, slice;
	struct fl_split s;
	uint8_t *piece;
	unsigned int index = 0;

	if (partial)
		be16(p.l4 + 16, slow_pseudo(k->b, p.l4_len, 6));
	cr_assert_eq(fl_split_gso(&s, &p, size), 0);
	while ((slice = next_piece(&s, &piece)) > 0) {
		bool last;

		slice -= front;
		last = done + slice == len;
		cr_assert(slice == size || last);
		cr_assert(slow_ok(piece, front + slice), "segment %u", index);
		cr_assert(!memcmp(piece + front, k->b + front + done, slice));
		cr_assert_eq(get32(piece + k->l4 + 4), 0x11111111 + done);
		cr_assert_eq(get32(piece + k->l4 + 8), 0x22222222);
		cr_assert_eq(piece[k->l4 + 13],
			     (last ? flags : FL_TH_ACK | ECE | CWR) & ~(index ? CWR : 0));
		cr_assert(!memcmp(piece + k->l4 + 20, k->b + k->l4 + 20, 12), "options");
		if (family == 4)
			cr_assert_eq(get16(piece + 4), 0x1234 + index);
		done += slice;
		index++;
		free(piece);
	}
	free(piece);
	cr_assert_eq(done, len);
	cr_assert_eq(index, len ? (len + size - 1) / size : 1);
	free(k);
}

Test(packet_split, tcp)
{
	static const size_t lens[] = { 0, 1, 1447, 1448, 1449, 2896, 14000, 65000 };

	for (size_t n = 0; n < 2 * 2 * 8; n++)
		check_tcp(families[n & 1], lens[n / 4], 1448, n & 2);
	check_tcp(4, 7, 1, false);
}

Test(packet_split, udp)
{
	static const size_t lens[] = { 0, 1, 1199, 1200, 1201, 12345 };

	for (size_t n = 0; n < 2 * 6; n++) {
		struct pkt *k = new_udp(families[n & 1], lens[n / 2]);
		struct fl_packet p = parsed(k);
		size_t front = k->l4 + 8, done = 0, len;
		struct fl_split s;
		uint8_t *piece;

		cr_assert_eq(fl_split_gso(&s, &p, 1200), 0);
		while ((len = next_piece(&s, &piece)) > 0) {
			size_t slice = len - front;

			cr_assert(slice == 1200 || done + slice == lens[n / 2]);
			cr_assert(slow_ok(piece, len));
			cr_assert_eq(get16(piece + k->l4 + 4), 8 + slice);
			cr_assert(!memcmp(piece + front, k->b + front + done, slice));
			done += slice;
			free(piece);
		}
		free(piece);
		cr_assert_eq(done, lens[n / 2]);
		free(k);
	}
}

Test(packet_split, udp_without_checksum_stays_without)
{
	struct pkt *k = new_udp(4, 30);
	struct fl_packet p = parsed(k);
	struct fl_split s;
	uint8_t *piece;

	be16(k->b + 26, 0);
	cr_assert_eq(fl_split_gso(&s, &p, 10), 0);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(next_piece(&s, &piece), 38);
		cr_assert_eq(get16(piece + 26), 0);
		free(piece);
	}
	cr_assert_eq(next_piece(&s, &piece), 0);
	free(piece);
	free(k);
}

Test(packet_split, ip_id_wraps)
{
	struct pkt *k = new_tcp(4, FL_TH_ACK, 20);
	struct fl_packet p = parsed(k);
	struct fl_split s;
	uint8_t *piece;

	be16(k->b + 4, 0xffff);
	cr_assert_eq(fl_split_gso(&s, &p, 10), 0);
	for (unsigned int i = 0; i < 2; i++) {
		cr_assert_eq(next_piece(&s, &piece), 50);
		cr_assert_eq(get16(piece + 4), (0xffff + i) & 0xffff);
		free(piece);
	}
	free(k);
}

Test(packet_split, gso_of_what)
{
	struct pkt *tcp = new_tcp(4, FL_TH_ACK, 20), *icmp = new_icmp(4, 8, 0, 20);
	struct fl_packet p = parsed(tcp);
	struct fl_split s;

	cr_assert_eq(fl_split_gso(&s, &p, 0), -EINVAL);
	p = parsed(icmp);
	cr_assert_eq(fl_split_gso(&s, &p, 10), -EINVAL);
	be16(tcp->b + 6, 0x2000);
	p = parsed(tcp);
	cr_assert_eq(fl_split_gso(&s, &p, 10), -EINVAL, "a fragment");
	free(tcp);
	free(icmp);
}

/* Put the fragments of @k for @mtu together: @whole gets the body, by their offsets. */
static unsigned int join(struct pkt *k, uint16_t mtu, uint8_t *whole, size_t base)
{
	struct fl_packet p = parsed(k);
	struct fl_split s;
	uint8_t *piece;
	size_t len, want = 0;
	unsigned int count = 0;

	cr_assert_eq(fl_split_ip4(&s, &p, mtu), 0);
	while ((len = next_piece(&s, &piece)) > 0) {
		size_t header = (piece[0] & 15u) * 4, body = len - header;
		unsigned int frag = get16(piece + 6);

		cr_assert_leq(len, mtu);
		cr_assert_eq(get16(piece + 2), len);
		cr_assert_eq(slow_sum(piece, header, 0), 0xffff);
		cr_assert_eq(get16(piece + 4), 0x1234, "identification");
		cr_assert_eq((frag & 0x1fff) * 8 - base, want, "no gap, no overlap");
		if (frag & 0x2000) {
			cr_assert_eq(body % 8, 0);
			if (want + body < k->len - 20)
				cr_assert_gt(len + 8, mtu, "not as large as it could be");
		}
		memcpy(whole + want, piece + header, body);
		want += body;
		count++;
		/* More fragments, but for the last. */
		cr_assert_eq(!!(frag & 0x2000),
			     want < k->len - (k->b[0] & 15u) * 4 || k->b[6] & 0x20);
		free(piece);
	}
	free(piece);
	cr_assert_eq(want, k->len - (k->b[0] & 15u) * 4);
	cr_assert(!memcmp(whole, k->b + (k->b[0] & 15u) * 4, want));
	return count;
}

Test(packet_split, ip4_fragments)
{
	static uint8_t whole[66000];

	for (size_t len = 0; len < 200; len++) {
		struct pkt *k = new_udp(4, len);

		for (uint16_t mtu = 28; mtu < 60; mtu++) {
			unsigned int step = (mtu - 20u) / 8 * 8, want = 1;

			if (k->len > mtu) /* all but the last have a multiple of 8 bytes */
				want = 1 + (unsigned int)(k->len - mtu + step - 1) / step;
			cr_assert_eq(join(k, mtu, whole, 0), want, "%zu bytes, MTU %u", len, mtu);
		}
		free(k);
	}
}

Test(packet_split, ip4_large)
{
	static uint8_t whole[66000];
	struct pkt *k = new_udp(4, 65507);

	cr_assert_eq(join(k, 1500, whole, 0), 45);
	free(k);
}

Test(packet_split, ip4_fragment_of_a_fragment)
{
	static uint8_t whole[66000];
	struct pkt *k = new_udp(4, 1000);

	be16(k->b + 6, 0x2000 | 100); /* from the middle: the last piece has more behind it */
	cr_assert_eq(join(k, 500, whole, 800), 3);
	be16(k->b + 6, 100);
	cr_assert_eq(join(k, 500, whole, 800), 3);
	free(k);
}

Test(packet_split, ip4_options)
{
	/* Router alert (copied), record route (not copied), NOP; then as a later fragment has it.
	 */
	static const char options[] = "94040000 0707040a 01020300 01000000";
	struct pkt *k = new_udp(4, 100);
	struct fl_packet p;
	struct fl_split s;
	uint8_t *piece;
	size_t len;

	memmove(k->b + 36, k->b + 20, k->len - 20);
	hex_bytes(options, k->b + 20, 16);
	k->b[0] = 0x49;
	k->len += 16;
	be16(k->b + 2, (unsigned int)k->len);
	p = parsed(k);
	cr_assert_eq(fl_split_ip4(&s, &p, 92), 0);
	len = next_piece(&s, &piece);
	cr_assert_eq(len, 92);
	assert_hex(piece + 20, 16, options);
	cr_assert_eq(slow_sum(piece, 36, 0), 0xffff);
	free(piece);
	len = next_piece(&s, &piece);
	cr_assert_eq(len, 24 + 108 - 56);
	cr_assert_eq(piece[0], 0x46);
	assert_hex(piece + 20, 4, "94040000");
	cr_assert_eq(slow_sum(piece, 24, 0), 0xffff);
	cr_assert_eq(get16(piece + 6), 56 / 8);
	cr_assert(!memcmp(piece + 24, k->b + 36 + 56, 108 - 56));
	free(piece);
	free(k);
}

/* Options of one word, and the word that later fragments have of them, if any. */
Test(packet_split, ip4_odd_and_broken_options)
{
	static const struct {
		const char *options, *later;
	} rows[] = {
		{ "82031101", "82031100" }, /* three bytes are copied, padded with end-of-list */
		{ "01820311", "82031100" }, { "0182040a", NULL }, /* over the end */
		{ "9409aaaa", NULL },       { "01010194", NULL }, /* no length byte */
		{ "00940400", NULL },                             /* behind the end of the list */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pkt *k = new_udp(4, 100);
		struct fl_packet p;
		struct fl_split s;
		uint8_t *piece;

		memmove(k->b + 24, k->b + 20, k->len - 20);
		hex_bytes(rows[i].options, k->b + 20, 4);
		k->b[0] = 0x46;
		k->len += 4;
		be16(k->b + 2, (unsigned int)k->len);
		p = parsed(k);
		cr_assert_eq(fl_split_ip4(&s, &p, 80), 0);
		cr_assert_eq(next_piece(&s, &piece), 80);
		assert_hex(piece + 20, 4, rows[i].options);
		free(piece);
		next_piece(&s, &piece);
		cr_assert_eq(piece[0], rows[i].later ? 0x46 : 0x45, "%s", rows[i].options);
		if (rows[i].later)
			assert_hex(piece + 20, 4, rows[i].later);
		cr_assert_eq(slow_sum(piece, (piece[0] & 15u) * 4, 0), 0xffff);
		free(piece);
		free(k);
	}
}

Test(packet_split, ip4_refused)
{
	struct pkt *k = new_udp(4, 100), *k6 = new_udp(6, 100);
	struct fl_packet p = parsed(k);
	struct fl_split s;

	cr_assert_eq(fl_split_ip4(&s, &p, 27), -EINVAL, "no room for 8 bytes");
	be16(k->b + 6, 0x4000);
	p = parsed(k);
	cr_assert_eq(fl_split_ip4(&s, &p, 127), -EMSGSIZE, "must not be fragmented");
	cr_assert_eq(fl_split_ip4(&s, &p, 128), 0, "need not be fragmented");
	p = parsed(k6);
	cr_assert_eq(fl_split_ip4(&s, &p, 1280), -EINVAL);
	free(k);
	free(k6);
}

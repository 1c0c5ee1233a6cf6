// SPDX-License-Identifier: Apache-2.0
/*
 * The packet parser that the data plane and the agent share, and what the agent does with packets.
 * The first byte of an input says what is done, the next two are a number for it (a size, an MTU),
 * the rest is the packet: a frame for FRAME, else from the IP header on.
 */
#include <errno.h>

#include "common/parse.h"

#include "agent/codec/packet_build.h"
#include "agent/codec/packet_split.h"
#include "test/fuzz/fuzz.h"

enum what {
	WHAT_FRAME,
	WHAT_READ,
	WHAT_ANSWER,
	WHAT_CLAMP,
	WHAT_GSO,
	WHAT_FRAGMENTS,
	WHAT_MAX,
};

static uint8_t out[FL_MAX_FRAME + 256];

/* What the data plane's common path makes of a packet, the full parser must make of it too. */
static void parse_frame(const uint8_t *data, size_t len)
{
	const uint8_t *end = data + len;
	struct fl_pkt full = { 0 }, plain = { 0 };
	int err = fl_parse_l2(data, end, &full, 0), fast = fl_parse_l2(data, end, &plain, 1);

	MUST(fast == err || fast == FL_NOT_PLAIN);
	if (err < 0)
		return;
	err = fl_parse_l3(NULL, data, end, &full);
	MUST(err <= 0 && err > -FL_DROP_MAX);
	if (!fast && plain.eth_proto == FL_ETH_P_IP)
		fast = fl_parse_ip4(NULL, data, end, &plain, 1);
	else if (!fast && plain.eth_proto == FL_ETH_P_IPV6)
		fast = fl_parse_ip6(NULL, data, end, &plain, 1);
	MUST(fast == err || fast == FL_NOT_PLAIN);
	if (fast == 0)
		MUST(!memcmp(&full, &plain, sizeof(full)));
	if (err == 0 && full.family) {
		MUST(full.l3 < len && full.l4 >= full.l3 && full.payload >= full.l4);
		MUST(full.payload <= FL_OFFSET_MAX + 64 && full.payload <= FL_OFFSET_MASK);
		fl_has_cookie(data, end, &full);
	}
}

static void read_packet(struct fl_packet *p)
{
	struct fl_tuple t, back;
	enum fl_csum_state state = fl_packet_csum_state(p);

	MUST(p->l4 >= p->data && p->payload >= p->l4);
	MUST(p->payload + p->payload_len == p->l4 + p->l4_len);
	MUST(p->l4 + p->l4_len <= p->data + p->len);
	if (fl_packet_tuple(p, &t)) {
		back = fl_tuple_reverse(&t);
		back = fl_tuple_reverse(&back);
		MUST(fl_tuple_equal(&t, &back));
	}
	fl_packet_quoted_tuple(p, &t);
	fl_packet_ip_csum_ok(p);
	fl_packet_csum_fill(p);
	MUST((fl_packet_csum_state(p) == FL_CSUM_NONE) ==
	     (state == FL_CSUM_NONE &&
	      (p->hdr.proto != FL_IPPROTO_UDP || p->hdr.flags & FL_PKT_FRAGMENT)));
	if (fl_packet_csum_state(p) != FL_CSUM_NONE)
		MUST(fl_packet_csum_state(p) == FL_CSUM_GOOD);
	if (p->hdr.family == 4) {
		fl_ip4_csum_fill((struct fl_ip4 *)p->data);
		MUST(fl_packet_ip_csum_ok(p));
	}
}

/* A packet that was made here is a good one. */
static struct fl_packet made(uint8_t *data, int len)
{
	struct fl_packet p;

	MUST(fl_packet_parse(data, (size_t)len, &p) == 0);
	MUST(p.len == (size_t)len);
	MUST(fl_packet_ip_csum_ok(&p));
	return p;
}

static void answer(const struct fl_packet *about, uint16_t number)
{
	struct fl_icmp_error error = { .kind = number % FL_ICMP_KIND_MAX,
				       .from = { .family = about->hdr.family, .b = { 10, 9 } },
				       .mtu = number };
	struct fl_packet p;
	struct fl_tuple ours, theirs;
	int len = fl_packet_build_icmp_error(about, &error, out, sizeof(out));

	MUST(len >= 0);
	if (len) {
		p = made(out, len);
		MUST(fl_packet_csum_state(&p) == FL_CSUM_GOOD);
		MUST(p.hdr.flags & FL_PKT_ICMP_ERROR);
	}
	len = fl_packet_build_rst(about, out, sizeof(out));
	MUST(len >= 0);
	if (len) {
		p = made(out, len);
		MUST(fl_packet_csum_state(&p) == FL_CSUM_GOOD);
		MUST(p.hdr.tcp_flags & FL_TH_RST);
		MUST(fl_packet_tuple(&p, &ours) && fl_packet_tuple(about, &theirs));
		theirs = fl_tuple_reverse(&theirs);
		MUST(fl_tuple_equal(&ours, &theirs));
	}
}

static void clamp(struct fl_packet *p, uint16_t mss)
{
	enum fl_csum_state state = fl_packet_csum_state(p);

	if (!fl_packet_clamp_mss(p, mss))
		return;
	MUST(!fl_packet_clamp_mss(p, mss));
	/* Partial may by chance have become good, a sum being what it is. */
	if (state == FL_CSUM_GOOD)
		MUST(fl_packet_csum_state(p) == FL_CSUM_GOOD);
}

static void gso(const struct fl_packet *p, uint16_t size)
{
	uint32_t done = 0, pieces = 0;
	struct fl_split s;
	int len, err = fl_split_gso(&s, p, size);

	if (err < 0) {
		MUST(err == -EINVAL);
		return;
	}
	while ((len = fl_split_next(&s, out, sizeof(out))) > 0) {
		struct fl_packet piece = made(out, len);
		enum fl_csum_state state = fl_packet_csum_state(&piece);

		MUST(state == FL_CSUM_GOOD || state == FL_CSUM_NONE);
		MUST(piece.payload_len <= size && done + piece.payload_len <= p->payload_len);
		MUST(!memcmp(piece.payload, p->payload + done, piece.payload_len));
		done += piece.payload_len;
		pieces++;
	}
	MUST(len == 0 && done == p->payload_len && pieces);
}

static void fragments(const struct fl_packet *p, uint16_t mtu)
{
	uint32_t done = 0, body = p->len - (p->data[0] & 15u) * 4;
	struct fl_split s;
	int len, err = fl_split_ip4(&s, p, mtu);

	if (err < 0) {
		MUST(err == -EINVAL || err == -EMSGSIZE);
		return;
	}
	while ((len = fl_split_next(&s, out, sizeof(out))) > 0) {
		uint32_t header = (out[0] & 15u) * 4;

		MUST(len <= mtu && (uint32_t)len >= header);
		MUST(done + (uint32_t)len - header <= body);
		MUST(!memcmp(out + header, p->data + (p->data[0] & 15u) * 4 + done,
			     (uint32_t)len - header));
		done += (uint32_t)len - header;
	}
	MUST(len == 0 && done == body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fl_packet p;
	uint16_t number;
	uint8_t what, *copy;

	if (len < 3)
		return 0;
	what = data[0] % WHAT_MAX;
	number = (uint16_t)(data[1] << 8 | data[2]);
	data += 3;
	len -= 3;
	copy = exact_copy(data, len);
	if (what == WHAT_FRAME) {
		parse_frame(copy, len);
	} else if (fl_packet_parse(copy, len, &p) == 0) {
		if (what == WHAT_READ)
			read_packet(&p);
		else if (what == WHAT_ANSWER)
			answer(&p, number);
		else if (what == WHAT_CLAMP)
			clamp(&p, number);
		else if (what == WHAT_GSO)
			gso(&p, number);
		else
			fragments(&p, number);
	}
	free(copy);
	return 0;
}

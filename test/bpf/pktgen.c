// SPDX-License-Identifier: Apache-2.0
/* Packet builder: see pktgen.h. */
#include "test/bpf/pktgen.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

void pg_mac(const char *text, uint8_t mac[6])
{
	unsigned int b[6];

	if (sscanf(text, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
		abort();
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
}

/* RFC 1071, big-endian words, the slow and plain way. */
static uint32_t sum_bytes(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t sum_finish(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static bool is6(const struct pg_spec *spec)
{
	return strchr(spec->src, ':') != NULL;
}

static size_t build_l2(const struct pg_spec *spec, uint8_t *p)
{
	size_t at = 12;

	if (!spec->dmac)
		return 0;
	pg_mac(spec->dmac, p);
	pg_mac(spec->smac, p + 6);
	if (spec->vlan) {
		put16(p + at, spec->ivlan ? 0x88a8 : 0x8100);
		put16(p + at + 2, spec->vlan);
		at += 4;
	}
	if (spec->ivlan) {
		put16(p + at, 0x8100);
		put16(p + at + 2, spec->ivlan);
		at += 4;
	}
	put16(p + at, is6(spec) ? 0x86dd : 0x0800);
	return at + 2;
}

static size_t l4_header_len(const struct pg_spec *spec)
{
	switch (spec->proto) {
	case 6:
		return 20;
	case 17:
	case 1:
	case 58:
		return 8;
	default:
		return 0;
	}
}

/* The layer 4 header without checksum; returns where its checksum goes, 0 if it has none. */
static size_t build_l4(const struct pg_spec *spec, uint8_t *p, size_t total)
{
	if (spec->proto == 6) {
		put16(p, spec->sport);
		put16(p + 2, spec->dport);
		put32(p + 4, spec->seq);
		put32(p + 8, spec->ack);
		p[12] = 5 << 4;
		p[13] = spec->tcp_flags;
		put16(p + 14, spec->window);
		return 16;
	}
	if (spec->proto == 17) {
		put16(p, spec->sport);
		put16(p + 2, spec->dport);
		put16(p + 4, (unsigned int)total);
		return 6;
	}
	if (spec->proto == 1 || spec->proto == 58) {
		p[0] = spec->icmp_type;
		p[1] = spec->icmp_code;
		put16(p + 4, spec->id_port);
		put16(p + 6, 1);
		return 2;
	}
	return 0;
}

static uint32_t pseudo_sum(const uint8_t *addrs, size_t addr_len, uint8_t proto, size_t l4_len)
{
	return sum_bytes(addrs, addr_len * 2, (uint32_t)proto + (uint32_t)l4_len);
}

static size_t build_ip(const struct pg_spec *spec, uint8_t *p, size_t l4_len, uint8_t proto)
{
	uint8_t ttl = spec->ttl ? spec->ttl : 64;
	size_t hlen = 20u + spec->ip_options;

	if (is6(spec)) {
		put32(p, (uint32_t)(spec->version ? spec->version : 6) << 28 | (uint32_t)spec->tos
										       << 20);
		put16(p + 4, (unsigned int)((int)l4_len + (spec->ext ? 8 : 0) + spec->len_lie));
		p[6] = spec->ext ? spec->ext : proto;
		p[7] = ttl;
		if (inet_pton(AF_INET6, spec->src, p + 8) != 1 ||
		    inet_pton(AF_INET6, spec->dst, p + 24) != 1)
			abort();
		if (!spec->ext)
			return 40;
		p[40] = proto;
		p[43] = spec->ext_left;
		return 48;
	}
	p[0] = (uint8_t)((spec->version ? spec->version : 4u) << 4 | hlen / 4);
	p[1] = spec->tos;
	put16(p + 2, (unsigned int)((int)(hlen + l4_len) + spec->len_lie));
	put16(p + 4, spec->id);
	put16(p + 6, spec->frag);
	p[8] = ttl;
	p[9] = proto;
	if (inet_pton(AF_INET, spec->src, p + 12) != 1 ||
	    inet_pton(AF_INET, spec->dst, p + 16) != 1)
		abort();
	memset(p + 20, 1, spec->ip_options);
	if (spec->option) {
		p[20] = spec->option;
		p[21] = (uint8_t)(spec->ip_options - 1);
	}
	put16(p + 10, sum_finish(sum_bytes(p, hlen, 0)));
	return hlen;
}

void pg_build(const struct pg_spec *spec, struct pg_packet *out)
{
	size_t wrap = spec->udp_wrap ? 8 + spec->front_len : 0, addr_len = is6(spec) ? 16 : 4;
	size_t front = spec->udp_wrap ? 0 : spec->front_len;
	size_t l2, l3, header = l4_header_len(spec), l4 = header + front + spec->payload_len, at;
	size_t where;
	uint8_t *p = out->data, *inner;
	const uint8_t *addrs;
	uint16_t check;

	memset(out, 0, sizeof(*out));
	l2 = build_l2(spec, p);
	l3 = build_ip(spec, p + l2, l4 + wrap, spec->udp_wrap ? 17 : spec->proto);
	addrs = p + l2 + (is6(spec) ? 8 : 12);
	at = l2 + l3;
	out->len = at + wrap + l4;
	if (out->len > PG_MAX)
		abort();
	inner = p + at + wrap;
	where = build_l4(spec, inner, l4);
	if (spec->front_len)
		memcpy(spec->udp_wrap ? inner - spec->front_len : inner + header, spec->front,
		       spec->front_len);
	if (spec->payload)
		memcpy(inner + header + front, spec->payload, spec->payload_len);
	else
		for (size_t i = 0; i < spec->payload_len; i++)
			inner[header + front + i] = (uint8_t)(i * 7 + 3);
	if (where && !(spec->no_checksum && spec->proto == 17)) {
		uint32_t sum = spec->proto == 1 ? 0 : pseudo_sum(addrs, addr_len, spec->proto, l4);
		uint8_t of[32];

		if (spec->inner_src) {
			if (inet_pton(AF_INET6, spec->inner_src, of) != 1 ||
			    inet_pton(AF_INET6, spec->inner_dst, of + 16) != 1)
				abort();
			sum = pseudo_sum(of, 16, spec->proto, l4);
		}

		check = sum_finish(sum_bytes(inner, l4, sum));
		if (!check && spec->proto == 17)
			check = 0xffff;
		put16(inner + where, check);
	}
	if (spec->udp_wrap) {
		put16(p + at, spec->sport);
		put16(p + at + 2, spec->dport);
		put16(p + at + 4, (unsigned int)(l4 + wrap));
		if (!spec->no_checksum && is6(spec)) {
			check = sum_finish(sum_bytes(p + at, l4 + wrap,
						     pseudo_sum(addrs, addr_len, 17, l4 + wrap)));
			put16(p + at + 6, check ? check : 0xffff);
		}
	}
}

bool pg_differ(const uint8_t *got, size_t got_len, const struct pg_packet *want, char text[256])
{
	size_t len = got_len < want->len ? got_len : want->len;

	for (size_t i = 0; i < len; i++) {
		if (got[i] == want->data[i])
			continue;
		snprintf(text, 256, "byte %zu is %02x, expected %02x (length %zu, expected %zu)", i,
			 got[i], want->data[i], got_len, want->len);
		return true;
	}
	if (got_len != want->len) {
		snprintf(text, 256, "length %zu, expected %zu", got_len, want->len);
		return true;
	}
	return false;
}

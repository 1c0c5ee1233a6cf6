/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds packets for fixtures from a description. Lengths and checksums are computed here, from
 * scratch, so that an expected packet never rests on the code under test.
 */
#ifndef FL_TEST_BPF_PKTGEN_H
#define FL_TEST_BPF_PKTGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PG_MAX 12000

struct pg_spec {
	const char *dmac; /* "02:..", NULL: packet starts with the IP header */
	const char *smac;
	uint16_t vlan;   /* outer tag */
	uint16_t ivlan;  /* inner tag; the outer then is 802.1ad */
	const char *src; /* family by the text */
	const char *dst;
	uint8_t proto;
	uint8_t ttl; /* 0: 64 */
	uint8_t tos;
	uint16_t id;
	uint16_t frag;      /* IPv4 flags and offset as on the wire, host order */
	uint8_t ip_options; /* bytes of IPv4 options, multiple of 4: no-ops and an end */
	uint8_t option;     /* first option's type if not 0 */
	uint8_t ext;        /* IPv6: one 8-byte extension header of this type in front */
	uint8_t ext_left;   /* routing header: segments left */
	uint16_t sport;
	uint16_t dport;
	uint8_t tcp_flags;
	uint32_t seq;
	uint32_t ack;
	uint16_t window;
	uint8_t icmp_type;
	uint8_t icmp_code;
	const char *inner_src; /* wrapped ICMPv6: addresses that its checksum is of */
	const char *inner_dst;
	bool udp_wrap;     /* a UDP header with sport/dport around the protocol's own */
	uint16_t id_port;  /* ICMP identifier */
	bool no_checksum;  /* UDP over IPv4: 0 */
	const void *front; /* bytes behind the first UDP header, wrapping or not */
	size_t front_len;
	const void *payload;
	size_t payload_len; /* without payload: this many bytes of a pattern */
	uint8_t version;    /* 0: right for the family */
	int len_lie;        /* added to the IP length field */
};

struct pg_packet {
	uint8_t data[PG_MAX];
	size_t len;
};

/* Build a packet. Aborts on a description that makes no sense: it is the test that is wrong. */
void pg_build(const struct pg_spec *spec, struct pg_packet *out);

/* Describe the first difference of two packets into @text; false if they are equal. */
bool pg_differ(const uint8_t *got, size_t got_len, const struct pg_packet *want, char text[256]);

/* Bytes from "aa:bb:.." */
void pg_mac(const char *text, uint8_t mac[6]);

#endif

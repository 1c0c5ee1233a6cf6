/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An IP packet in the agent's memory, from the IP header on: where its parts are, its tuple, its
 * checksums. Built on common/parse.h, so that the agent and the data plane agree on what a packet
 * says. Building packets is in packet_build.h, cutting them in packet_split.h.
 */
#ifndef FL_AGENT_CODEC_PACKET_H
#define FL_AGENT_CODEC_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/hdr.h"
#include "common/parse.h"

#include "agent/codec/tuple.h"

/* Pointers into the caller's buffer. What hdr says of offsets holds from @data on. */
struct fl_packet {
	uint8_t *data;    /* IP header */
	uint8_t *l4;      /* layer 4 header; body of a later fragment */
	uint8_t *payload; /* behind it; equals l4 where common/parse.h knows no header */
	uint32_t len;     /* IP packet, without what follows it in the buffer */
	uint32_t l4_len;  /* from l4 to the end; UDP: as its length field says, unless a fragment */
	uint32_t payload_len;
	struct fl_pkt hdr;
	bool came_in_pieces; /* made whole here: IPv6 may be cut again, which routers else may not
			      */
};

/**
 * fl_packet_parse() - take stock of a packet
 * @data: starts with the IP header; borrowed, and changed by functions that take a
 *        struct fl_packet without const
 * @len:  bytes there are; link padding behind the packet is ignored
 *
 * Return: 0, or a negative enum fl_drop_reason: FL_DROP_MALFORMED if it is neither IPv4 nor IPv6,
 * truncated, or its lengths contradict each other; FL_DROP_IP_OPTION as common/parse.h.
 */
int fl_packet_parse(void *data, size_t len, struct fl_packet *ret_packet);

/* Type of service or traffic class, DSCP and ECN, as in the header. */
uint8_t fl_packet_tos(const struct fl_packet *packet);

/* A fragment other than the first, which has no layer 4 header? */
static inline bool fl_packet_is_later_fragment(const struct fl_packet *p)
{
	return (p->hdr.flags & (FL_PKT_FRAGMENT | FL_PKT_FIRST_FRAGMENT)) == FL_PKT_FRAGMENT;
}

/**
 * fl_packet_tuple() - what names the packet's flow
 *
 * ICMP by P-04: the identifier in both ports. Protocols without ports have 0.
 *
 * Return: false if it has no tuple of its own: a later fragment, or an ICMP error.
 */
bool fl_packet_tuple(const struct fl_packet *p, struct fl_tuple *ret_tuple);

/**
 * fl_packet_quoted_tuple() - tuple of the packet that an ICMP error is about
 * @error: an ICMP error (FL_PKT_ICMP_ERROR)
 *
 * The quote may end 8 bytes behind the quoted IP header (RFC 792) and is believed in nothing else.
 *
 * Return: false if there is no error, or its quote is too short, a later fragment, or itself an
 * ICMP error.
 */
bool fl_packet_quoted_tuple(const struct fl_packet *error, struct fl_tuple *ret_tuple);

/*
 * The same of a quote that stands alone: @ip is where its IP header should be, of either version.
 * *ret_l4: its layer 4 header, of which 8 bytes are there.
 */
bool fl_packet_quote_tuple(const uint8_t *ip, size_t len, struct fl_tuple *ret_tuple,
			   const uint8_t **ret_l4);

/*
 * Ones' complement sum of @len bytes as 16-bit words in memory order (see common/csum.h), added to
 * @sum. @len may be odd only at the end of the data.
 */
uint16_t fl_csum_bytes(const void *data, size_t len, uint16_t sum);

enum fl_csum_state {
	FL_CSUM_NONE = 0, /* nothing to check: UDP without checksum, a fragment, other protocols */
	FL_CSUM_GOOD,
	FL_CSUM_PARTIAL, /* left to offload: the field holds the pseudo-header's sum */
	FL_CSUM_BAD,
};

/* State of the layer 4 checksum. A checksum that is right is good, whatever else it may equal. */
enum fl_csum_state fl_packet_csum_state(const struct fl_packet *p);

/**
 * fl_packet_csum_fill() - compute and write the layer 4 checksum (TCP, UDP, ICMP, ICMPv6)
 *
 * Does nothing to fragments, which hold a part of what it covers, and to other protocols.
 */
void fl_packet_csum_fill(struct fl_packet *p);

/* Is the IPv4 header's checksum right? True for IPv6, which has none. */
bool fl_packet_ip_csum_ok(const struct fl_packet *p);

/* Compute and write the IPv4 header's checksum; @ip with its options. */
void fl_ip4_csum_fill(struct fl_ip4 *ip);

#endif

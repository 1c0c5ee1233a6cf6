/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets made here: headers, UDP datagrams, TCP resets, ICMP errors. Everything is written to a
 * buffer of the caller's, with all checksums complete.
 */
#ifndef FL_AGENT_CODEC_PACKET_BUILD_H
#define FL_AGENT_CODEC_PACKET_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/addr.h"
#include "agent/codec/packet.h"
#include "agent/codec/tuple.h"

#define FL_TTL_DEFAULT 64

/* An IP header to be written. */
struct fl_ip_spec {
	struct fl_tuple tuple; /* family, addresses, protocol behind the header, ports */
	uint32_t flow_label;   /* IPv6, 20 bits */
	uint16_t id;           /* IPv4 */
	uint8_t tos;           /* or traffic class */
	uint8_t ttl;           /* or hop limit */
	bool df;               /* IPv4 */
};

/* Bytes of the header that fl_packet_put_ip() writes. */
static inline size_t fl_ip_header_len(uint8_t family)
{
	return family == 6 ? sizeof(struct fl_ip6) : sizeof(struct fl_ip4);
}

/**
 * fl_packet_put_ip() - write an IP header without options
 * @out:     fl_ip_header_len() bytes
 * @l4_len:  bytes that follow it, at most 65535 with an IPv4 header
 */
void fl_packet_put_ip(uint8_t *out, const struct fl_ip_spec *spec, size_t l4_len);

/* Write a UDP header; the checksum is left 0 for fl_packet_csum_fill(). */
void fl_packet_put_udp(uint8_t *out, uint16_t sport, uint16_t dport, size_t payload_len);

/**
 * fl_packet_build_udp() - a whole datagram
 * @spec:    tuple.proto is not looked at
 * @payload: borrowed; may already be where it belongs in @out
 *
 * Return: bytes written; -ENOSPC if @room is too small; -EMSGSIZE above what IP can carry.
 */
int fl_packet_build_udp(const struct fl_ip_spec *spec, const void *payload, size_t len,
			uint8_t *out, size_t room);

/**
 * fl_packet_build_rst() - the reset that answers a TCP segment for no connection
 * @offending: parsed, not a fragment; a GSO super-packet counts as one segment
 *
 * Return: bytes written; 0 if none may be sent, since it is itself a reset or not TCP; -ENOSPC.
 * Source: RFC 9293 3.10.7.1.
 */
int fl_packet_build_rst(const struct fl_packet *offending, uint8_t *out, size_t room);

enum fl_icmp_kind {
	FL_ICMP_TTL_EXPIRED = 0,
	FL_ICMP_TOO_BIG, /* fragmentation needed, packet too big */
	FL_ICMP_NO_ROUTE,
	FL_ICMP_NO_HOST,
	FL_ICMP_NO_PORT,
	FL_ICMP_PROHIBITED,
	FL_ICMP_KIND_MAX,
};

struct fl_icmp_error {
	enum fl_icmp_kind kind;
	struct fl_addr from; /* our address, of the packet's family */
	uint16_t mtu;        /* FL_ICMP_TOO_BIG: IP bytes */
};

/* IP packets no larger than these. */
#define FL_ICMP4_ERROR_MAX 576  /* RFC 1812 4.3.2.3 */
#define FL_ICMP6_ERROR_MAX 1280 /* RFC 4443 2.4 (c) */

/**
 * fl_packet_build_icmp_error() - tell the sender of a packet why it went no further
 * @about: the packet as received, quoted as far as allowed
 *
 * Whether the packet came by link-layer broadcast, and how many errors are too many, the caller
 * knows.
 *
 * Return: bytes written; 0 if no error may be sent about such a packet (an ICMP error, a later
 * fragment, to or from an address that is not one host's); -EINVAL if @error->from is of the other
 * family; -ENOSPC.
 * Source: RFC 1812 4.3.2, RFC 4443 2.4, 3.
 */
int fl_packet_build_icmp_error(const struct fl_packet *about, const struct fl_icmp_error *error,
			       uint8_t *out, size_t room);

/**
 * fl_packet_clamp_mss() - lower the MSS option of a TCP SYN
 * @mss: the most to let pass
 *
 * The checksum follows, whether complete or left to offload.
 *
 * Return: true if it was changed; false if it is no SYN, has no such option, or a smaller one.
 */
bool fl_packet_clamp_mss(struct fl_packet *p, uint16_t mss);

#endif

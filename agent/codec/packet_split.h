/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cutting packets: GSO super-packets into the segments that a device would have made of them, IP
 * packets into fragments. All give one piece after the other into a buffer of the caller's:
 *
 *	err = fl_split_gso(&split, &packet, gso_size);
 *	while (!err && (len = fl_split_next(&split, buf, sizeof(buf))) > 0)
 *		send(buf, len);
 */
#ifndef FL_AGENT_CODEC_PACKET_SPLIT_H
#define FL_AGENT_CODEC_PACKET_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "agent/codec/packet.h"

struct fl_split {
	const struct fl_packet *packet;
	uint32_t offset; /* of the next piece in what is split */
	uint16_t size;   /* GSO: payload bytes a piece; fragments: MTU */
	uint16_t index;
	uint32_t id; /* IPv6 fragments: identification */
	int (*next)(struct fl_split *split, uint8_t *out, size_t room);
};

/**
 * fl_split_gso() - begin to cut a TCP or UDP super-packet
 * @packet:   borrowed until the last piece was taken; its checksum may be left to offload
 * @gso_size: payload bytes of a segment
 *
 * The segments have complete checksums. TCP: sequence numbers go on, FIN and PSH are on the last
 * segment only, CWR is on the first only (RFC 3168 6.1.2). IPv4: identifications go on. An IPv4 UDP
 * packet without checksum becomes datagrams without.
 *
 * Return: 0; -EINVAL if it is a fragment, neither TCP nor UDP, or @gso_size is 0.
 */
int fl_split_gso(struct fl_split *split, const struct fl_packet *packet, uint16_t gso_size);

/**
 * fl_split_ip4() - begin to cut an IPv4 packet into fragments
 * @packet: borrowed until the last piece was taken; may be a fragment itself. Its layer 4 checksum
 *          must be complete, since no fragment can complete it
 * @mtu:    most bytes of a fragment, header included
 *
 * Options without the copied flag are in the first fragment only (RFC 791 3.2).
 *
 * Return: 0; -EMSGSIZE if it exceeds @mtu and may not be fragmented; -EINVAL if it is not IPv4 or
 * @mtu leaves no room for 8 bytes.
 */
int fl_split_ip4(struct fl_split *split, const struct fl_packet *packet, uint16_t mtu);

/**
 * fl_split_ip6() - begin to cut an IPv6 packet that its sender had cut before
 * @packet: borrowed until the last piece was taken; without extension headers, its layer 4 checksum
 *          complete
 * @mtu:    most bytes of a fragment, headers included
 * @id:     identification of the fragment headers
 *
 * Return: 0; -EINVAL if it is not IPv6, has extension headers, or @mtu leaves no room for 8 bytes.
 * Source: RFC 8200 4.5.
 */
int fl_split_ip6(struct fl_split *split, const struct fl_packet *packet, uint16_t mtu, uint32_t id);

/**
 * fl_split_next() - write the next piece
 *
 * Return: bytes written; 0 when all have been; -ENOSPC if @room is too small (may be repeated with
 * more).
 */
static inline int fl_split_next(struct fl_split *split, uint8_t *out, size_t room)
{
	return split->next(split, out, room);
}

#endif

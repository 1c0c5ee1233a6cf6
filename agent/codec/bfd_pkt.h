/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BFD control packets, bytes to struct and back (RFC 5880 4.1; authentication section and metadata
 * of svr-protocol.md 5.2, P-35). Pure: no I/O, no crypto. Plain RFC 5880 packets, without
 * authentication and metadata, are read and written too. Signing, checking and the metadata's
 * encryption are in agent/crypto/bfd_seal.h.
 */
#ifndef FL_AGENT_CODEC_BFD_PKT_H
#define FL_AGENT_CODEC_BFD_PKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bfd.h"

#include "agent/base/buf.h"
#include "agent/codec/meta_types.h"

struct fl_bfd_auth {
	uint32_t seq;
	uint8_t key_id;
};

/* The control section and, if there is one, the authentication section. Host order. */
struct fl_bfd_pkt {
	enum fl_bfd_state state;
	uint8_t diag; /* enum fl_bfd_diag, or what the peer made up, 0..31 */
	uint8_t detect_mult;
	bool poll;
	bool final;
	bool independent; /* C: the sender's BFD outlives its control plane */
	bool demand;
	bool has_auth;
	uint32_t my_discr;
	uint32_t your_discr;
	uint32_t desired_tx_us;
	uint32_t required_rx_us;
	uint32_t required_echo_us;
	struct fl_bfd_auth auth;
};

/* Bytes of control and authentication section. */
static inline size_t fl_bfd_pkt_len(const struct fl_bfd_pkt *pkt)
{
	return FL_BFD_CONTROL_LEN + (pkt->has_auth ? FL_BFD_AUTH_LEN : 0);
}

/**
 * fl_bfd_parse() - read a control packet
 * @data:    UDP payload, borrowed
 * @ret_pkt: undefined on failure
 *
 * Checks all that RFC 5880 6.8.6 checks without knowledge of the session, and that poll and final
 * are not both set (6.5). Authentication of a type other than ours is refused, since nothing here
 * could check it. What follows the sections, if anything, starts at fl_bfd_pkt_len().
 *
 * Return: 0; -EPROTONOSUPPORT for another version or authentication type; -EBADMSG.
 */
int fl_bfd_parse(const void *data, size_t len, struct fl_bfd_pkt *ret_pkt);

/**
 * fl_bfd_build() - write control and authentication section, the digest as zeros
 *
 * Return: bytes written; -ENOSPC; -EINVAL for what fl_bfd_parse() would refuse.
 */
int fl_bfd_build(const struct fl_bfd_pkt *pkt, struct fl_writer *out);

/*
 * Does @meta have what every control packet between waypoints brings (P-35)? Security id, own
 * endpoint, boot id, router name and pathway; the observed endpoint only once there is one. Return:
 * 0 or -ENODATA.
 */
int fl_bfd_check_meta(const struct fl_meta *meta);

/*
 * Turn a received echo packet of @len bytes into the answer: set its `reflected`. Return: false if
 * it is none of the form of 5.2, or has been reflected before.
 */
bool fl_bfd_echo_reflect(uint8_t *data, size_t len);

/* "up", "down", ...; for people and counters. */
const char *fl_bfd_state_name(enum fl_bfd_state state);

/* RFC 5880 4.1's words in short; "unknown" for others. */
const char *fl_bfd_diag_text(uint8_t diag);

#endif

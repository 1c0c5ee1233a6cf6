/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BFD packets between waypoints, signed and checked (svr-protocol.md 5.2, P-35):
 *
 *	control:  RFC 5880 section | authentication section | metadata block
 *	echo:     metadata block | HMAC
 *
 * A control packet's digest covers the whole UDP payload, so nothing but the header TLV that names
 * the key is looked at before it held. A policy without HMAC sends and accepts only packets without
 * the section. Results below zero are a negative enum fl_drop_reason.
 */
#ifndef FL_AGENT_CRYPTO_BFD_SEAL_H
#define FL_AGENT_CRYPTO_BFD_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "agent/codec/bfd_pkt.h"
#include "agent/crypto/seal.h"

struct fl_bfd_seal {
	struct fl_keyring *ring; /* policy toward the peer */
	uint64_t unix_s;
	const struct fl_bfd_pkt *pkt; /* has_auth and auth.key_id are set by the policy */
	const struct fl_meta *meta;   /* as fl_bfd_check_meta() wants it; the id is replaced */
};

/**
 * fl_bfd_seal() - make a control packet's UDP payload
 *
 * The authentication section's key id is the last byte of the security id (chosen).
 *
 * Return: bytes written; -FL_DROP_KEY_UNKNOWN if no key is active; -FL_DROP_INTERNAL if @room is
 * too small or something cannot be encoded.
 */
int fl_bfd_seal(const struct fl_bfd_seal *seal, uint8_t *out, size_t room);

struct fl_bfd_opened {
	struct fl_bfd_pkt pkt;
	uint32_t key_id;
	struct fl_meta meta; /* points into the caller's buffer */
};

/**
 * fl_bfd_open() - check and read a control packet from a peer
 * @data: UDP payload; decrypted in place; undefined after a failure
 *
 * The caller still has to check the sequence number (agent/path/bfd_peer.h).
 *
 * Return: 0, or -FL_DROP_MALFORMED for what is no BFD packet, -FL_DROP_META_MALFORMED,
 * -FL_DROP_META_INCOMPLETE, -FL_DROP_KEY_UNKNOWN, -FL_DROP_HMAC_MISMATCH, -FL_DROP_DECRYPT.
 */
int fl_bfd_open(struct fl_keyring *ring, uint64_t unix_s, uint8_t *data, size_t len,
		struct fl_bfd_opened *ret_opened);

/**
 * fl_bfd_echo_seal() - make an echo packet's UDP payload
 * @echo: its `reflected` is sent as 0
 *
 * Return: as fl_bfd_seal().
 */
int fl_bfd_echo_seal(struct fl_keyring *ring, uint64_t unix_s, const struct fl_meta_echo *echo,
		     uint8_t *out, size_t room);

/**
 * fl_bfd_echo_open() - check and read one of our own echo packets that came back
 * @ring: the one that it was sealed with
 *
 * Return: 0, or as fl_bfd_open(); -FL_DROP_META_UNEXPECTED for one that was not reflected.
 */
int fl_bfd_echo_open(struct fl_keyring *ring, uint64_t unix_s, const uint8_t *data, size_t len,
		     struct fl_meta_echo *ret_echo);

#endif

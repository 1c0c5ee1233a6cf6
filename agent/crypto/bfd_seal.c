// SPDX-License-Identifier: Apache-2.0
/* BFD packets, signed and checked: see bfd_seal.h. */
#include "agent/crypto/bfd_seal.h"

#include <string.h>

/* Does the policy sign BFD packets? */
static bool signs(const struct fl_key *key)
{
	return key->bfd.mode != FL_HMAC_DISABLED;
}

int fl_bfd_seal(const struct fl_bfd_seal *seal, uint8_t *out, size_t room)
{
	const struct fl_seal block = { .ring = seal->ring,
				       .unix_s = seal->unix_s,
				       .meta = seal->meta };
	struct fl_key *key = fl_keyring_current(seal->ring, seal->unix_s);
	struct fl_writer w = fl_writer(out, room);
	struct fl_bfd_pkt pkt = *seal->pkt;
	int front, back;

	if (!key)
		return -FL_DROP_KEY_UNKNOWN;
	pkt.has_auth = signs(key);
	pkt.auth.key_id = (uint8_t)key->id;
	front = fl_bfd_build(&pkt, &w);
	if (front < 0 || fl_bfd_check_meta(seal->meta) < 0)
		return -FL_DROP_INTERNAL;
	back = fl_seal_block(&block, out + front, room - (size_t)front);
	if (back < 0)
		return back;
	if (pkt.has_auth)
		fl_hmac_sign(&key->bfd, out, (size_t)(front + back), seal->unix_s,
			     out + FL_BFD_DIGEST_OFFSET);
	return front + back;
}

/* Does the digest hold? It is computed with zeros in its place. */
static bool digest_holds(const struct fl_key *key, uint64_t unix_s, uint8_t *data, size_t len)
{
	uint8_t digest[FL_BFD_AUTH_DIGEST_LEN];

	memcpy(digest, data + FL_BFD_DIGEST_OFFSET, sizeof(digest));
	memset(data + FL_BFD_DIGEST_OFFSET, 0, sizeof(digest));
	return fl_hmac_verify(&key->bfd, data, len, unix_s, digest);
}

/* The key that the block behind the control packet names. */
static int find_key(struct fl_keyring *ring, uint64_t unix_s, const uint8_t *block, size_t len,
		    struct fl_meta *meta, struct fl_key **ret_key)
{
	struct fl_meta_lens lens;
	int err = fl_meta_peek(block, len, &lens);

	if (err < 0 || fl_meta_block_len(&lens) != len)
		return -FL_DROP_META_MALFORMED;
	err = fl_meta_parse_header(block, &lens, meta);
	if (err < 0)
		return -(int)fl_meta_drop_reason(err);
	if (!fl_meta_has(meta, FL_META_SECURITY_ID))
		return -FL_DROP_META_INCOMPLETE;
	/* Without keys an id says nothing, as in seal.c. */
	if (!fl_keyring_hmac_len(ring) && !fl_keyring_encrypts(ring))
		*ret_key = fl_keyring_current(ring, unix_s);
	else
		*ret_key = fl_keyring_find(ring, meta->security_id, unix_s);
	return *ret_key ? 0 : -FL_DROP_KEY_UNKNOWN;
}

int fl_bfd_open(struct fl_keyring *ring, uint64_t unix_s, uint8_t *data, size_t len,
		struct fl_bfd_opened *ret_opened)
{
	const struct fl_open open = { .ring = ring, .unix_s = unix_s };
	struct fl_bfd_opened *o = ret_opened;
	struct fl_opened block;
	struct fl_key *key;
	size_t front;
	int err;

	if (fl_bfd_parse(data, len, &o->pkt) < 0)
		return -FL_DROP_MALFORMED;
	front = fl_bfd_pkt_len(&o->pkt);
	err = find_key(ring, unix_s, data + front, len - front, &o->meta, &key);
	if (err < 0)
		return err;
	/* RFC 5880 6.8.6: the section is there if, and only if, authentication is in use. */
	if (o->pkt.has_auth != signs(key))
		return -FL_DROP_HMAC_MISMATCH;
	if (o->pkt.has_auth &&
	    (o->pkt.auth.key_id != (uint8_t)key->id || !digest_holds(key, unix_s, data, len)))
		return -FL_DROP_HMAC_MISMATCH;
	err = fl_open_block(&open, data + front, len - front, &block);
	if (err < 0)
		return err;
	o->key_id = key->id;
	o->meta = block.meta;
	return fl_bfd_check_meta(&o->meta) < 0 ? -FL_DROP_META_INCOMPLETE : 0;
}

int fl_bfd_echo_seal(struct fl_keyring *ring, uint64_t unix_s, const struct fl_meta_echo *echo,
		     uint8_t *out, size_t room)
{
	struct fl_meta meta = { .has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_ECHO),
				.echo = *echo };
	struct fl_key *key = fl_keyring_current(ring, unix_s);
	struct fl_writer w = fl_writer(out, room);
	struct fl_meta_lens lens;
	uint8_t *mac;
	int len;

	if (!key)
		return -FL_DROP_KEY_UNKNOWN;
	meta.security_id = key->id;
	meta.echo.reflected = 0;
	len = fl_meta_build(&meta, &w, &lens);
	mac = fl_write_room(&w, signs(key) ? FL_BFD_AUTH_DIGEST_LEN : 0);
	if (len < 0 || !mac)
		return -FL_DROP_INTERNAL;
	fl_hmac_sign(&key->bfd, out, (size_t)len, unix_s, mac);
	return (int)fl_writer_len(&w);
}

int fl_bfd_echo_open(struct fl_keyring *ring, uint64_t unix_s, const uint8_t *data, size_t len,
		     struct fl_meta_echo *ret_echo)
{
	uint8_t block[FL_ECHO_BLOCK_LEN];
	struct fl_key *key;
	struct fl_meta meta;
	int err;

	if (len < sizeof(block))
		return -FL_DROP_META_MALFORMED;
	memcpy(block, data, sizeof(block));
	err = find_key(ring, unix_s, block, sizeof(block), &meta, &key);
	if (err < 0)
		return err;
	if (meta.has != (FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_ECHO)))
		return -FL_DROP_META_MALFORMED;
	if (meta.echo.reflected != 1)
		return -FL_DROP_META_UNEXPECTED;
	block[FL_ECHO_REFLECTED_OFFSET] = 0;
	if (len - sizeof(block) != (signs(key) ? FL_BFD_AUTH_DIGEST_LEN : 0) ||
	    !fl_hmac_verify(&key->bfd, block, sizeof(block), unix_s, data + sizeof(block)))
		return -FL_DROP_HMAC_MISMATCH;
	*ret_echo = meta.echo;
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* Metadata, encryption, padding and HMAC in their order: see seal.h. */
#include "agent/crypto/seal.h"

#include <errno.h>
#include <string.h>

/*
 * The block of @seal at @out, its payload section encrypted if the policy says so; @ret_encrypted
 * tells whether that was done.
 */
static int put_block(const struct fl_seal *seal, struct fl_key *key, struct fl_writer w,
		     bool *ret_encrypted)
{
	size_t room = (size_t)(w.end - w.pos);
	struct fl_meta meta = *seal->meta;
	uint8_t *out = w.pos;
	struct fl_meta_lens lens;
	int len;

	*ret_encrypted = false;
	if (fl_meta_has(&meta, FL_META_PAYLOAD_KEY) && !fl_keyring_encrypts(seal->ring))
		return -FL_DROP_INTERNAL;
	meta.security_id = key->id;
	if (fl_meta_build(&meta, &w, &lens) < 0)
		return -FL_DROP_INTERNAL;
	if (!lens.payload || !fl_keyring_encrypts(seal->ring))
		return (int)fl_meta_block_len(&lens);
	len = fl_cbc_encrypt(&key->cbc, out + lens.header, lens.payload, room - lens.header);
	if (len < 0 || len > FL_META_PAYLOAD_MAX)
		return -FL_DROP_INTERNAL;
	*ret_encrypted = true;
	fl_meta_set_payload_len(out, (uint16_t)len);
	return lens.header + len;
}

int fl_seal_block(const struct fl_seal *seal, uint8_t *out, size_t room)
{
	struct fl_key *key = fl_keyring_current(seal->ring, seal->unix_s);
	bool encrypted;

	return key ? put_block(seal, key, fl_writer(out, room), &encrypted) : -FL_DROP_KEY_UNKNOWN;
}

/* What goes before the payload: the block, or a fence if it is needed, or nothing. */
static int put_front(const struct fl_seal *seal, struct fl_key *key, struct fl_writer w,
		     bool *ret_encrypted)
{
	if (seal->meta)
		return put_block(seal, key, w, ret_encrypted);
	*ret_encrypted = false;
	if (!fl_meta_has_cookie(seal->payload, seal->payload_len))
		return 0;
	fl_write_bytes(&w, fl_meta_fence, sizeof(fl_meta_fence));
	return w.failed ? -FL_DROP_INTERNAL : (int)sizeof(fl_meta_fence);
}

/* P-08: a packet of which something is encrypted gets a pad byte, where that is agreed. */
static bool is_padded(bool block_encrypted, bool payload_encrypted, const struct fl_meta *meta)
{
	return block_encrypted || payload_encrypted ||
	       (meta && fl_meta_has(meta, FL_META_ENCRYPTED));
}

int fl_seal(const struct fl_seal *seal, uint8_t *out, size_t room)
{
	struct fl_key *key = fl_keyring_current(seal->ring, seal->unix_s);
	struct fl_writer w = fl_writer(out, room);
	uint8_t *mac;
	bool encrypted;
	int front;

	if (!key)
		return -FL_DROP_KEY_UNKNOWN;
	front = put_front(seal, key, w, &encrypted);
	if (front < 0)
		return front;
	if (!front && !seal->payload_len)
		return 0;
	w.pos += front;
	fl_write_bytes(&w, seal->payload, seal->payload_len);
	if (seal->pad && is_padded(encrypted, seal->payload_encrypted, seal->meta))
		fl_write_u8(&w, 0);
	mac = fl_write_room(&w, fl_keyring_hmac_len(seal->ring));
	if (!mac)
		return -FL_DROP_INTERNAL;
	fl_hmac_sign(&key->hmac, out, (size_t)(mac - out), seal->unix_s, mac);
	return (int)fl_writer_len(&w);
}

/* Base header and header TLVs: all that is read before the HMAC is known to hold. */
static int read_header(const uint8_t *data, size_t len, struct fl_meta_lens *lens,
		       struct fl_opened *opened)
{
	int err;

	*lens = (struct fl_meta_lens){ 0 };
	err = fl_meta_peek(data, len, lens);
	opened->has_meta = !err;
	if (err == -ENOENT)
		return 0;
	if (!err)
		err = fl_meta_parse_header(data, lens, &opened->meta);
	if (err < 0)
		return -(int)fl_meta_drop_reason(err);
	opened->fence = fl_meta_is_fence(lens);
	opened->block_len = fl_meta_block_len(lens);
	return 0;
}

/* The keys that the packet may be of: the one it names, or all that are accepted. */
static size_t find_keys(const struct fl_open *open, const struct fl_opened *opened,
			struct fl_key *keys[FL_KEY_CANDIDATES])
{
	bool keyless = !fl_keyring_hmac_len(open->ring) && !fl_keyring_encrypts(open->ring);

	if (keyless || !opened->has_meta || !fl_meta_has(&opened->meta, FL_META_SECURITY_ID))
		return fl_keyring_candidates(open->ring, open->unix_s, keys);
	keys[0] = fl_keyring_find(open->ring, opened->meta.security_id, open->unix_s);
	return keys[0] ? 1 : 0;
}

/* Find the key that the HMAC behind @len bytes of @data was made with. */
static int verify(const struct fl_open *open, const uint8_t *data, size_t len,
		  struct fl_opened *opened, struct fl_key **ret_key)
{
	struct fl_key *keys[FL_KEY_CANDIDATES] = { NULL };
	size_t count = find_keys(open, opened, keys);

	for (size_t i = 0; i < count; i++) {
		opened->match = fl_hmac_verify(&keys[i]->hmac, data, len, open->unix_s, data + len);
		if (opened->match) {
			opened->key_id = keys[i]->id;
			*ret_key = keys[i];
			return 0;
		}
	}
	return count ? -FL_DROP_HMAC_MISMATCH : -FL_DROP_KEY_UNKNOWN;
}

/* Decrypt and parse the payload section at @section. */
static int read_section(const struct fl_open *open, struct fl_key *key, uint8_t *section,
			size_t len, struct fl_opened *opened)
{
	bool encrypted = fl_keyring_encrypts(open->ring);
	int plain = (int)len, err;

	if (!len)
		return 0;
	if (encrypted)
		plain = fl_cbc_decrypt(&key->cbc, section, len);
	if (plain < 0)
		return -FL_DROP_DECRYPT;
	err = fl_meta_parse_payload(section, (size_t)plain, &opened->meta);
	if (err < 0)
		return -(int)fl_meta_drop_reason(err);
	/* P-44: a key that anyone on the way could have read is no key. */
	if (fl_meta_has(&opened->meta, FL_META_PAYLOAD_KEY) && !encrypted)
		return -FL_DROP_META_MALFORMED;
	return 0;
}

int fl_open_block(const struct fl_open *open, uint8_t *data, size_t len,
		  struct fl_opened *ret_opened)
{
	struct fl_key *keys[FL_KEY_CANDIDATES] = { NULL };
	struct fl_meta_lens lens;
	int err;

	memset(ret_opened, 0, offsetof(struct fl_opened, meta));
	err = read_header(data, len, &lens, ret_opened);
	if (err < 0)
		return err;
	if (!ret_opened->has_meta)
		return -FL_DROP_META_MALFORMED;
	if (!find_keys(open, ret_opened, keys))
		return -FL_DROP_KEY_UNKNOWN;
	ret_opened->key_id = keys[0]->id;
	ret_opened->payload = data + ret_opened->block_len;
	ret_opened->payload_len = len - ret_opened->block_len;
	return read_section(open, keys[0], data + lens.header, lens.payload, ret_opened);
}

int fl_open(const struct fl_open *open, uint8_t *data, size_t len, struct fl_opened *ret_opened)
{
	size_t mac_len = fl_keyring_hmac_len(open->ring);
	struct fl_opened *o = ret_opened;
	struct fl_meta_lens lens;
	struct fl_key *key;
	int err;

	memset(o, 0, offsetof(struct fl_opened, meta));
	o->payload = data;
	if (!len)
		return 0;
	if (len <= mac_len)
		return -FL_DROP_HMAC_MISMATCH;
	len -= mac_len;
	err = read_header(data, len, &lens, o);
	if (err < 0)
		return err;
	err = verify(open, data, len, o, &key);
	if (err < 0)
		return err;
	err = read_section(open, key, data + lens.header, lens.payload, o);
	if (err < 0)
		return err;
	o->payload = data + o->block_len;
	o->payload_len = len - o->block_len;
	if (!open->pad || !is_padded(lens.payload && fl_keyring_encrypts(open->ring),
				     open->payload_encrypted, o->has_meta ? &o->meta : NULL))
		return 0;
	if (!o->payload_len || o->payload[o->payload_len - 1])
		return -FL_DROP_DECRYPT;
	o->payload_len--;
	return 0;
}

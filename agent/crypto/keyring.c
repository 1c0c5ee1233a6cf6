// SPDX-License-Identifier: Apache-2.0
/* Keys of a security policy: see keyring.h. */
#include "agent/crypto/keyring.h"

#include <errno.h>
#include <string.h>

#include <sodium.h>

/* Keys by age, the oldest first; no two of equal age. */
struct fl_keyring {
	struct fl_key keys[FL_MAX_KEYS];
	size_t count;
	size_t hmac_len;
	bool encrypt;
};
/* sodium_malloc() aligns the end, so the start is aligned if the size is. */
_Static_assert(sizeof(struct fl_keyring) % 16 == 0, "alignment in sodium_malloc() memory");

static int key_init(const struct fl_security_cfg *cfg, const struct fl_key_cfg *from,
		    struct fl_key *key)
{
	int err;

	if (!from->id)
		return -EINVAL;
	if (cfg->hmac_mode != FL_HMAC_DISABLED &&
	    (from->hmac_key_len < FL_HMAC_KEY_MIN || from->hmac_key_len > FL_HMAC_KEY_MAX))
		return -EINVAL;
	key->id = from->id;
	key->not_before_s = from->not_before_s;
	err = fl_hmac_key_init(&key->hmac, cfg->hmac_alg, cfg->hmac_mode, from->hmac_key,
			       from->hmac_key_len);
	if (err < 0)
		return err;
	err = fl_hmac_key_init(&key->bfd, FL_HMAC_SHA256_128,
			       cfg->hmac_mode == FL_HMAC_DISABLED ? FL_HMAC_DISABLED
								  : FL_HMAC_REGULAR,
			       from->hmac_key, from->hmac_key_len);
	if (err < 0 || !cfg->encrypt)
		return err;
	return fl_cbc_init(&key->cbc, cfg->cipher, from->cipher_key, from->cipher_key_len);
}

static bool key_older(const struct fl_key_cfg *a, const struct fl_key_cfg *b)
{
	if (a->not_before_s != b->not_before_s)
		return a->not_before_s < b->not_before_s;
	return a->id < b->id;
}

/*
 * Fill @sorted with the keys of @cfg by age. Of keys that begin at the same time only the one with
 * the largest id is left: the others would be replaced at once. Returns how many, or an error.
 */
static int keys_sort(const struct fl_security_cfg *cfg, const struct fl_key_cfg *sorted[])
{
	int kept = 0;

	for (size_t i = 0; i < cfg->key_count; i++) {
		const struct fl_key_cfg *key = &cfg->keys[i];
		size_t at = i;

		for (; at > 0; at--) {
			if (!key_older(key, sorted[at - 1]))
				break;
			sorted[at] = sorted[at - 1];
		}
		sorted[at] = key;
		for (size_t j = 0; j < i; j++)
			if (cfg->keys[j].id == key->id)
				return -EEXIST;
	}
	for (size_t i = 0; i < cfg->key_count; i++) {
		if (kept && sorted[kept - 1]->not_before_s == sorted[i]->not_before_s)
			kept--;
		sorted[kept++] = sorted[i];
	}
	return kept;
}

int fl_keyring_new(const struct fl_security_cfg *cfg, struct fl_keyring **ret_ring)
{
	static const struct fl_key_cfg no_key = { .id = 1 };
	const struct fl_key_cfg *sorted[FL_MAX_KEYS] = { &no_key };
	struct fl_keyring *ring;
	int count, err;

	if (cfg->key_count > FL_MAX_KEYS)
		return -E2BIG;
	if (!cfg->key_count && (cfg->encrypt || cfg->hmac_mode != FL_HMAC_DISABLED))
		return -EINVAL;
	count = keys_sort(cfg, sorted);
	if (count < 0)
		return count;
	ring = sodium_malloc(sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	memset(ring, 0, sizeof(*ring));
	ring->encrypt = cfg->encrypt;
	ring->hmac_len = fl_hmac_len(cfg->hmac_alg, cfg->hmac_mode);
	ring->count = count ? (size_t)count : 1;
	for (size_t i = 0; i < ring->count; i++) {
		err = key_init(cfg, sorted[i], &ring->keys[i]);
		if (err < 0)
			goto fail;
	}
	*ret_ring = ring;
	return 0;
fail:
	fl_keyring_free(ring);
	return err;
}

void fl_keyring_free(struct fl_keyring *ring)
{
	if (!ring)
		return;
	for (size_t i = 0; i < ring->count; i++) {
		fl_cbc_done(&ring->keys[i].cbc);
		fl_hmac_key_done(&ring->keys[i].hmac);
		fl_hmac_key_done(&ring->keys[i].bfd);
	}
	sodium_free(ring); /* wipes */
}

/* Index of the newest active key, or -1. */
static int current_index(const struct fl_keyring *ring, uint64_t now_s)
{
	int i = (int)ring->count - 1;

	while (i >= 0 && ring->keys[i].not_before_s > now_s)
		i--;
	return i;
}

/* May a packet that arrives now be of key @i, if @current is the newest active one? */
static bool is_accepted(const struct fl_keyring *ring, int i, int current, uint64_t now_s)
{
	if (i == current)
		return true;
	if (i == current - 1)
		return now_s - ring->keys[current].not_before_s < FL_KEY_GRACE_S;
	if (i == current + 1)
		return ring->keys[i].not_before_s - now_s <= FL_KEY_EARLY_S;
	return false;
}

struct fl_key *fl_keyring_current(struct fl_keyring *ring, uint64_t now_s)
{
	int current = current_index(ring, now_s);

	return current < 0 ? NULL : &ring->keys[current];
}

struct fl_key *fl_keyring_find(struct fl_keyring *ring, uint32_t id, uint64_t now_s)
{
	int current = current_index(ring, now_s);

	for (int i = 0; i < (int)ring->count; i++)
		if (ring->keys[i].id == id && is_accepted(ring, i, current, now_s))
			return &ring->keys[i];
	return NULL;
}

size_t fl_keyring_candidates(struct fl_keyring *ring, uint64_t now_s,
			     struct fl_key *ret_keys[FL_KEY_CANDIDATES])
{
	int current = current_index(ring, now_s);
	const int order[FL_KEY_CANDIDATES] = { current, current - 1, current + 1 };
	size_t n = 0;

	for (size_t i = 0; i < FL_KEY_CANDIDATES; i++) {
		if (order[i] < 0 || order[i] >= (int)ring->count ||
		    !is_accepted(ring, order[i], current, now_s))
			continue;
		ret_keys[n++] = &ring->keys[order[i]];
	}
	return n;
}

bool fl_keyring_encrypts(const struct fl_keyring *ring)
{
	return ring->encrypt;
}

size_t fl_keyring_hmac_len(const struct fl_keyring *ring)
{
	return ring->hmac_len;
}

// SPDX-License-Identifier: Apache-2.0
/* Keyrings of a configuration: see rings.h. */
#include "agent/path/rings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const enum fl_hmac_alg hmac_algs[] = {
	[FL_CFG_HMAC_SHA1] = FL_HMAC_SHA1,     [FL_CFG_HMAC_SHA256_128] = FL_HMAC_SHA256_128,
	[FL_CFG_HMAC_SHA256] = FL_HMAC_SHA256, [FL_CFG_HMAC_SHA384] = FL_HMAC_SHA384,
	[FL_CFG_HMAC_SHA512] = FL_HMAC_SHA512,
};

static const enum fl_hmac_mode hmac_modes[] = {
	[FL_CFG_HMAC_DISABLED] = FL_HMAC_DISABLED,
	[FL_CFG_HMAC_REGULAR] = FL_HMAC_REGULAR,
	[FL_CFG_HMAC_TIME_BASED] = FL_HMAC_TIME_BASED,
};

static int make_ring(const struct fl_cfg_security *cfg, struct fl_keyring **ret_ring)
{
	struct fl_key_cfg keys[FL_MAX_KEYS];
	const struct fl_security_cfg ring = {
		.hmac_alg = hmac_algs[cfg->hmac_cipher],
		.hmac_mode = hmac_modes[cfg->hmac_mode],
		.cipher = cfg->encryption_cipher == FL_CFG_AES_CBC_256 ? FL_CIPHER_AES_CBC_256
								       : FL_CIPHER_AES_CBC_128,
		.encrypt = cfg->encrypt,
		.keys = keys,
		.key_count = cfg->n_key,
	};

	if (cfg->n_key > FL_MAX_KEYS)
		return -E2BIG;
	for (size_t i = 0; i < cfg->n_key; i++)
		keys[i] = (struct fl_key_cfg){
			.id = cfg->key[i].security_id,
			.not_before_s = cfg->key[i].not_before_s > 0
						? (uint64_t)cfg->key[i].not_before_s
						: 0,
			.hmac_key = cfg->key[i].hmac_key.bytes,
			.hmac_key_len = cfg->key[i].hmac_key.len,
			.cipher_key = cfg->key[i].encryption_key.bytes,
			.cipher_key_len = cfg->key[i].encryption_key.len,
		};
	return fl_keyring_new(&ring, ret_ring);
}

int fl_rings_new(const struct fl_config *config, struct fl_rings **ret_rings, char why[FL_WHY_TEXT])
{
	size_t count = config->authority.n_security;
	struct fl_rings *rings = calloc(1, sizeof(*rings) + count * sizeof(rings->ring[0]));
	int err;

	if (!rings)
		return -ENOMEM;
	rings->refs = 1;
	for (; rings->count < count; rings->count++) {
		const struct fl_cfg_security *cfg = &config->authority.security[rings->count];

		err = make_ring(cfg, &rings->ring[rings->count]);
		if (err < 0) {
			snprintf(why, FL_WHY_TEXT, "security policy %s: keys cannot be used: %s",
				 cfg->name, strerror(-err));
			fl_rings_put(rings);
			return err;
		}
	}
	*ret_rings = rings;
	return 0;
}

struct fl_rings *fl_rings_get(struct fl_rings *rings)
{
	rings->refs++;
	return rings;
}

void fl_rings_put(struct fl_rings *rings)
{
	if (!rings || --rings->refs)
		return;
	for (size_t i = 0; i < rings->count; i++)
		fl_keyring_free(rings->ring[i]);
	free(rings);
}

struct fl_keyring *fl_rings_at(const struct fl_rings *rings, int policy)
{
	return policy < 0 || (size_t)policy >= rings->count ? NULL : rings->ring[policy];
}

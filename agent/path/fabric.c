// SPDX-License-Identifier: Apache-2.0
/* The fabric as a whole: life, configuration, own addresses. See fabric.h. */
#include "agent/path/fabric.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/path/fabric_internal.h"

/* Numbers that an earlier process gave: names keep them. */
static void adopt_numbers(struct fl_fabric *f)
{
	for (uint32_t slot = 0; slot < FL_IFACE_SLOTS; slot++) {
		const struct fl_iface *iface = &f->tables->ifaces[slot];

		if (!iface->id || iface->id >= FL_MAX_IFACES)
			continue;
		f->netifs[iface->id].id = iface->id;
		memcpy(f->netifs[iface->id].name, iface->name, sizeof(iface->name));
	}
	for (uint16_t id = 1; id < FL_MAX_PEERS; id++) {
		if (!f->tables->peers[id].name[0])
			continue;
		f->peers[id].id = id;
		memcpy(f->peers[id].name, f->tables->peers[id].name, FL_NAME_LEN);
	}
}

int fl_fabric_new(struct fl_tables *tables, const struct fl_fabric_ops *ops, void *ctx,
		  struct fl_fabric **ret_fabric)
{
	struct fl_fabric *fabric = calloc(1, sizeof(*fabric));
	int err;

	if (!fabric)
		return -ENOMEM;
	fabric->tables = tables;
	fabric->ops = ops;
	fabric->ctx = ctx;
	adopt_numbers(fabric);
	err = fl_hops_adopt(fabric);
	if (err < 0) {
		fl_fabric_free(fabric);
		return err;
	}
	*ret_fabric = fabric;
	return 0;
}

static void free_rings(struct fl_keyring **rings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fl_keyring_free(rings[i]);
	free(rings);
}

void fl_fabric_free(struct fl_fabric *fabric)
{
	struct fl_link_entry *link, *link_tmp;
	struct fl_own_addr *own, *own_tmp;

	if (!fabric)
		return;
	fl_hops_free(fabric);
	HASH_ITER(hh, fabric->links, link, link_tmp) {
		HASH_DEL(fabric->links, link);
		free(link);
	}
	HASH_ITER(hh, fabric->own_addrs, own, own_tmp) {
		HASH_DEL(fabric->own_addrs, own);
		free(own);
	}
	free_rings(fabric->rings, fabric->n_rings);
	free(fabric);
}

/* --- keys ------------------------------------------------------------------------------------- */

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

static int make_rings(const struct fl_config *config, struct fl_keyring ***ret_rings,
		      char why[FL_WHY_TEXT])
{
	size_t count = config->authority.n_security;
	struct fl_keyring **rings = calloc(count ? count : 1, sizeof(*rings));
	int err;

	if (!rings)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		err = make_ring(&config->authority.security[i], &rings[i]);
		if (err < 0) {
			snprintf(why, FL_WHY_TEXT, "security policy %s: keys cannot be used: %s",
				 config->authority.security[i].name, strerror(-err));
			free_rings(rings, count);
			return err;
		}
	}
	*ret_rings = rings;
	return 0;
}

/* --- configuration ---------------------------------------------------------------------------- */

int fl_fabric_apply(struct fl_fabric *fabric, const struct fl_config *config, char why[FL_WHY_TEXT])
{
	struct fl_keyring **rings = NULL, **old_rings = fabric->rings;
	size_t old_count = fabric->n_rings;
	int err;

	err = fl_netifs_plan(fabric, config, why);
	if (!err)
		err = fl_peers_plan(fabric, config, why);
	if (!err)
		err = make_rings(config, &rings, why);
	if (err < 0)
		return err;
	fabric->config = config;
	fabric->rings = rings;
	fabric->n_rings = config->authority.n_security;
	fl_netifs_apply(fabric, config);
	fl_peers_apply(fabric, config);
	free_rings(old_rings, old_count);
	return 0;
}

/* --- own addresses ---------------------------------------------------------------------------- */

static struct fl_local_addr local_addr(const struct fl_addr *addr)
{
	struct fl_local_addr local = { .family = addr->family };

	memcpy(local.addr, addr->b, sizeof(local.addr));
	return local;
}

bool fl_fabric_is_local(const struct fl_fabric *fabric, const struct fl_addr *addr)
{
	struct fl_own_addr *own, *tmp;

	HASH_ITER(hh, fabric->own_addrs, own, tmp)
		if (own->key.family == addr->family && !memcmp(own->key.addr, addr->b, 16))
			return true;
	return false;
}

struct fl_addr fl_fabric_own_addr(const struct fl_fabric *fabric, uint32_t ifindex, uint8_t family)
{
	struct fl_own_addr *own, *tmp;

	HASH_ITER(hh, fabric->own_addrs, own, tmp)
		if (own->key.ifindex == ifindex && own->key.family == family &&
		    !(family == 6 && own->key.addr[0] == 0xfe && (own->key.addr[1] & 0xc0) == 0x80))
			return fl_addr_from(family, own->key.addr);
	return (struct fl_addr){ 0 };
}

void fl_fabric_addr(struct fl_fabric *fabric, uint32_t ifindex, const struct fl_addr *addr,
		    bool present)
{
	struct fl_local_addr local = local_addr(addr);
	struct fl_neigh_key key = { .ifindex = ifindex, .family = addr->family };
	struct fl_own_addr *own;

	memcpy(key.addr, addr->b, sizeof(key.addr));
	HASH_FIND(hh, fabric->own_addrs, &key, sizeof(key), own);
	if (present && !own) {
		own = calloc(1, sizeof(*own));
		if (!own)
			return;
		own->key = key;
		HASH_ADD(hh, fabric->own_addrs, key, sizeof(own->key), own);
	} else if (!present && own) {
		HASH_DEL(fabric->own_addrs, own);
		free(own);
	} else {
		return;
	}
	/* The same address may stand on two devices. */
	if (present || !fl_fabric_is_local(fabric, addr))
		fabric->tables->ops->local_addr(fabric->tables->ops_ctx, &local, present);
}

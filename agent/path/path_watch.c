// SPDX-License-Identifier: Apache-2.0
/*
 * What the data plane needs to measure paths on user packets: keys to prove marks with, the
 * profile, and the wall clock of time-based HMACs. See common/fpm_map.h.
 */
#include <string.h>

#include "agent/path/fabric_internal.h"

#define REFRESH_MS 1000

static enum fl_mac_mode mode_of(const struct fl_key *key)
{
	switch (key->hmac.mode) {
	case FL_HMAC_DISABLED:
		return FL_MAC_DISABLED;
	case FL_HMAC_REGULAR:
		return FL_MAC_REGULAR;
	case FL_HMAC_TIME_BASED:
		return FL_MAC_TIMED;
	}
	return FL_MAC_UNABLE;
}

/* A key in the data plane's form; FL_MAC_UNABLE if it has no use for it. */
static enum fl_mac_mode put_key(const struct fl_key *key, struct fl_mac_key *to)
{
	enum fl_mac_mode mode = mode_of(key);

	if (mode != FL_MAC_DISABLED && !fl_hmac_key_words(&key->hmac, to->inner, to->outer))
		return FL_MAC_UNABLE;
	return mode;
}

static void fill_keys(struct fl_keyring *tx, struct fl_keyring *rx, uint64_t now_s,
		      struct fl_path_keys *keys)
{
	struct fl_key *found[FL_KEY_CANDIDATES], *current;
	size_t count;

	current = tx ? fl_keyring_current(tx, now_s) : NULL;
	if (current) {
		keys->tx_mode = put_key(current, &keys->tx);
		keys->tx_len = (uint8_t)fl_keyring_hmac_len(tx);
	}
	count = rx ? fl_keyring_candidates(rx, now_s, found) : 0;
	_Static_assert(FL_KEY_CANDIDATES <= FL_MAC_RX_KEYS, "keys of a path");
	for (size_t i = 0; i < count; i++)
		keys->rx_mode = put_key(found[i], &keys->rx[i]);
	keys->rx_keys = (uint8_t)count;
	keys->rx_len = count ? (uint8_t)fl_keyring_hmac_len(rx) : 0;
}

static void publish_keys(struct fl_fabric *f, const struct fl_path_rt *path)
{
	struct fl_path_keys keys;

	memset(&keys, 0, sizeof(keys));
	fill_keys(path->tx_ring, f->netifs[path->iface].rx_ring, fl_wall_now_ns() / FL_NS_PER_S,
		  &keys);
	if (memcmp(&f->tables->keys[path->id], &keys, sizeof(keys)))
		f->tables->keys[path->id] = keys;
	explicit_bzero(&keys, sizeof(keys));
}

static void publish_clock(struct fl_fabric *f)
{
	f->tables->settings->wall_offset_ns = fl_wall_now_ns() - fl_mono_now().ns;
}

static struct fl_fpm_path settings_of(const struct fl_fabric *f, const struct fl_path_rt *path)
{
	struct fl_cfg_performance_profile profile;

	if (!fl_fabric_path_profile(f, path, &profile))
		return (struct fl_fpm_path){ 0 };
	return (struct fl_fpm_path){
		.cfg = { .interval_ns = profile.interval_duration_ms * FL_NS_PER_MS,
			 .marking_count = profile.marking_count },
		.jiffy_ns = f->tables->hz ? FL_NS_PER_S / f->tables->hz : 0,
	};
}

bool fl_path_watch_publish(struct fl_fabric *f, const struct fl_path_rt *path)
{
	struct fl_fpm_path settings = settings_of(f, path);

	publish_clock(f);
	publish_keys(f, path);
	if (memcmp(&f->tables->fpm_paths[path->id], &settings, sizeof(settings))) {
		f->tables->fpm_paths[path->id] = settings;
		/* When the next marks were due by the old ones may be long from now. */
		memset(f->tables->paths[path->id].fpm_due, 0, sizeof(f->tables->paths->fpm_due));
	}
	return settings.cfg.interval_ns && f->tables->keys[path->id].tx_mode != FL_MAC_UNABLE;
}

void fl_path_watch_clear(struct fl_fabric *f, uint16_t id)
{
	f->tables->fpm_paths[id] = (struct fl_fpm_path){ 0 };
	explicit_bzero(&f->tables->keys[id], sizeof(f->tables->keys[id]));
	/* What was measured on this one is nothing that the next one of this number has done. */
	for (uint32_t scope = 0; scope < FL_PATH_SCOPES; scope++)
		f->tables->ops->fpm_clear(f->tables->ops_ctx, fl_fpm_slot_of(id, scope));
}

void fl_path_watch_tick(struct fl_fabric *f)
{
	struct fl_mono now = fl_mono_now();

	if (!fl_mono_reached(now, f->watch_at))
		return;
	f->watch_at = fl_mono_add_ms(now, REFRESH_MS);
	for (uint16_t id = 1; id < FL_MAX_PATHS; id++) {
		uint8_t *flags = &f->tables->paths[id].tx_flags;

		if (!f->paths[id].cfg)
			continue;
		/* Keys come and go: without one, a path is not to be tried for every packet. */
		if (fl_path_watch_publish(f, &f->paths[id]))
			*flags |= FL_TX_FPM;
		else
			*flags &= (uint8_t)~FL_TX_FPM;
	}
}

bool fl_fabric_path_profile(const struct fl_fabric *fabric, const struct fl_path_rt *path,
			    struct fl_cfg_performance_profile *ret_profile)
{
	const struct fl_cfg_performance *cfg;

	if (!path || !path->cfg || !path->cfg->performance_monitoring.enabled)
		return false;
	cfg = &path->cfg->performance_monitoring;
	*ret_profile = (struct fl_cfg_performance_profile){ .marking_count = 100,
							    .interval_duration_ms = 10000 };
	if (cfg->profile != FL_CFG_NONE)
		*ret_profile =
			fabric->config->authority.performance_monitoring_profile[cfg->profile];
	return true;
}

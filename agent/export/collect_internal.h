/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the collector share. */
#ifndef FL_AGENT_EXPORT_COLLECT_INTERNAL_H
#define FL_AGENT_EXPORT_COLLECT_INTERNAL_H

#include "agent/base/hash.h"
#include "agent/base/u32set.h"
#include "agent/export/collect.h"
#include "agent/session/ratelimit.h"

/*
 * Where a session leaves the site: a path by its id, or an interface toward the Internet. The
 * number of both kinds together is an index of `ways`.
 */
#define FL_WAY_IFACE FL_MAX_PATHS
#define FL_WAYS      (FL_MAX_PATHS + FL_MAX_IFACES)

enum fl_collect_app {
	FL_APP_NONE,
	FL_APP_ZOOM,
	FL_APP_VPN,
};

/* What is known of a session record beside itself; zero: not looked at yet. */
struct fl_seen {
	uint64_t bytes; /* at the last look */
	uint16_t way;
	uint8_t app; /* enum fl_collect_app */
	bool known;
	bool told; /* there was a record of it */
	uint8_t reserved[3];
};

/* Sums of measures, and of how many. */
struct fl_measured {
	uint64_t latency_us, jitter_us, loss_ppm;
	uint32_t latencies, jitters, losses;
};

/* A way in the present minute. */
struct fl_way {
	bool active;
	bool used; /* sessions went by it, at some time */
	uint64_t zoom_bytes;
	/* Of this minute: link tests that ended in it, and FPM's figures second by second. */
	struct fl_mono burst_at;
	struct fl_measured bfd, fpm;
	/* State, for events. */
	bool known;
	bool up;
};

struct fl_meter {
	uint64_t rx, tx;
	struct fl_mono at; /* 0: not read yet */
	double rx_mbps, tx_mbps;
};

struct fl_moved {
	uint16_t path;
	int64_t at_s; /* 0: it did not move, that we know of */
};

/* How paths stood by the limits of a policy when they were last looked at. */
struct fl_level {
	uint16_t policy;                 /* name id */
	uint8_t standings[FL_MAX_PATHS]; /* enum fl_sla_standing */
};

struct fl_neigh_seen {
	struct fl_export_neighbour neighbour;
	uint32_t ifindex;
	bool told;
	bool named;        /* told with its name */
	UT_hash_handle hh; /* by neighbour.addr */
};

struct fl_collect {
	struct fl_tables *t;
	const struct fl_fabric *fabric;
	struct fl_store *store;
	const struct fl_choice *choice;
	const struct fl_collect_ops *ops;
	void *ctx;
	const struct fl_config *config;
	struct fl_mono now;
	int64_t now_s;
	int64_t minute;               /* being gathered; 0: none yet */
	int64_t started_s;            /* when we began to watch */
	uint32_t second_ticks;        /* until the next second */
	struct fl_seen *seen;         /* by session */
	uint32_t cursor;              /* session to look at next */
	uint8_t round;                /* of looks at all sessions */
	struct fl_ratelimit limit[2]; /* of records: of known applications, of others */
	uint64_t skipped;
	struct fl_u32set clients; /* of this minute, hashed */
	uint32_t client_count;
	struct fl_way ways[FL_WAYS];
	struct fl_meter meters[FL_MAX_IFACES];
	struct fl_moved vectors[FL_MAX_VECTORS];
	struct fl_level *levels; /* of service policies, as in the configuration; NULL: none */
	struct fl_neigh_seen *neighs;
	struct fl_neigh_seen *neigh_cursor;
};

/* collect_path.c */
void fl_collect_way_name(const struct fl_collect *c, uint16_t way, char name[FL_EXPORT_NAME_LEN]);
void fl_collect_watch_paths(struct fl_collect *c);
void fl_collect_sample_paths(struct fl_collect *c);
void fl_collect_read_meters(struct fl_collect *c);
void fl_collect_end_minute(struct fl_collect *c);

/* An event of now. */
void fl_collect_put_event(struct fl_collect *c, const char *severity, const char *kind,
			  const char *subject, const char *detail);

/* collect_level.c */
void fl_collect_configure_levels(struct fl_collect *c);
void fl_collect_watch_levels(struct fl_collect *c);

/* collect_session.c */
void fl_collect_look_at_sessions(struct fl_collect *c);

/* collect_neigh.c */
void fl_collect_repeat_neighs(struct fl_collect *c);
void fl_collect_free_neighs(struct fl_collect *c);

#endif

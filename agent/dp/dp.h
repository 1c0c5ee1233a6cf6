/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data plane as the agent holds it: BPF object, maps, pins, attachments, punted packets. The
 * only user of libbpf. Everything pinned outlives the process; a new one finds and adopts it.
 */
#ifndef FL_AGENT_DP_DP_H
#define FL_AGENT_DP_DP_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/tables.h"
#include "common/punt.h"

struct fl_dp;

struct fl_dp_cfg {
	const char *pin_dir;   /* below a bpffs, without the version; made if missing */
	uint32_t max_sessions; /* used when the maps are made; pinned ones keep their size */
};

/* Room for an explanation of what went wrong, for people. */
#define FL_DP_WHY 512

/**
 * fl_dp_open() - load the data plane, on pinned maps where they exist
 * @why: says what failed and what to do, on error
 *
 * Return: 0 or -errno: -EPERM (capabilities), -ENOENT (BTF or bpffs missing), -EINVAL (programs
 * refused).
 */
int fl_dp_open(const struct fl_dp_cfg *cfg, struct fl_dp **ret_dp, char why[FL_DP_WHY]);

/* Let go of everything; what is pinned stays and keeps forwarding. */
void fl_dp_close(struct fl_dp *dp);

/* Remove all pins and attachments below @pin_dir: forwarding ends. Return: 0 or -errno. */
int fl_dp_remove(const char *pin_dir);

/* The shared tables; valid until fl_dp_close(). */
struct fl_tables *fl_dp_tables(struct fl_dp *dp);

/* True if pinned maps were found and adopted. */
bool fl_dp_adopted(const struct fl_dp *dp);

/* Now, in the data plane's jiffies (low 32 bits). */
uint32_t fl_dp_jiffies(struct fl_dp *dp);

/* Bytes of kernel memory of a map by its name without the prefix ("flows"), 0 if there is none. */
uint64_t fl_dp_map_memory(struct fl_dp *dp, const char *name);

/* Counters of the data plane, summed over CPUs; arrays by enum. */
struct fl_dp_counters {
	uint64_t drops[FL_DROP_MAX];
	uint64_t stats[FL_STAT_MAX];
};

void fl_dp_counters(struct fl_dp *dp, struct fl_dp_counters *ret_counters);

/* --- attachments (attach.c) ------------------------------------------------------------------- */

struct fl_dp_attach {
	const char *ifname;
	uint32_t ifindex;
	bool want_xdp;
	bool allow_generic;
	bool host; /* this host's own traffic may open sessions */
};

/**
 * fl_dp_attach() - run the programs on a device
 * @why: says why not XDP, or what is in the way
 *
 * TC's ingress is attached in any case, for what XDP cannot send on; its egress where the host may
 * open sessions: it is for nothing else, and every packet sent would pass it. An attachment that is
 * there already is updated in place, never taken off.
 *
 * Return: FL_MODE_XDP, FL_MODE_XDP_GENERIC or FL_MODE_TC; -EBUSY if a foreign XDP program is there;
 * -EOPNOTSUPP if XDP was asked for and is not to be had; other -errno.
 */
int fl_dp_attach(struct fl_dp *dp, const struct fl_dp_attach *what, char why[FL_DP_WHY]);

/* Take the programs off a device again, whatever it is called now. One that is gone is no error. */
void fl_dp_detach(struct fl_dp *dp, uint32_t ifindex);

/* --- punted packets (events.c) ---------------------------------------------------------------- */

/* A punted packet, borrowed for the call. Return false to stop for now; this one counts as taken.
 */
typedef bool (*fl_punt_fn)(void *ctx, const struct fl_punt *punt);

/* A look at what may be the next packet, so that memory that it needs can be fetched meanwhile.
 * Only a hint: it need not come, or be one; what is in bounds is its length. */
typedef void (*fl_punt_ahead_fn)(void *ctx, const struct fl_punt *punt);

/* File descriptor to poll for packets of flows that exist (live) and for new sessions. */
int fl_dp_punt_fd(const struct fl_dp *dp, bool live);

/* From now on the data plane need not wake us for a punted packet: we look before we sleep. */
void fl_dp_awake(struct fl_dp *dp);

/**
 * fl_dp_may_sleep() - have the data plane wake us again
 *
 * Return: false if packets wait already, for which it may not do so: then we are awake as before,
 * and have to read them.
 */
bool fl_dp_may_sleep(struct fl_dp *dp);

/**
 * fl_dp_punt_read() - hand waiting packets to @fn until it says stop
 * @ahead: called before @fn with what lies behind its packet; may be NULL
 *
 * Return: packets handed over, or -errno.
 */
int fl_dp_punt_read(struct fl_dp *dp, bool live, fl_punt_fn fn, fl_punt_ahead_fn ahead, void *ctx);

#endif

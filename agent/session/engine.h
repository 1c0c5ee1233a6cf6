/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session engine: takes what the data plane hands up, opens, proves, signals and ends sessions,
 * and sends on the packets that started it. It works on the shared tables and on fl_io, and makes
 * no system call: tests drive it with a fake fl_io and a fake clock. Loop thread only.
 */
#ifndef FL_AGENT_SESSION_ENGINE_H
#define FL_AGENT_SESSION_ENGINE_H

#include "agent/path/fabric.h"
#include "agent/session/decide.h"
#include "agent/session/flows.h"
#include "agent/session/history.h"
#include "agent/session/install.h"
#include "agent/session/store.h"
#include "common/punt.h"

/* What the engine does to the world. */
struct fl_io {
	/* FL_TX_MAX_PACKET bytes to build the next packet in. */
	uint8_t *(*room)(void *ctx);
	/* Send what was built there. */
	void (*queue)(void *ctx, const struct fl_tx_to *to, size_t len);
	/* The data plane's clock, now. */
	uint32_t (*jiffies)(void *ctx);
	/* A session ends: its record and flows are still there. May be NULL. */
	void (*closing)(void *ctx, uint32_t id);
	uint32_t loopback_ifindex; /* where packets for this host's own stack are sent */
	void *ctx;
};

struct fl_engine;

/**
 * fl_engine_new() - take over the tables, with the sessions that are in them
 * @tables, @fabric: borrowed for the life of the engine
 * @io:              copied
 *
 * Return: 0 or -ENOMEM.
 */
int fl_engine_new(struct fl_tables *tables, struct fl_fabric *fabric, const struct fl_io *io,
		  struct fl_engine **ret_engine);

/* Sessions stay in the tables and go on. */
void fl_engine_free(struct fl_engine *engine);

/* Whatever can fail of fl_engine_configure(). Return: 0 or -ENOMEM; nothing has changed. */
int fl_engine_prepare(struct fl_engine *engine, const struct fl_config *config);

/**
 * fl_engine_configure() - work by another configuration
 * @config: the one that was prepared last, and that the fabric was just given; must outlive the
 *          next call
 *
 * Sessions whose interface or peer is gone, or that would now be denied, are ended, a part of them
 * at every tick.
 */
void fl_engine_configure(struct fl_engine *engine, const struct fl_config *config);

/* Before a batch of punts or a tick: what time is it. */
void fl_engine_begin(struct fl_engine *engine);

/* One packet from the data plane. */
void fl_engine_punt(struct fl_engine *engine, const struct fl_punt *punt);

/* A packet that may be the next: only has memory fetched that fl_engine_punt() would wait for. */
void fl_engine_ahead(const struct fl_engine *engine, const struct fl_punt *punt);

/**
 * fl_engine_tick() - timers: call every FL_ENGINE_TICK_MS
 *
 * Bounded work: returns true if there is more to do, and wants to be called again soon.
 */
bool fl_engine_tick(struct fl_engine *engine);
#define FL_ENGINE_TICK_MS 100

/**
 * fl_engine_mark() - send a mark of performance monitoring alone (svr-protocol.md 4, step 7)
 * @session: record; the packet goes on its waypoints, toward the peer of @path
 *
 * Return: false if there is no such session, or it goes by another path.
 */
bool fl_engine_mark(struct fl_engine *engine, uint32_t session, uint16_t path, uint8_t tos,
		    const struct fl_fpm_mark *mark);

/* A next hop has become usable: packets that waited for it go out. */
void fl_engine_hop_up(struct fl_engine *engine, uint16_t hop);

/* Routes have changed: sessions whose way out is another now are turned, a part at every tick. */
void fl_engine_routes_changed(struct fl_engine *engine);

/* A path can be used, or no longer: sessions that have to move do so at once. */
void fl_engine_paths_changed(struct fl_engine *engine);
/*
 * A peer has lost its sessions, or a path leads by another NAT now: sessions there are signalled
 * anew with their next packet, a part of them at every tick (svr-protocol.md 3.3).
 */
void fl_engine_resignal_peer(struct fl_engine *engine, uint16_t peer);
void fl_engine_resignal_path(struct fl_engine *engine, uint16_t path);

/* --- administration --------------------------------------------------------------------------- */

/* End a session, telling peers. Return: 0 or -ENOENT. */
int fl_engine_clear(struct fl_engine *engine, const uint8_t uuid[16]);

/* End all sessions. Return: how many. */
size_t fl_engine_clear_all(struct fl_engine *engine);

struct fl_store *fl_engine_store(struct fl_engine *engine);
struct fl_flows *fl_engine_flows(struct fl_engine *engine);
const struct fl_fib *fl_engine_fib(const struct fl_engine *engine);

/* What decisions are made by at present. */
struct fl_deciding fl_engine_deciding(const struct fl_engine *engine);
struct fl_choice *fl_engine_choice(struct fl_engine *engine);
const struct fl_history *fl_engine_history(const struct fl_engine *engine);

/* The record of a session's decision, 0 if it is older than this process. */
uint32_t fl_engine_decision_of(const struct fl_engine *engine, uint32_t id);

/* The question that a session's first packet was, as it would be asked today. */
void fl_engine_question(struct fl_engine *engine, uint32_t id, struct fl_question *ret_question);

/* Milliseconds until a session would be ended if it stayed idle. */
uint64_t fl_engine_time_left_ms(struct fl_engine *engine, uint32_t id);

/* Waypoint pairs in use toward a peer: UDP and TCP. */
void fl_engine_waypoints(const struct fl_engine *engine, uint16_t peer, uint32_t ret_live[2]);

/* Sessions that the peer has opened against the rule of parity (P-27). */
uint64_t fl_engine_without_parity(const struct fl_engine *engine, uint16_t peer);

/* Heap that the engine holds, by part, for `show stats`. */
struct fl_engine_memory {
	size_t flows;
	size_t store;
	size_t waypoints;
	size_t deadlines;
	size_t other;
};

void fl_engine_memory(const struct fl_engine *engine, struct fl_engine_memory *ret_memory);

#endif

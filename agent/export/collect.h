/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is worth telling of this router, from the tables that it forwards by: minutes of paths,
 * sessions that were opened here, neighbours, and what became of paths and vectors. Looks at a part
 * of the sessions at every tick; makes no system call itself. Loop thread only.
 */
#ifndef FL_AGENT_EXPORT_COLLECT_H
#define FL_AGENT_EXPORT_COLLECT_H

#include "agent/codec/export.h"
#include "agent/path/fabric.h"
#include "agent/session/choice.h"
#include "agent/session/store.h"

struct fl_collect_ops {
	/* Take a record. */
	void (*put)(void *ctx, const struct fl_export_record *record);
	/* Bytes that a device has received and sent. Return: 0 or -errno. */
	int (*link_bytes)(void *ctx, uint32_t ifindex, uint64_t *ret_rx, uint64_t *ret_tx);
	/* What a host calls itself; NULL: not known. */
	const char *(*host_name)(void *ctx, const struct fl_addr *addr, const uint8_t mac[6]);
};

struct fl_collect;

/* What is watched: borrowed for the life of the collector. */
struct fl_collect_view {
	struct fl_tables *tables;
	const struct fl_fabric *fabric;
	struct fl_store *store;
	const struct fl_choice *choice;
};

/**
 * fl_collect_new() - begin to watch
 * @view: copied
 * @ops:  borrowed for the life of the object
 *
 * Return: 0 or -ENOMEM.
 */
int fl_collect_new(const struct fl_collect_view *view, const struct fl_collect_ops *ops, void *ctx,
		   struct fl_collect **ret_collect);
void fl_collect_free(struct fl_collect *collect); /* takes NULL */

/* By another configuration; must outlive the next call. */
void fl_collect_configure(struct fl_collect *collect, const struct fl_config *config);

/* Every FL_COLLECT_TICK_MS. */
void fl_collect_tick(struct fl_collect *collect);
#define FL_COLLECT_TICK_MS 100

/* A session ends: its flows are still there. */
void fl_collect_closing(struct fl_collect *collect, uint32_t session);

/* The kernel's table has a neighbour, or has it no more. */
void fl_collect_neigh(struct fl_collect *collect, const struct fl_neigh *neigh);

/* Session records left out because there were more than `records-per-second`. */
uint64_t fl_collect_skipped(const struct fl_collect *collect);

#endif

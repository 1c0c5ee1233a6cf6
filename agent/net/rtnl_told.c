// SPDX-License-Identifier: Apache-2.0
/*
 * What the users of rtnetlink believe to exist. When events were lost, a dump says what is there,
 * and nothing says what has gone: that is what was told once and is not told again.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/net/rtnl_internal.h"

static struct fl_rtnl_told *find(struct fl_rtnl *rtnl, const struct fl_rtnl_key *key)
{
	struct fl_rtnl_told *told;

	HASH_FIND(hh, rtnl->told, key, sizeof(*key), told);
	return told;
}

void fl_rtnl_note(struct fl_rtnl *rtnl, const struct fl_rtnl_key *key, bool exists)
{
	struct fl_rtnl_told *told = find(rtnl, key);

	if (told && !exists) {
		HASH_DEL(rtnl->told, told);
		free(told);
		return;
	}
	if (!told && exists) {
		told = calloc(1, sizeof(*told));
		if (!told)
			return;
		told->key = *key;
		HASH_ADD(hh, rtnl->told, key, sizeof(told->key), told);
	}
	if (told)
		told->round = rtnl->round;
}

static void tell_gone(struct fl_rtnl *rtnl, const struct fl_rtnl_key *key)
{
	const struct fl_link link = { .ifindex = key->ifindex, .removed = true };
	const struct fl_neigh neigh = { .ifindex = key->ifindex,
					.addr = key->addr,
					.failed = true };
	const struct fl_addr none = { 0 };

	if (key->kind == FL_RTNL_LINK)
		rtnl->events->link(rtnl->ctx, &link);
	else if (key->kind == FL_RTNL_ADDR)
		rtnl->events->addr(rtnl->ctx, key->ifindex, &key->addr, &none, false);
	else
		rtnl->events->neigh(rtnl->ctx, &neigh);
}

/*
 * The kernel says when a dump of links or addresses was interrupted by a change, but not for
 * neighbours, whose table may grow meanwhile: one that was not in the dump is asked for by name.
 */
static bool is_there(struct fl_rtnl *rtnl, const struct fl_rtnl_key *key)
{
	return key->kind == FL_RTNL_NEIGH && fl_rtnl_has_neigh(rtnl, key->ifindex, &key->addr);
}

void fl_rtnl_sweep(struct fl_rtnl *rtnl, enum fl_rtnl_kind kind)
{
	struct fl_rtnl_told *told, *next;

	HASH_ITER(hh, rtnl->told, told, next) {
		struct fl_rtnl_key key = told->key;

		if (key.kind != kind || told->round == rtnl->round || is_there(rtnl, &key))
			continue;
		fl_rtnl_note(rtnl, &key, false);
		tell_gone(rtnl, &key);
	}
}

void fl_rtnl_forget(struct fl_rtnl *rtnl)
{
	struct fl_rtnl_told *told, *next;

	HASH_ITER(hh, rtnl->told, told, next) {
		HASH_DEL(rtnl->told, told);
		free(told);
	}
}

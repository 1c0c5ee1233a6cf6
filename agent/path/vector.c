// SPDX-License-Identifier: Apache-2.0
/*
 * Vectors: what flows name instead of a path (design.md 2). All sessions of a vector move with one
 * write. One write is also what the data plane sees: a reader that finds the new path and the old
 * previous one, or the other way round, drops a packet at worst.
 */
#include <string.h>

#include "agent/path/fabric_internal.h"
#include "agent/path/sla.h"

static bool has_key(const struct fl_vector *v, const struct fl_vector_key *key)
{
	return v->peer == key->peer && v->policy == key->policy && v->group == key->group;
}

static bool is_free(const struct fl_fabric *f, uint16_t id, uint32_t refs_at_most)
{
	return !f->tables->vectors[id].peer || f->vector_refs[id] <= refs_at_most;
}

/* Serial number of a vector's moves: it grows, also over restarts and with a new use. */
static void renumber(struct fl_fabric *f, uint16_t id)
{
	uint32_t wall_ds = (uint32_t)(fl_wall_now_ns() / (100 * FL_NS_PER_MS));

	f->vector_seq[id]++;
	if (f->vector_seq[id] == 1 || (int32_t)(wall_ds - f->vector_seq[id]) > 0)
		f->vector_seq[id] = wall_ds;
}

uint32_t fl_fabric_vector_seq(struct fl_fabric *fabric, uint16_t vector)
{
	if (!fabric->vector_seq[vector])
		renumber(fabric, vector);
	return fabric->vector_seq[vector];
}

void fl_fabric_vector_renumber(struct fl_fabric *fabric, uint16_t vector)
{
	fabric->vector_seq[vector] = fl_fabric_vector_seq(fabric, vector) + 1;
}

uint16_t fl_fabric_vector(struct fl_fabric *fabric, const struct fl_vector_key *key, uint16_t path)
{
	struct fl_vector *vectors = fabric->tables->vectors;
	uint16_t fresh = 0, used = 0;

	/* Low numbers first: every new session comes by here, and nearly always finds its vector.
	 */
	for (uint16_t id = 1; id < FL_MAX_VECTORS; id++) {
		const struct fl_vector *v = &vectors[id];

		if (has_key(v, key) && v->home_path == path && v->path == path)
			return id;
		/* Sessions of a path that is gone may still name it. */
		if (!fresh && !v->peer && !fabric->vector_refs[id])
			fresh = id;
		if (!used && is_free(fabric, id, 0) && v->peer)
			used = id;
	}
	if (!fresh)
		fresh = used;
	if (!fresh)
		return 0;
	renumber(fabric, fresh);
	vectors[fresh] = (struct fl_vector){ .path = path,
					     .peer = key->peer,
					     .policy = key->policy,
					     .home_path = path,
					     .group = key->group };
	return fresh;
}

uint16_t fl_fabric_vector_of_group(const struct fl_fabric *fabric, const struct fl_vector_key *key)
{
	for (uint16_t id = 1; id < FL_MAX_VECTORS; id++)
		if (has_key(&fabric->tables->vectors[id], key))
			return id;
	return 0;
}

void fl_fabric_vector_get(struct fl_fabric *fabric, uint16_t vector)
{
	if (vector)
		fabric->vector_refs[vector]++;
}

void fl_fabric_vector_put(struct fl_fabric *fabric, uint16_t vector)
{
	if (vector)
		fabric->vector_refs[vector]--;
}

uint32_t fl_fabric_vector_refs(const struct fl_fabric *fabric, uint16_t vector)
{
	return fabric->vector_refs[vector];
}

void fl_fabric_vector_accept(struct fl_fabric *fabric, uint16_t vector, uint16_t path, uint32_t now)
{
	struct fl_vector *v = &fabric->tables->vectors[vector];

	v->prev_path = path;
	v->prev_until = now + FL_VECTOR_KEEP_S * fabric->tables->hz;
}

void fl_fabric_vector_move(struct fl_fabric *fabric, uint16_t vector, uint16_t path, uint32_t now)
{
	struct fl_vector *v = &fabric->tables->vectors[vector];

	fl_fabric_vector_renumber(fabric, vector);
	/* One that has lost its path remembers that one as it is. */
	if (v->path)
		fl_fabric_vector_accept(fabric, vector, v->path, now);
	if (!v->home_path)
		v->home_path = path;
	__atomic_store_n(&v->path, path, __ATOMIC_RELEASE);
}

bool fl_fabric_vector_expects(const struct fl_fabric *fabric, uint16_t vector, uint16_t path,
			      uint32_t now)
{
	const struct fl_vector *v = &fabric->tables->vectors[vector];

	return v->path == path || (v->prev_path == path && (int32_t)(v->prev_until - now) > 0);
}

uint16_t fl_fabric_vector_last(const struct fl_fabric *fabric, uint16_t vector)
{
	const struct fl_vector *v = &fabric->tables->vectors[vector];

	return v->path ? v->path : v->prev_path;
}

bool fl_vectors_lose_path(struct fl_fabric *f, uint16_t path)
{
	bool awaited = false;

	for (uint16_t id = 1; id < FL_MAX_VECTORS; id++) {
		struct fl_vector *v = &f->tables->vectors[id];

		if (v->path == path && !f->vector_refs[id] && !f->adopting) {
			*v = (struct fl_vector){ 0 };
		} else if (v->path == path) {
			v->prev_path = path;
			__atomic_store_n(&v->path, 0, __ATOMIC_RELEASE);
		}
		/* Those that only began there go on where they are. */
		if (v->home_path == path)
			v->home_path = v->path;
		awaited |= v->prev_path == path;
	}
	return awaited;
}

void fl_vectors_forget_path(struct fl_fabric *f, uint16_t path)
{
	for (uint16_t id = 1; id < FL_MAX_VECTORS; id++)
		if (f->tables->vectors[id].prev_path == path)
			f->tables->vectors[id].prev_path = 0;
}

uint32_t fl_fabric_path_cost(const struct fl_path_rt *path,
			     const struct fl_cfg_service_policy *policy)
{
	uint32_t best = FL_SLA_UNLISTED;

	if (!policy || !policy->n_vector)
		return 0;
	for (size_t i = 0; i < policy->n_vector; i++)
		for (size_t j = 0; j < path->cfg->n_vector; j++) {
			if (strcmp(policy->vector[i].name, path->cfg->vector[j]))
				continue;
			if (policy->vector[i].cost == FL_CFG_PRIORITY_NEVER)
				return FL_SLA_NEVER;
			if (policy->vector[i].cost < best)
				best = policy->vector[i].cost;
		}
	/* A path with none of the policy's vectors comes after all listed ones (6.2). */
	return best;
}

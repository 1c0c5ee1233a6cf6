// SPDX-License-Identifier: Apache-2.0
/* Rings of what was decided: see history.h. */
#include "agent/session/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_SLOTS 8192 /* of decisions by their content; a power of two above their number */

struct fl_history {
	struct fl_history_decision decisions[FL_HISTORY_DECISIONS];
	struct fl_history_opening openings[FL_HISTORY_OPENINGS];
	struct fl_history_move moves[FL_HISTORY_MOVES];
	uint32_t by_content[HASH_SLOTS]; /* the last decision with that hash; it may be gone */
	uint32_t last_decision;
	uint32_t last_found; /* the decision that the last session was opened by */
	uint32_t last_opening;
	uint32_t last_move;
};

int fl_history_new(struct fl_history **ret_history)
{
	struct fl_history *history = calloc(1, sizeof(*history));

	if (!history)
		return -ENOMEM;
	*ret_history = history;
	return 0;
}

void fl_history_free(struct fl_history *history)
{
	free(history);
}

/* --- decisions -------------------------------------------------------------------------------- */

/* Where the content of a record begins and ends: what makes two of them alike. */
#define CONTENT_FROM offsetof(struct fl_history_decision, policy)

static size_t content_len(const struct fl_history_decision *record)
{
	return offsetof(struct fl_history_decision, candidate) - CONTENT_FROM +
	       record->n_paths * sizeof(record->candidate[0]);
}

static const uint8_t *content_of(const struct fl_history_decision *record)
{
	return (const uint8_t *)record + CONTENT_FROM;
}

static struct fl_history_decision *slot_of(struct fl_history *history, uint32_t seq)
{
	return &history->decisions[seq % FL_HISTORY_DECISIONS];
}

/* Is @slot still the record with that number, and of the same content? */
static bool is_alike(const struct fl_history_decision *slot, uint32_t seq,
		     const struct fl_history_decision *fresh)
{
	return seq && slot->seq == seq &&
	       memcmp(content_of(slot), content_of(fresh), content_len(fresh)) == 0;
}

static uint32_t hash_of(const struct fl_history_decision *record)
{
	const uint8_t *p = content_of(record);
	size_t len = content_len(record);
	uint64_t h = 0, word;

	for (size_t i = 0; i < len; i += sizeof(word)) {
		word = 0;
		memcpy(&word, p + i, len - i < sizeof(word) ? len - i : sizeof(word));
		h = (h ^ word) * 0x9E3779B97F4A7C15ULL;
		h ^= h >> 29;
	}
	return (uint32_t)(h >> 32) % HASH_SLOTS;
}

/* Member by member into zeroed memory: padding must not make a difference. */
static void copy_path(const struct fl_sla_path *from, struct fl_sla_path *to)
{
	to->id = from->id;
	to->peer = from->peer;
	to->kind = from->kind;
	to->from_route = from->from_route;
	to->up = from->up;
	to->held_down = from->held_down;
	to->monitor_only = from->monitor_only;
	to->vector_cost = from->vector_cost;
	to->cost = from->cost;
	to->standing = from->standing;
	memcpy(&to->bfd, &from->bfd, sizeof(to->bfd));
	memcpy(&to->fpm, &from->fpm, sizeof(to->fpm));
	memcpy(&to->load, &from->load, sizeof(to->load));
}

static void copy_verdict(const struct fl_sla_verdict *from, struct fl_sla_verdict *to)
{
	to->reason = from->reason;
	memcpy(&to->quality, &from->quality, sizeof(to->quality));
	to->fpm = from->fpm;
	to->breaks = from->breaks;
	to->unmeasured = from->unmeasured;
	to->violates = from->violates;
	to->mos_x100 = from->mos_x100;
	to->rank = from->rank;
}

static void copy_limits(const struct fl_sla_policy *from, struct fl_sla_policy *to)
{
	to->strategy = from->strategy;
	to->criterion = from->criterion;
	to->quality_filter = from->quality_filter;
	to->best_effort = from->best_effort;
	to->max_loss_ppm = from->max_loss_ppm;
	to->max_latency_us = from->max_latency_us;
	to->max_jitter_us = from->max_jitter_us;
	to->min_mos_x100 = from->min_mos_x100;
}

static void fill(struct fl_history_decision *record, const struct fl_sla_decision *d,
		 uint16_t policy, const uint16_t *routes)
{
	record->policy = policy;
	record->result = (uint8_t)d->result;
	record->chosen = -1;
	record->only_peer = d->in.only_peer;
	record->avoid_peer = d->in.avoid_peer;
	copy_limits(&d->in.policy, &record->limits);
	for (size_t i = 0; i < d->in.n_paths; i++) {
		bool taken = (int)i == d->chosen;
		uint8_t n = record->n_paths;

		/* The last place is the chosen one's, if it has not come yet. */
		if (n == FL_HISTORY_PATHS ||
		    (n == FL_HISTORY_PATHS - 1 && !taken && record->chosen < 0 && d->chosen >= 0)) {
			record->left_out++;
			continue;
		}
		copy_path(&d->in.path[i], &record->candidate[n].path);
		copy_verdict(&d->verdict[i], &record->candidate[n].verdict);
		record->candidate[n].route = routes ? routes[i] : 0;
		if (taken)
			record->chosen = (int8_t)n;
		record->n_paths++;
	}
}

/* The record of what is alike, or where it would have to be remembered. */
static struct fl_history_decision *
find_alike(struct fl_history *history, const struct fl_history_decision *fresh, uint32_t **ret_seq)
{
	struct fl_history_decision *slot;

	/* Most sessions are decided like the one before. */
	*ret_seq = &history->last_found;
	slot = slot_of(history, **ret_seq);
	if (is_alike(slot, **ret_seq, fresh))
		return slot;
	*ret_seq = &history->by_content[hash_of(fresh)];
	slot = slot_of(history, **ret_seq);
	return is_alike(slot, **ret_seq, fresh) ? slot : NULL;
}

uint32_t fl_history_decision(struct fl_history *history, const struct fl_sla_decision *decision,
			     uint16_t policy, const uint16_t *routes, struct fl_mono now)
{
	static struct fl_history_decision fresh;
	struct fl_history_decision *slot;
	uint32_t *seq;

	memset(&fresh, 0, sizeof(fresh));
	fill(&fresh, decision, policy, routes);
	slot = find_alike(history, &fresh, &seq);
	if (!slot) {
		*seq = ++history->last_decision;
		slot = slot_of(history, *seq);
		fresh.seq = *seq;
		fresh.first = now;
		memcpy(slot, &fresh, sizeof(*slot));
	}
	history->last_found = *seq;
	slot->last = now;
	slot->sessions++;
	return *seq;
}

const struct fl_history_decision *fl_history_find_decision(const struct fl_history *history,
							   uint32_t seq)
{
	const struct fl_history_decision *d = &history->decisions[seq % FL_HISTORY_DECISIONS];

	return seq && d->seq == seq ? d : NULL;
}

void fl_history_restore(const struct fl_history_decision *record,
			struct fl_sla_decision *ret_decision)
{
	struct fl_sla_decision *d = ret_decision;

	memset(d, 0, sizeof(*d));
	d->in.policy = record->limits;
	d->in.only_peer = record->only_peer;
	d->in.avoid_peer = record->avoid_peer;
	d->in.n_paths = record->n_paths;
	d->result = (enum fl_sla_result)record->result;
	d->chosen = record->chosen;
	for (size_t i = 0; i < record->n_paths; i++) {
		d->in.path[i] = record->candidate[i].path;
		d->verdict[i] = record->candidate[i].verdict;
	}
}

/* --- openings and moves ----------------------------------------------------------------------- */

void fl_history_opening(struct fl_history *history, struct fl_history_opening *opening)
{
	opening->seq = ++history->last_opening;
	history->openings[opening->seq % FL_HISTORY_OPENINGS] = *opening;
}

void fl_history_move(struct fl_history *history, struct fl_history_move *move)
{
	move->seq = ++history->last_move;
	history->moves[move->seq % FL_HISTORY_MOVES] = *move;
}

const struct fl_history_opening *fl_history_find_opening(const struct fl_history *history,
							 uint32_t seq)
{
	const struct fl_history_opening *o = &history->openings[seq % FL_HISTORY_OPENINGS];

	return seq && o->seq == seq ? o : NULL;
}

const struct fl_history_move *fl_history_find_move(const struct fl_history *history, uint32_t seq)
{
	const struct fl_history_move *m = &history->moves[seq % FL_HISTORY_MOVES];

	return seq && m->seq == seq ? m : NULL;
}

uint32_t fl_history_last_opening(const struct fl_history *history)
{
	return history->last_opening;
}

uint32_t fl_history_last_move(const struct fl_history *history)
{
	return history->last_move;
}

const char *fl_move_cause_text(enum fl_move_cause cause)
{
	switch (cause) {
	case FL_MOVE_PATH_DOWN:
		return "path down";
	case FL_MOVE_SERVICE_LEVEL:
		return "service level";
	case FL_MOVE_FAILBACK:
		return "failback";
	case FL_MOVE_BY_PEER:
		return "by the peer";
	}
	return "unknown";
}

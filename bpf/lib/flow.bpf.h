/* SPDX-License-Identifier: GPL-2.0 */
/* Flow lookup: hashed buckets first, the index for what does not fit them (common/flow.h). */
#ifndef FL_BPF_FLOW_H
#define FL_BPF_FLOW_H

#include "bpf/lib/cfg.bpf.h"
#include "bpf/maps.bpf.h"

/* A slot found, and its number. */
struct fl_found {
	struct fl_flow *flow;
	__u32 slot;
};

/* The two words that a slot's key is compared by. */
struct fl_key_words {
	__u64 addrs;
	__u64 rest;
};

static __always_inline __u64 fl_key_rest(__u32 ports, __u16 scope, __u8 proto,
					 enum fl_key_kind kind)
{
	return (__u64)ports | (__u64)scope << 32 | (__u64)proto << 48 | (__u64)kind << 56;
}

static __always_inline bool fl_slot_is(const struct fl_flow *flow, const struct fl_key_words *key)
{
	const fl_u64_al *w = (const fl_u64_al *)&flow->key;

	return w[1] == key->rest && w[0] == key->addrs;
}

/* A slot by its number, as fl_flow_index and session records give it. */
static __always_inline struct fl_flow *fl_flow_at(__u32 slot)
{
	return bpf_map_lookup_elem(&fl_flows, &slot);
}

/*
 * Look a key up in the index. The frame of a caller that every packet passes stays small: the wide
 * key lives in the frame of whoever builds it.
 */
static __always_inline struct fl_flow *fl_find_wide(const struct fl_wide_key *key, __u32 *slot)
{
	__u32 *found = bpf_map_lookup_elem(&fl_flow_index, key);

	if (!found)
		return NULL;
	*slot = *found;
	return fl_flow_at(*found);
}

static __noinline struct fl_flow *fl_flow_find_spilled(__u64 addrs, __u64 rest, __u32 *slot)
{
	__u32 group = fl_flow_bucket(fl_flow_hash(addrs, rest, fl_hash_seed), fl_hash_buckets) %
		      FL_SPILL_GROUPS;
	const __u64 *spilled = bpf_map_lookup_elem(&fl_spilled, &group);
	struct fl_wide_key wide = {};

	if (!spilled || !*spilled)
		return NULL;
	*(fl_u32_al *)wide.saddr = (__u32)addrs;
	*(fl_u32_al *)wide.daddr = (__u32)(addrs >> 32);
	*(fl_u64_al *)&wide.dport = rest;
	return fl_find_wide(&wide, slot);
}

static __always_inline bool fl_slot_try(__u32 slot, const struct fl_key_words *key,
					struct fl_found *found)
{
	struct fl_flow *flow = fl_flow_at(slot);

	if (!flow || !fl_slot_is(flow, key))
		return false;
	found->flow = flow;
	found->slot = slot;
	return true;
}

/**
 * fl_flow_find() - flow of an IPv4 or peer key, in the buckets
 * @key:   words as a slot holds them
 * @found: filled on success
 *
 * Looks at the home slot first, which saves most packets the line of tags. Of those with the same
 * tag it tries two (FL_TAG_TRIES): a bucket with three equal tags is one in a thousand, and the
 * agent puts the third flow into the index.
 *
 * Return: true if it is there; else fl_flow_find_spilled() has the last word.
 */
static __always_inline bool fl_flow_find(const struct fl_key_words *key, struct fl_found *found)
{
	__u64 hash = fl_flow_hash(key->addrs, key->rest, fl_hash_seed);
	__u32 home = fl_flow_home(hash, fl_hash_buckets), bucket = home / FL_BUCKET_SLOTS;
	const __u64 *tags;
	__u64 match;

	if (fl_slot_try(home, key, found))
		return true;
	tags = bpf_map_lookup_elem(&fl_tags, &bucket);
	if (!tags)
		return false;
	match = fl_tags_match(*tags, fl_flow_tag(hash));
	if (!match)
		return false;
	if (fl_slot_try(bucket * FL_BUCKET_SLOTS + fl_tags_first(match), key, found))
		return true;
	match &= match - 1;
	return match && fl_slot_try(bucket * FL_BUCKET_SLOTS + fl_tags_first(match), key, found);
}

#endif

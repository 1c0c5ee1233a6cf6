// SPDX-License-Identifier: Apache-2.0
/* Maps that are not mapped memory, and the counters. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fairlead.skel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/dp/dp_internal.h"

#define FD(map) bpf_map__fd(((struct fl_dp *)ctx)->skel->maps.map)

static int op_index_insert(void *ctx, const struct fl_wide_key *key, uint32_t slot)
{
	return bpf_map_update_elem(FD(fl_flow_index), key, &slot, BPF_NOEXIST);
}

static int op_index_remove(void *ctx, const struct fl_wide_key *key)
{
	return bpf_map_delete_elem(FD(fl_flow_index), key);
}

static int op_index_lookup(void *ctx, const struct fl_wide_key *key, uint32_t *ret_slot)
{
	return bpf_map_lookup_elem(FD(fl_flow_index), key, ret_slot);
}

static int op_path6_set(void *ctx, const struct fl_path6_key *key, uint32_t path)
{
	return bpf_map_update_elem(FD(fl_path_lookup6), key, &path, BPF_ANY);
}

static int op_path6_clear(void *ctx, const struct fl_path6_key *key)
{
	return bpf_map_delete_elem(FD(fl_path_lookup6), key);
}

static int op_deny(void *ctx, const struct fl_wide_key *key, const struct fl_denial *denial)
{
	return bpf_map_update_elem(FD(fl_denials), key, denial, BPF_ANY);
}

static int op_local_addr(void *ctx, const struct fl_local_addr *addr, bool present)
{
	uint32_t one = 1;

	if (present)
		return bpf_map_update_elem(FD(fl_local_addrs), addr, &one, BPF_ANY);
	return bpf_map_delete_elem(FD(fl_local_addrs), addr);
}

static int op_host_prefix(void *ctx, const struct fl_host_prefix *prefix, bool present)
{
	uint32_t one = 1;

	if (present)
		return bpf_map_update_elem(FD(fl_host_pfx), prefix, &one, BPF_ANY);
	return bpf_map_delete_elem(FD(fl_host_pfx), prefix);
}

#define KEY_MAX 32 /* of the maps that are swept */

/* The key behind one that goes is looked for first: behind one that is not there the walk would
 * begin anew. */
static void sweep(int fd, size_t key_size, fl_keep_key keep, void *keep_ctx)
{
	uint8_t at[KEY_MAX] FL_ALIGNED(8), next[KEY_MAX] FL_ALIGNED(8);
	bool more = !bpf_map_get_next_key(fd, NULL, next);

	while (more) {
		memcpy(at, next, key_size);
		more = !bpf_map_get_next_key(fd, at, next);
		if (!keep(keep_ctx, at))
			bpf_map_delete_elem(fd, at);
	}
}

static void op_local_addrs_sweep(void *ctx, fl_keep_key keep, void *keep_ctx)
{
	_Static_assert(sizeof(struct fl_local_addr) <= KEY_MAX, "key");
	sweep(FD(fl_local_addrs), sizeof(struct fl_local_addr), keep, keep_ctx);
}

static void op_host_prefixes_sweep(void *ctx, fl_keep_key keep, void *keep_ctx)
{
	_Static_assert(sizeof(struct fl_host_prefix) <= KEY_MAX, "key");
	sweep(FD(fl_host_pfx), sizeof(struct fl_host_prefix), keep, keep_ctx);
}

static int op_tx_port(void *ctx, uint32_t iface, uint32_t ifindex)
{
	if (ifindex)
		return bpf_map_update_elem(FD(fl_tx_ports), &iface, &ifindex, BPF_ANY);
	return bpf_map_delete_elem(FD(fl_tx_ports), &iface);
}

static int op_name_set(void *ctx, uint32_t id, const struct fl_name *name)
{
	return bpf_map_update_elem(FD(fl_names), &id, name, BPF_ANY);
}

static int op_name_get(void *ctx, uint32_t id, struct fl_name *ret_name)
{
	return bpf_map_lookup_elem(FD(fl_names), &id, ret_name);
}

static int op_dup_add(void *ctx, const struct fl_dup_key *key)
{
	const struct fl_dup dup = { 0 };

	return bpf_map_update_elem(FD(fl_dups), key, &dup, BPF_NOEXIST);
}

static int op_dup_remove(void *ctx, const struct fl_dup_key *key)
{
	return bpf_map_delete_elem(FD(fl_dups), key);
}

static int op_dup_get(void *ctx, const struct fl_dup_key *key, struct fl_dup *ret_dup)
{
	return bpf_map_lookup_elem_flags(FD(fl_dups), key, ret_dup, BPF_F_LOCK);
}

static int op_dup_ask(void *ctx, struct fl_dup_ask *ask)
{
	const struct fl_dp *dp = ctx;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = ask, .data_size_in = sizeof(*ask),
		    .data_out = ask, .data_size_out = sizeof(*ask), .repeat = 1);
	int err = bpf_prog_test_run_opts(bpf_program__fd(dp->skel->progs.fl_dup_ask), &opts);

	if (err)
		return err;
	return opts.retval ? -ENOENT : 0;
}

static int op_fpm_read(void *ctx, uint32_t slot, struct fl_fpm_slot *ret_slot)
{
	return bpf_map_lookup_elem_flags(FD(fl_fpm_scopes), &slot, ret_slot, BPF_F_LOCK);
}

static int op_fpm_clear(void *ctx, uint32_t slot)
{
	const struct fl_fpm_slot none = { 0 };

	return bpf_map_update_elem(FD(fl_fpm_scopes), &slot, &none, BPF_F_LOCK);
}

/* The scope has one writer, its lock held, which user space cannot: a program does it. */
static int op_fpm_reply(void *ctx, uint32_t slot, struct fl_fpm_mark *ret_mark)
{
	const struct fl_dp *dp = ctx;
	union {
		struct fl_fpm_reply reply;
		uint8_t frame[64]; /* the kernel wants at least a link header */
	} data = { .reply = { .slot = slot } };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &data, .data_size_in = sizeof(data),
		    .data_out = &data, .data_size_out = sizeof(data), .repeat = 1);
	int err = bpf_prog_test_run_opts(bpf_program__fd(dp->skel->progs.fl_fpm_reply), &opts);

	if (err)
		return err;
	*ret_mark = data.reply.mark;
	return opts.retval == FL_FPM_REPLY_OWED ? 0 : -ENOENT;
}

static int op_fpm_heard(void *ctx, uint32_t slot, uint32_t session, const struct fl_fpm_mark *mark)
{
	const struct fl_dp *dp = ctx;
	union {
		struct fl_fpm_heard heard;
		uint8_t frame[64];
	} data = { .heard = { slot, session, *mark } };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &data, .data_size_in = sizeof(data),
		    .repeat = 1);

	return bpf_prog_test_run_opts(bpf_program__fd(dp->skel->progs.fl_fpm_heard), &opts);
}

const struct fl_table_ops fl_dp_table_ops = {
	.index_insert = op_index_insert,
	.index_remove = op_index_remove,
	.index_lookup = op_index_lookup,
	.path6_set = op_path6_set,
	.path6_clear = op_path6_clear,
	.deny = op_deny,
	.local_addr = op_local_addr,
	.host_prefix = op_host_prefix,
	.local_addrs_sweep = op_local_addrs_sweep,
	.host_prefixes_sweep = op_host_prefixes_sweep,
	.tx_port = op_tx_port,
	.name_set = op_name_set,
	.name_get = op_name_get,
	.dup_add = op_dup_add,
	.dup_remove = op_dup_remove,
	.dup_get = op_dup_get,
	.dup_ask = op_dup_ask,
	.fpm_read = op_fpm_read,
	.fpm_clear = op_fpm_clear,
	.fpm_reply = op_fpm_reply,
	.fpm_heard = op_fpm_heard,
};

/* Sum of a per-CPU counter; absent means that it never counted. */
static uint64_t percpu_sum(int fd, uint32_t key, uint64_t *values, int cpus)
{
	uint64_t sum = 0;

	if (bpf_map_lookup_elem(fd, &key, values))
		return 0;
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	return sum;
}

void fl_dp_counters(struct fl_dp *dp, struct fl_dp_counters *ret_counters)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *values;

	memset(ret_counters, 0, sizeof(*ret_counters));
	values = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*values));
	if (!values)
		return;
	for (uint32_t i = 1; i < FL_DROP_MAX; i++)
		ret_counters->drops[i] =
			percpu_sum(bpf_map__fd(dp->skel->maps.fl_drops), i, values, cpus);
	for (uint32_t i = 1; i < FL_STAT_MAX; i++)
		ret_counters->stats[i] =
			percpu_sum(bpf_map__fd(dp->skel->maps.fl_stats), i, values, cpus);
	free(values);
}

/* The kernel accounts a map's memory in /proc/self/fdinfo. */
uint64_t fl_dp_map_memory(struct fl_dp *dp, const char *name)
{
	char path[64], full[32], line[128];
	const struct bpf_map *map;
	uint64_t bytes = 0;
	FILE *file;

	snprintf(full, sizeof(full), "fl_%.24s", name);
	map = bpf_object__find_map_by_name(dp->skel->obj, full);
	if (!map)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_map__fd(map));
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, "memlock:", 8))
			bytes = strtoull(line + 8, NULL, 10);
	fclose(file);
	return bytes;
}

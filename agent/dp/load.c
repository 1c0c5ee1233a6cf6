// SPDX-License-Identifier: Apache-2.0
/* Loading: BPF object onto new or pinned maps, memory mapping, pins. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fairlead.skel.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/rand.h"
#include "agent/dp/dp_internal.h"
#include "common/abi_version.h"

int fl_dp_why(char why[FL_DP_WHY], int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, FL_DP_WHY, fmt, args);
	va_end(args);
	return err;
}

/* libbpf's warnings are details of what we report ourselves: debug. */
__attribute__((format(printf, 2, 0))) static int libbpf_log(enum libbpf_print_level level,
							    const char *fmt, va_list args)
{
	char line[512];

	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = 0;
	fl_debug("%s", line);
	return 0;
}

/* Make the folders of @path, all of which must lie on a bpffs. */
static int make_dirs(const char *path, char why[FL_DP_WHY])
{
	char part[FL_DP_PATH];
	struct statfs fs;

	for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
		size_t len = strchr(slash + 1, '/') ? (size_t)(strchr(slash + 1, '/') - path)
						    : strlen(path);

		snprintf(part, sizeof(part), "%.*s", (int)len, path);
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return fl_dp_why(why, -errno,
					 "cannot make %s: %s (a bpffs is needed there: "
					 "`mount -t bpf bpf /sys/fs/bpf`)",
					 part, strerror(errno));
	}
	if (statfs(path, &fs) < 0 || (unsigned long)fs.f_type != BPF_FS_MAGIC) {
		rmdir(path);
		return fl_dp_why(
			why, -ENOENT,
			"%s is not on a bpffs: `mount -t bpf bpf /sys/fs/bpf` (and enter network "
			"namespaces with `nsenter --net=...`; `ip netns exec` hides it)",
			path);
	}
	return 0;
}

static int check_kernel(char why[FL_DP_WHY])
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		return fl_dp_why(why, -ENOENT,
				 "the kernel has no BTF (/sys/kernel/btf/vmlinux): it needs "
				 "CONFIG_DEBUG_INFO_BTF=y, which Debian's kernels have");
	return 0;
}

/* What a pinned map is like; false if it is not there. */
static bool pinned_info(const char *dir, const char *name, struct bpf_map_info *ret_info)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	char path[FL_DP_PATH];
	int fd, err;

	snprintf(path, sizeof(path), "%.200s/%s", dir, name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return false;
	err = bpf_obj_get_info_by_fd(fd, &info, &len);
	close(fd);
	*ret_info = info;
	return !err;
}

/* Secret of a pinned flow table: flows were placed by it. */
static int pinned_seed(const char *dir, uint64_t *ret_seed)
{
	struct fl_settings settings;
	char path[FL_DP_PATH];
	uint32_t zero = 0;
	int fd, err;

	snprintf(path, sizeof(path), "%.200s/fl_settings", dir);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd;
	err = bpf_map_lookup_elem(fd, &zero, &settings);
	close(fd);
	if (err)
		return err;
	*ret_seed = settings.hash_seed;
	return settings.hash_seed ? 0 : -ENOENT;
}

/* Maps that only the programs use among themselves. */
static bool map_is_private(const struct bpf_map *map)
{
	const char *name = bpf_map__name(map);

	return strncmp(name, "fl_", 3) || !strncmp(name, "fl_job_", 7);
}

static int set_sizes(struct fl_dp *dp, const struct fl_dp_cfg *cfg)
{
	struct fl_tables *t = &dp->tables;
	struct bpf_map_info info;
	uint32_t pinned = pinned_info(dp->dir, "fl_sessions", &info) ? info.max_entries : 0;
	struct bpf_map *map;
	char path[FL_DP_PATH];
	int err;

	dp->adopted = pinned != 0;
	t->max_sessions = pinned ? pinned - 1 : cfg->max_sessions;
	/* A pinned table stays as large as it was made, by whatever release. */
	t->buckets = pinned && pinned_info(dp->dir, "fl_tags", &info)
			     ? info.max_entries
			     : fl_tables_buckets(t->max_sessions);
	t->slots = pinned && pinned_info(dp->dir, "fl_flows", &info)
			   ? info.max_entries
			   : fl_tables_slots(t->max_sessions, t->buckets);
	bpf_map__set_max_entries(dp->skel->maps.fl_sessions, t->max_sessions + 1);
	bpf_map__set_max_entries(dp->skel->maps.fl_flows, t->slots);
	bpf_map__set_max_entries(dp->skel->maps.fl_tags, t->buckets);
	bpf_map__set_max_entries(dp->skel->maps.fl_flow_index,
				 t->slots - t->buckets * FL_BUCKET_SLOTS);
	/*
	 * The kernel adds BPF_F_RDONLY_PROG to a device map, which may not be asked for when one is
	 * made; libbpf 1.1 then finds that the pinned one differs.
	 */
	if (pinned_info(dp->dir, "fl_tx_ports", &info))
		bpf_map__set_map_flags(dp->skel->maps.fl_tx_ports, info.map_flags);
	if (pinned_seed(dp->dir, &t->hash_seed) < 0)
		t->hash_seed = fl_rand_u64() | 1;
	dp->skel->rodata->fl_hash_seed = t->hash_seed;
	dp->skel->rodata->fl_hash_buckets = t->buckets;

	bpf_object__for_each_map(map, dp->skel->obj)
	{
		if (map_is_private(map))
			continue;
		snprintf(path, sizeof(path), "%.200s/%.40s", dp->dir, bpf_map__name(map));
		err = bpf_map__set_pin_path(map, path);
		if (err)
			return err;
	}
	return 0;
}

static void *map_memory(const struct bpf_map *map, size_t bytes)
{
	void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return mem == MAP_FAILED ? NULL : mem;
}

/* The kernel rounds an array up to pages; so does this. */
#define MAP(field, map, count)                                                                     \
	((t->field = map_memory(dp->skel->maps.map, (size_t)(count) * sizeof(*t->field))) != NULL)

static int map_tables(struct fl_dp *dp)
{
	struct fl_tables *t = &dp->tables;

	if (!MAP(flows, fl_flows, t->slots) ||
	    !MAP(tags, fl_tags, (size_t)t->buckets * FL_BUCKET_SLOTS) ||
	    !MAP(spilled, fl_spilled, FL_SPILL_GROUPS) ||
	    !MAP(sessions, fl_sessions, t->max_sessions + 1) ||
	    !MAP(vectors, fl_vectors, FL_MAX_VECTORS) || !MAP(paths, fl_paths, FL_MAX_PATHS) ||
	    !MAP(path_lookup, fl_path_lookup, FL_PATH_BUCKETS) ||
	    !MAP(nexthops, fl_nexthops, FL_MAX_NEXTHOPS) ||
	    !MAP(ifaces, fl_ifaces, FL_IFACE_SLOTS) || !MAP(peers, fl_peers, FL_MAX_PEERS) ||
	    !MAP(fpm_paths, fl_fpm_paths, FL_MAX_PATHS) || !MAP(keys, fl_mac_keys, FL_MAX_PATHS) ||
	    !MAP(settings, fl_settings, 1))
		return -errno;
	t->settings->hash_seed = t->hash_seed;
	t->settings->buckets = t->buckets;
	t->settings->slots = t->slots;
	t->ops = &fl_dp_table_ops;
	t->ops_ctx = dp;
	return 0;
}

static void unmap(void *mem, size_t bytes)
{
	if (mem)
		munmap(mem, bytes);
}

static void unmap_tables(struct fl_tables *t)
{
	unmap(t->flows, (size_t)t->slots * sizeof(*t->flows));
	unmap(t->tags, (size_t)t->buckets * FL_BUCKET_SLOTS);
	unmap(t->spilled, FL_SPILL_GROUPS * sizeof(*t->spilled));
	unmap(t->sessions, ((size_t)t->max_sessions + 1) * sizeof(*t->sessions));
	unmap(t->vectors, FL_MAX_VECTORS * sizeof(*t->vectors));
	unmap(t->paths, FL_MAX_PATHS * sizeof(*t->paths));
	unmap(t->path_lookup, FL_PATH_BUCKETS * sizeof(*t->path_lookup));
	unmap(t->nexthops, FL_MAX_NEXTHOPS * sizeof(*t->nexthops));
	unmap(t->ifaces, FL_IFACE_SLOTS * sizeof(*t->ifaces));
	unmap(t->peers, FL_MAX_PEERS * sizeof(*t->peers));
	unmap(t->fpm_paths, FL_MAX_PATHS * sizeof(*t->fpm_paths));
	unmap(t->keys, FL_MAX_PATHS * sizeof(*t->keys));
	unmap(t->settings, sizeof(*t->settings));
}

int fl_dp_pinned_program(const struct fl_dp *dp, const char *name, struct bpf_prog_info *ret_info)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	char path[FL_DP_PATH];
	int fd, err;

	snprintf(path, sizeof(path), "%.200s/progs/%.32s", dp->dir, name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd;
	err = bpf_obj_get_info_by_fd(fd, &info, &len);
	close(fd);
	if (!err)
		*ret_info = info;
	return err;
}

/* An earlier process has pinned the same instructions, on the same maps. */
static bool is_pinned(const struct fl_dp *dp, const struct bpf_program *prog)
{
	struct bpf_prog_info pinned, own = { 0 };
	__u32 len = sizeof(own);

	return !fl_dp_pinned_program(dp, bpf_program__name(prog), &pinned) &&
	       !bpf_obj_get_info_by_fd(bpf_program__fd(prog), &own, &len) &&
	       !memcmp(pinned.tag, own.tag, sizeof(own.tag));
}

/*
 * Pin a program under its name, so that `bpftool net attach` finds it. One that is the same stays
 * as it is, for it may be attached by hand: the pin is the proof that it is ours.
 */
static int pin_program(const struct fl_dp *dp, const struct bpf_program *prog)
{
	char path[FL_DP_PATH], temp[FL_DP_PATH];
	int err;

	if (is_pinned(dp, prog))
		return 0;
	snprintf(path, sizeof(path), "%.200s/progs/%.32s", dp->dir, bpf_program__name(prog));
	snprintf(temp, sizeof(temp), "%.200s/progs/new-%.32s", dp->dir, bpf_program__name(prog));
	unlink(temp);
	err = bpf_obj_pin(bpf_program__fd(prog), temp);
	if (err)
		return err;
	return rename(temp, path) < 0 ? -errno : 0;
}

static int pin_programs(const struct fl_dp *dp)
{
	struct bpf_program *prog;
	int err;

	bpf_object__for_each_program(prog, dp->skel->obj)
	{
		err = pin_program(dp, prog);
		if (err)
			return err;
	}
	return 0;
}

static int read_clock(struct fl_dp *dp, uint64_t *ret_jiffies, uint64_t *ret_ns)
{
	struct {
		uint64_t jiffies;
		uint64_t ns;
	} clock = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &clock, .ctx_size_in = sizeof(clock));
	int err = bpf_prog_test_run_opts(bpf_program__fd(dp->skel->progs.fl_clock_read), &opts);

	*ret_jiffies = clock.jiffies;
	*ret_ns = clock.ns;
	return err;
}

/* How long is a jiffy? One of few values, so 50 ms tell them apart. */
static int measure_hz(struct fl_dp *dp)
{
	static const uint32_t known[] = { 100, 250, 300, 1000 };
	uint64_t j0, j1, t0, t1, rate;
	uint32_t best = 250;
	int err;

	err = read_clock(dp, &j0, &t0);
	if (err)
		return err;
	usleep(50000);
	err = read_clock(dp, &j1, &t1);
	if (err)
		return err;
	rate = (j1 - j0) * 1000000000ULL / (t1 - t0 ? t1 - t0 : 1);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (llabs((long long)known[i] - (long long)rate) <
		    llabs((long long)best - (long long)rate))
			best = known[i];
	dp->tables.hz = best;
	return 0;
}

uint32_t fl_dp_jiffies(struct fl_dp *dp)
{
	uint64_t jiffies = 0, ns;

	read_clock(dp, &jiffies, &ns);
	return (uint32_t)jiffies;
}

static int load(struct fl_dp *dp, const struct fl_dp_cfg *cfg, char why[FL_DP_WHY])
{
	int err;

	dp->skel = fairlead_bpf__open();
	if (!dp->skel)
		return fl_dp_why(why, -errno, "BPF object does not open: %s", strerror(errno));
	err = set_sizes(dp, cfg);
	if (!err)
		err = fairlead_bpf__load(dp->skel);
	if (err == -EPERM || err == -EACCES)
		return fl_dp_why(
			why, -EPERM,
			"the kernel refuses to load BPF programs (%s): run as root or with "
			"CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON",
			strerror(-err));
	if (err == -EINVAL && dp->adopted)
		return fl_dp_why(
			why, err,
			"pinned maps in %s do not fit this version; `fairleadd --remove` takes "
			"them away (and ends their sessions)",
			dp->dir);
	if (err)
		return fl_dp_why(why, err, "BPF programs do not load: %s (--debug shows why)",
				 strerror(-err));
	return 0;
}

int fl_dp_open(const struct fl_dp_cfg *cfg, struct fl_dp **ret_dp, char why[FL_DP_WHY])
{
	struct fl_dp *dp = calloc(1, sizeof(*dp));
	char sub[FL_DP_PATH];
	int err;

	if (!dp)
		return -ENOMEM;
	libbpf_set_print(libbpf_log);
	why[0] = 0;
	snprintf(dp->dir, sizeof(dp->dir), "%.200s/v%d", cfg->pin_dir, FL_ABI_VERSION);
	err = check_kernel(why);
	if (!err)
		err = make_dirs(dp->dir, why);
	snprintf(sub, sizeof(sub), "%.200s/progs", dp->dir);
	if (!err)
		err = make_dirs(sub, why);
	snprintf(sub, sizeof(sub), "%.200s/links", dp->dir);
	if (!err)
		err = make_dirs(sub, why);
	if (!err)
		err = load(dp, cfg, why);
	if (err)
		goto fail;
	err = map_tables(dp);
	if (!err)
		err = pin_programs(dp);
	if (!err)
		err = measure_hz(dp);
	if (!err)
		err = fl_dp_rings_open(dp);
	if (err) {
		fl_dp_why(why, err, "data plane: %s", strerror(-err));
		goto fail;
	}
	*ret_dp = dp;
	return 0;
fail:
	fl_dp_close(dp);
	return err;
}

void fl_dp_close(struct fl_dp *dp)
{
	if (!dp)
		return;
	fl_dp_rings_close(dp);
	unmap_tables(&dp->tables);
	fairlead_bpf__destroy(dp->skel);
	free(dp);
}

struct fl_tables *fl_dp_tables(struct fl_dp *dp)
{
	return &dp->tables;
}

bool fl_dp_adopted(const struct fl_dp *dp)
{
	return dp->adopted;
}

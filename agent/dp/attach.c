// SPDX-License-Identifier: Apache-2.0
/*
 * Attachments. XDP by a pinned bpf_link, which outlives the process and which nobody replaces by
 * accident; TC by clsact filters, which works from kernel 6.1 on.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fairlead.skel.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/dp/dp_internal.h"

/* Our place among the filters of clsact; the value has no meaning but to find our own again. */
#define FL_TC_HANDLE   0xF1
#define FL_TC_PRIORITY 0xF1

/* Room for what is said of a foreign program. */
#define FL_PROG_TEXT 64

static void link_path(const struct fl_dp *dp, const char *ifname, char path[FL_DP_PATH])
{
	snprintf(path, FL_DP_PATH, "%.200s/links/xdp-%.32s", dp->dir, ifname);
}

/*
 * Name, in quotes, of the XDP program on a device; false if there is none. The kernel tells names
 * to CAP_SYS_ADMIN only, which the service does not have: then how to find out.
 */
static bool xdp_program_on(uint32_t ifindex, uint32_t *ret_id, char name[FL_PROG_TEXT])
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	int fd, err;

	if (bpf_xdp_query_id((int)ifindex, 0, ret_id) < 0 || !*ret_id)
		return false;
	snprintf(name, FL_PROG_TEXT, "that `bpftool prog show id %u` names", *ret_id);
	fd = bpf_prog_get_fd_by_id(*ret_id);
	if (fd < 0)
		return true;
	err = bpf_obj_get_info_by_fd(fd, &info, &len);
	close(fd);
	if (!err)
		snprintf(name, FL_PROG_TEXT, "\"%s\"", info.name);
	return true;
}

/* An earlier process's link, if it still holds this very device: run our program there. */
static int link_adopt(struct fl_dp *dp, const struct fl_dp_attach *what)
{
	struct bpf_link_info info = { 0 };
	__u32 len = sizeof(info);
	char path[FL_DP_PATH];
	int fd, err;

	link_path(dp, what->ifname, path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -ENOENT;
	err = bpf_obj_get_info_by_fd(fd, &info, &len);
	if (!err && info.xdp.ifindex == what->ifindex)
		err = bpf_link_update(fd, bpf_program__fd(dp->skel->progs.fl_xdp_ingress), NULL);
	else
		err = -ENOLINK;
	close(fd);
	if (err) {
		/* The device that it held is gone. */
		unlink(path);
		return -ENOENT;
	}
	return 0;
}

static int link_create(struct fl_dp *dp, const struct fl_dp_attach *what, uint32_t xdp_flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = xdp_flags);
	char path[FL_DP_PATH];
	int fd, err;

	fd = bpf_link_create(bpf_program__fd(dp->skel->progs.fl_xdp_ingress), (int)what->ifindex,
			     BPF_XDP, &opts);
	if (fd < 0)
		return fd;
	link_path(dp, what->ifname, path);
	err = bpf_obj_pin(fd, path);
	/* Without the pin, closing the link takes the program off again. */
	close(fd);
	return err;
}

/*
 * Is the program on the device ours, put there by hand with `bpftool net attach`? By its number: to
 * look at a program that only has a number takes CAP_SYS_ADMIN, at a pinned one the right to its
 * file.
 */
static bool attached_by_hand(const struct fl_dp *dp, uint32_t id)
{
	struct bpf_prog_info pinned;

	return !fl_dp_pinned_program(dp, "fl_xdp_ingress", &pinned) && pinned.id == id;
}

static int attach_xdp(struct fl_dp *dp, const struct fl_dp_attach *what, char why[FL_DP_WHY])
{
	char name[FL_PROG_TEXT];
	uint32_t id;
	int err;

	if (!link_adopt(dp, what))
		return FL_MODE_XDP;
	if (xdp_program_on(what->ifindex, &id, name)) {
		if (attached_by_hand(dp, id)) {
			fl_dp_why(why, 0, "attached by hand (bpftool net attach), left as it is");
			return FL_MODE_XDP;
		}
		return fl_dp_why(why, -EBUSY,
				 "%s already runs the XDP program %s (id %u); take it off with "
				 "`ip link set dev %s xdp off`, or set mode \"tc\" for this device",
				 what->ifname, name, id, what->ifname);
	}
	err = link_create(dp, what, XDP_FLAGS_DRV_MODE);
	if (!err)
		return FL_MODE_XDP;
	if (what->allow_generic) {
		fl_dp_why(why, 0, "generic XDP, as configured: the driver has no native XDP (%s)",
			  strerror(-err));
		err = link_create(dp, what, XDP_FLAGS_SKB_MODE);
		if (!err)
			return FL_MODE_XDP_GENERIC;
	}
	return fl_dp_why(why, err == -ENODEV ? err : -EOPNOTSUPP, "no native XDP on %s: %s",
			 what->ifname, strerror(-err));
}

static int attach_tc_one(struct fl_dp *dp, uint32_t ifindex, enum bpf_tc_attach_point point)
{
	const struct bpf_program *prog = point == BPF_TC_INGRESS ? dp->skel->progs.fl_tc_ingress
								 : dp->skel->progs.fl_tc_egress;
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FL_TC_HANDLE, .priority = FL_TC_PRIORITY,
			    .prog_fd = bpf_program__fd(prog), .flags = BPF_TC_F_REPLACE);

	return bpf_tc_attach(&hook, &opts);
}

static void detach_tc_one(uint32_t ifindex, enum bpf_tc_attach_point point)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FL_TC_HANDLE, .priority = FL_TC_PRIORITY);

	bpf_tc_detach(&hook, &opts);
}

static int attach_tc(struct fl_dp *dp, const struct fl_dp_attach *what)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)what->ifindex,
			    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int err = bpf_tc_hook_create(&hook);

	if (err && err != -EEXIST)
		return err;
	err = attach_tc_one(dp, what->ifindex, BPF_TC_INGRESS);
	if (!err && what->host)
		return attach_tc_one(dp, what->ifindex, BPF_TC_EGRESS);
	detach_tc_one(what->ifindex, BPF_TC_EGRESS);
	return err;
}

int fl_dp_attach(struct fl_dp *dp, const struct fl_dp_attach *what, char why[FL_DP_WHY])
{
	int mode = FL_MODE_TC, err;
	char path[FL_DP_PATH];

	why[0] = 0;
	if (what->want_xdp) {
		mode = attach_xdp(dp, what, why);
		if (mode < 0)
			return mode;
	} else {
		/* The mode was changed: our own program goes, a foreign one is none of our
		 * business. */
		link_path(dp, what->ifname, path);
		unlink(path);
	}
	err = attach_tc(dp, what);
	if (err) {
		if (what->want_xdp) {
			link_path(dp, what->ifname, path);
			unlink(path);
		}
		return fl_dp_why(why, err, "no TC programs on %s: %s", what->ifname,
				 strerror(-err));
	}
	return mode;
}

void fl_dp_detach_tc(uint32_t ifindex)
{
	detach_tc_one(ifindex, BPF_TC_INGRESS);
	detach_tc_one(ifindex, BPF_TC_EGRESS);
}

static uint32_t device_of_link(const char *path)
{
	struct bpf_link_info info = { 0 };
	__u32 len = sizeof(info);
	int fd = bpf_obj_get(path), err;

	if (fd < 0)
		return 0;
	err = bpf_obj_get_info_by_fd(fd, &info, &len);
	close(fd);
	return err ? 0 : info.xdp.ifindex;
}

/* Pins have the names that devices had when the links were made. */
static void unpin_links_on(const struct fl_dp *dp, uint32_t ifindex)
{
	char path[FL_DP_PATH];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%.200s/links", dp->dir);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%.200s/links/%.40s", dp->dir, entry->d_name);
		if (!strncmp(entry->d_name, "xdp-", 4) && device_of_link(path) == ifindex)
			unlink(path);
	}
	closedir(dir);
}

void fl_dp_detach(struct fl_dp *dp, uint32_t ifindex)
{
	if (!ifindex)
		return;
	unpin_links_on(dp, ifindex);
	fl_dp_detach_tc(ifindex);
}

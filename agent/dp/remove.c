// SPDX-License-Identifier: Apache-2.0
/* Taking everything away again: pins, links, filters. The only place that ends forwarding on
 * purpose. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/dp/dp_internal.h"

/* The interface table says on which devices the TC programs run. */
static void detach_known(const char *dir)
{
	struct fl_iface iface;
	char path[FL_DP_PATH];
	int fd;

	snprintf(path, sizeof(path), "%.200s/fl_ifaces", dir);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return;
	for (uint32_t slot = 0; slot < FL_IFACE_SLOTS; slot++)
		if (!bpf_map_lookup_elem(fd, &slot, &iface) && iface.ifindex)
			fl_dp_detach_tc(iface.ifindex);
	close(fd);
}

/* Remove a folder and what is in it, one level of folders deep at a time. */
static int remove_tree(const char *dir)
{
	char path[FL_DP_PATH];
	struct dirent *entry;
	DIR *d = opendir(dir);

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(d))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(path, sizeof(path), "%.160s/%.90s", dir, entry->d_name);
		if (unlink(path) < 0 && (errno == EISDIR || errno == EPERM))
			remove_tree(path);
	}
	closedir(d);
	return rmdir(dir) < 0 ? -errno : 0;
}

int fl_dp_remove(const char *pin_dir)
{
	char path[FL_DP_PATH];
	struct dirent *entry;
	int err = 0, one;
	DIR *d = opendir(pin_dir);

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	/* All versions; other instances' folders do not look like one. */
	while ((entry = readdir(d))) {
		if (entry->d_name[0] != 'v' || entry->d_name[1] < '0' || entry->d_name[1] > '9')
			continue;
		snprintf(path, sizeof(path), "%.160s/%.90s", pin_dir, entry->d_name);
		detach_known(path);
		one = remove_tree(path);
		err = err ? err : one;
	}
	closedir(d);
	rmdir(pin_dir); /* fails while another instance lives below it */
	return err;
}

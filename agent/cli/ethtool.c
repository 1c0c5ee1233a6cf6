// SPDX-License-Identifier: Apache-2.0
/* Questions about devices by ioctl, for doctor. They need no privileges. */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/cli/doctor.h"

#define MAX_FEATURES 1024 /* kernel 6.18 has 64 */

static int ask(const char *ifname, unsigned long request, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", ifname);
	err = ioctl(fd, request, ifr) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static int ethtool(const char *ifname, void *data)
{
	struct ifreq ifr = { .ifr_data = data };

	return ask(ifname, SIOCETHTOOL, &ifr);
}

void fl_ethtool_driver(const char *ifname, char driver[32])
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

	snprintf(driver, 32, "%.31s", ethtool(ifname, &info) < 0 ? "" : info.driver);
}

uint32_t fl_ethtool_mtu(const char *ifname)
{
	struct ifreq ifr = { 0 };

	return ask(ifname, SIOCGIFMTU, &ifr) < 0 ? 0 : (uint32_t)ifr.ifr_mtu;
}

/* Number of the features that the kernel knows. */
static uint32_t count_features(const char *ifname)
{
	/* The answer follows the struct. */
	uint32_t room[(sizeof(struct ethtool_sset_info) + sizeof(uint32_t)) / sizeof(uint32_t)];
	struct ethtool_sset_info info = { .cmd = ETHTOOL_GSSET_INFO,
					  .sset_mask = 1u << ETH_SS_FEATURES };
	uint32_t count;

	memset(room, 0, sizeof(room));
	memcpy(room, &info, sizeof(info));
	if (ethtool(ifname, room) < 0)
		return 0;
	memcpy(&info, room, sizeof(info));
	count = room[sizeof(info) / sizeof(uint32_t)];
	return info.sset_mask && count <= MAX_FEATURES ? count : 0;
}

/* Place of a feature among @count. Return: -1 if there is none of this name. */
static int find_feature(const char *ifname, uint32_t count, const char *name)
{
	struct ethtool_gstrings *strings =
		calloc(1, sizeof(*strings) + (size_t)count * ETH_GSTRING_LEN);
	int found = -1;

	if (!strings)
		return -1;
	strings->cmd = ETHTOOL_GSTRINGS;
	strings->string_set = ETH_SS_FEATURES;
	strings->len = count;
	if (!ethtool(ifname, strings))
		for (uint32_t i = 0; i < count && found < 0; i++)
			if (!strncmp((char *)&strings->data[i * ETH_GSTRING_LEN], name,
				     ETH_GSTRING_LEN))
				found = (int)i;
	free(strings);
	return found;
}

bool fl_ethtool_feature(const char *ifname, const char *name)
{
	uint32_t count = count_features(ifname), blocks = (count + 31) / 32;
	int at = count ? find_feature(ifname, count, name) : -1;
	struct ethtool_gfeatures *features;
	bool on;

	if (at < 0)
		return false;
	features = calloc(1, sizeof(*features) + blocks * sizeof(features->features[0]));
	if (!features)
		return false;
	features->cmd = ETHTOOL_GFEATURES;
	features->size = blocks;
	on = !ethtool(ifname, features) && features->features[at / 32].active & (1u << (at % 32));
	free(features);
	return on;
}

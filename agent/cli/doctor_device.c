// SPDX-License-Identifier: Apache-2.0
/* doctor, about devices: mode, driver, MTU, offloads, and what the kernel does with their packets.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/doctor.h"

/* What a frame may have without multi-buffer XDP: a page less headroom and tail (platform.md). */
#define XDP_LINEAR_MTU 3498
/* The largest packet that the agent builds (FL_TX_MAX_PACKET). */
#define MTU_MAX 9216

static const struct {
	const char *feature;
	const char *option; /* of ethtool -K */
	bool vlan_only;     /* matters only where VLANs are configured */
	const char *why;
} bad_for_xdp[] = {
	{ "rx-gro-hw", "rx-gro-hw", false, "packets are joined in hardware (GRO-HW) before XDP" },
	{ "rx-vlan-hw-parse", "rxvlan", true, "VLAN tags are taken off before XDP can see them" },
};

/* What `auto` takes XDP for: a device of its own driver. */
static bool is_physical(const char *ifname)
{
	struct fl_link_info info;

	return !fl_link_info(ifname, &info) && !info.kind[0];
}

static bool in_xdp_mode(const struct fl_doctor_device *dev)
{
	return !strncmp(dev->mode, "xdp", 3) ||
	       (!dev->status && !strcmp(dev->mode, "auto") && is_physical(dev->ifname));
}

static void check_offloads(struct fl_doctor *d, const struct fl_doctor_device *dev)
{
	char cure[96];

	/* Joined packets cannot be taken apart again as they were: never right on a router. */
	if (fl_ethtool_feature(dev->ifname, "rx-lro")) {
		snprintf(cure, sizeof(cure), "ethtool -K %.15s lro off", dev->ifname);
		fl_doctor_say(d, FL_DOCTOR_FAIL, cure, "%s: packets are joined by the driver (LRO)",
			      dev->ifname);
	}
	for (size_t i = 0; i < sizeof(bad_for_xdp) / sizeof(bad_for_xdp[0]); i++) {
		if (!in_xdp_mode(dev) || (bad_for_xdp[i].vlan_only && !dev->vlan) ||
		    !fl_ethtool_feature(dev->ifname, bad_for_xdp[i].feature))
			continue;
		snprintf(cure, sizeof(cure), "ethtool -K %.15s %s off", dev->ifname,
			 bad_for_xdp[i].option);
		fl_doctor_say(d, FL_DOCTOR_FAIL, cure, "%s: %s", dev->ifname, bad_for_xdp[i].why);
	}
}

/* The other end of a veth, if it is in this namespace. Return: false if it is not. */
static bool find_peer(const char *ifname, char peer[IF_NAMESIZE])
{
	struct fl_link_info info;

	return !fl_link_info(ifname, &info) && info.other && !info.elsewhere &&
	       if_indextoname(info.other, peer);
}

/* XDP sees neither that a checksum is still owed nor a tag beside the packet; and sends to a queue
 * that the other end only has with GRO (or a program of its own). */
static void check_veth(struct fl_doctor *d, const struct fl_doctor_device *dev)
{
	const char *vlan = dev->vlan ? " txvlan off" : "";
	char peer[IF_NAMESIZE], cure[128];

	if (!find_peer(dev->ifname, peer)) {
		snprintf(cure, sizeof(cure), "there: ethtool -K DEVICE tx off gro on%s", vlan);
		fl_doctor_say(
			d, FL_DOCTOR_WARN, cure,
			"%s: a veth in XDP mode, whose other end cannot be seen from here: it "
			"must complete checksums itself and have GRO on (or use mode \"tc\")",
			dev->ifname);
		return;
	}
	snprintf(cure, sizeof(cure), "ethtool -K %.15s tx off gro on%s", peer, vlan);
	if (fl_ethtool_feature(peer, "tx-checksum-ip-generic"))
		fl_doctor_say(d, FL_DOCTOR_FAIL, cure,
			      "%s: its other end %s leaves checksums to be completed, which XDP "
			      "cannot see",
			      dev->ifname, peer);
	else if (!fl_ethtool_feature(peer, "rx-gro"))
		fl_doctor_say(
			d, FL_DOCTOR_WARN, cure,
			"%s: its other end %s has GRO off: without XDP of its own it takes no "
			"redirected packets",
			dev->ifname, peer);
	else
		fl_doctor_say(d, FL_DOCTOR_OK, NULL, "%s: its other end %s is set up for XDP",
			      dev->ifname, peer);
}

/* Neither native XDP nor redirect, or no frames from others: what the driver says of itself. */
static void check_features(struct fl_doctor *d, const struct fl_doctor_device *dev)
{
	uint64_t has;

	if (strcmp(dev->mode, "xdp-generic") == 0 || !in_xdp_mode(dev) ||
	    fl_xdp_features(dev->ifname, &has) < 0)
		return;
	if (!(has & FL_XDP_BASIC) || !(has & FL_XDP_REDIRECT))
		fl_doctor_say(d, FL_DOCTOR_FAIL, "\"mode\": \"tc\" in the configuration",
			      "%s: its driver has no native XDP%s", dev->ifname,
			      has & FL_XDP_BASIC ? " that redirects" : "");
	else if (dev->status && !(has & FL_XDP_NDO_XMIT))
		fl_doctor_say(d, FL_DOCTOR_FAIL, "\"mode\": \"tc\" in the configuration",
			      "%s: its driver takes no frames that XDP redirects to it",
			      dev->ifname);
	else
		fl_doctor_say(d, FL_DOCTOR_OK, NULL, "%s: its driver has native XDP and redirect%s",
			      dev->ifname, has & FL_XDP_RX_SG ? ", multi-buffer, too" : "");
}

/* Whether frames of more than one buffer pass; from kernel 6.3 on the driver says. */
static bool may_lack_multi_buffer(const struct fl_doctor_device *dev, const char *driver)
{
	uint64_t has;

	if (!fl_xdp_features(dev->ifname, &has))
		return !(has & FL_XDP_RX_SG);
	return strcmp(driver, "veth") != 0;
}

static void check_mtu(struct fl_doctor *d, const struct fl_doctor_device *dev, uint32_t mtu)
{
	char driver[32], cure[96];

	fl_ethtool_driver(dev->ifname, driver);

	if (mtu > MTU_MAX) {
		snprintf(cure, sizeof(cure), "ip link set dev %.15s mtu 9000", dev->ifname);
		fl_doctor_say(d, FL_DOCTOR_WARN, cure,
			      "%s: MTU %u: packets above %d bytes are not carried", dev->ifname,
			      mtu, MTU_MAX);
	} else if (mtu > XDP_LINEAR_MTU && in_xdp_mode(dev) && !dev->status &&
		   may_lack_multi_buffer(dev, driver)) {
		snprintf(cure, sizeof(cure), "ip link set dev %.15s mtu %d", dev->ifname,
			 XDP_LINEAR_MTU);
		fl_doctor_say(d, FL_DOCTOR_WARN, cure,
			      "%s: MTU %u needs a driver with multi-buffer XDP (else the interface "
			      "is refused, or take mode \"tc\")",
			      dev->ifname, mtu);
	}
}

static int read_conf(const char *ifname, const char *key)
{
	char path[96], text[16];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%.15s/%s", ifname, key);
	fl_doctor_read(path, text, sizeof(text));
	return text[0] ? atoi(text) : -1;
}

static void check_kernel_routing(struct fl_doctor *d, const char *ifname)
{
	int all = read_conf("all", "rp_filter"), own = read_conf(ifname, "rp_filter");
	char cure[96];

	if (read_conf(ifname, "forwarding") > 0) {
		snprintf(cure, sizeof(cure), "sysctl -w net/ipv4/conf/%.15s/forwarding=0", ifname);
		fl_doctor_say(d, FL_DOCTOR_WARN, cure,
			      "%s: the kernel forwards, too, which Fairlead does not need: packets "
			      "that are none of Fairlead's pass without its policy",
			      ifname);
	}
	/* The larger of the two counts (ip-sysctl.txt). */
	if ((all > own ? all : own) != 1)
		return;
	snprintf(cure, sizeof(cure), "sysctl -w net/ipv4/conf/%.15s/rp_filter=2", ifname);
	fl_doctor_say(
		d, FL_DOCTOR_WARN, cure,
		"%s: strict reverse path filter: packets to this host itself are lost when "
		"they come by another link than answers would take (sessions are not affected)",
		ifname);
}

static void say_mode(struct fl_doctor *d, const struct fl_doctor_device *dev, uint32_t mtu)
{
	char driver[32], cure[96];
	const char *reason = dev->reason && *dev->reason ? dev->reason : "as configured";

	fl_ethtool_driver(dev->ifname, driver);
	if (!dev->status)
		fl_doctor_say(d, FL_DOCTOR_OK, NULL, "%s: mode %s configured, driver %s, MTU %u",
			      dev->ifname, dev->mode, driver[0] ? driver : "unknown", mtu);
	else if (!strcmp(dev->status, "failed"))
		fl_doctor_say(d, FL_DOCTOR_FAIL, "see there, then: fairlead config apply", "%s: %s",
			      dev->ifname, reason);
	else
		fl_doctor_say(d, FL_DOCTOR_OK, NULL, "%s: %s (%s), driver %s, MTU %u", dev->ifname,
			      dev->mode, reason, driver[0] ? driver : "unknown", mtu);
	if (!strcmp(dev->mode, "xdp-generic"))
		fl_doctor_say(d, FL_DOCTOR_WARN, "\"generic-xdp\": false in the configuration",
			      "%s: generic XDP copies every packet: mode \"tc\" is faster",
			      dev->ifname);
	if (dev->status && !strcmp(dev->status, "down")) {
		snprintf(cure, sizeof(cure), "ip link set dev %.15s up, or the cable", dev->ifname);
		fl_doctor_say(d, FL_DOCTOR_WARN, cure, "%s is down", dev->ifname);
	}
}

void fl_doctor_device(struct fl_doctor *d, const struct fl_doctor_device *dev)
{
	char driver[32];
	uint32_t mtu;

	if (!if_nametoindex(dev->ifname)) {
		fl_doctor_say(d, FL_DOCTOR_FAIL, "ip link (is \"ifname\" right?)",
			      "%s: there is no such device", dev->ifname);
		return;
	}
	mtu = fl_ethtool_mtu(dev->ifname);
	fl_ethtool_driver(dev->ifname, driver);
	say_mode(d, dev, mtu);
	check_features(d, dev);
	check_mtu(d, dev, mtu);
	check_offloads(d, dev);
	if (!strcmp(driver, "veth") && in_xdp_mode(dev))
		check_veth(d, dev);
	check_kernel_routing(d, dev->ifname);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of doctor share. */
#ifndef FL_AGENT_CLI_DOCTOR_H
#define FL_AGENT_CLI_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/codec/json.h"

enum fl_doctor_level {
	FL_DOCTOR_OK,
	FL_DOCTOR_WARN,
	FL_DOCTOR_FAIL,
};

struct fl_doctor {
	struct fl_json *list;
	bool json;
	bool failed;
};

/* doctor.c */

/* One finding; @cure: command or advice, NULL for nothing. */
void fl_doctor_say(struct fl_doctor *d, enum fl_doctor_level level, const char *cure,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* First line of a small file; "" if it cannot be read. */
void fl_doctor_read(const char *path, char *text, int size);

/* doctor_device.c */

/* A device that Fairlead manages, from the agent or from the file. */
struct fl_doctor_device {
	const char *ifname;
	const char *mode;   /* in use; without an agent, as configured */
	const char *status; /* NULL: no agent */
	const char *reason; /* for mode or status, NULL if there is none */
	bool vlan;          /* has interfaces with VLAN tags */
};

void fl_doctor_device(struct fl_doctor *d, const struct fl_doctor_device *dev);

/* link.c */

struct fl_link_info {
	char kind[16];      /* "veth", "tun", ...; "" for a device of its own driver */
	unsigned int other; /* other end of a veth: its number, 0 if there is none */
	bool elsewhere;     /* that end is in another namespace */
};

/* Return: 0 or -errno. */
int fl_link_info(const char *ifname, struct fl_link_info *ret_info);

/* xdp_features.c */

/* What a driver can do (include/uapi/linux/netdev.h, enum netdev_xdp_act). */
#define FL_XDP_BASIC       0x01 /* pass, drop, send back */
#define FL_XDP_REDIRECT    0x02
#define FL_XDP_NDO_XMIT    0x04 /* takes frames that others redirect to it */
#define FL_XDP_RX_SG       0x20 /* multi-buffer */
#define FL_XDP_NDO_XMIT_SG 0x40

/* Return: 0; -errno if the kernel does not say, as those before 6.3. */
int fl_xdp_features(const char *ifname, uint64_t *ret_features);

/* ethtool.c */

/* Name of a device's driver, "" if it has none to say. */
void fl_ethtool_driver(const char *ifname, char driver[32]);

/* Is an offload on, by its name as `ethtool -k` prints it? False, too, if the device does not know
 * it.
 */
bool fl_ethtool_feature(const char *ifname, const char *name);

/* MTU of a device, 0 if there is no such device. */
uint32_t fl_ethtool_mtu(const char *ifname);

#endif

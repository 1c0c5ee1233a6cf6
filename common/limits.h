/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Fixed limits of tables and of everything that comes from outside. Limits that an operator may
 * change live in the configuration, not here.
 */
#ifndef FL_COMMON_LIMITS_H
#define FL_COMMON_LIMITS_H

/* Tables of the data plane. The first entry of each is reserved so that 0 means "none". */
#define FL_MAX_IFACES      64
#define FL_MAX_PEERS       256
#define FL_MAX_PATHS       256
#define FL_MAX_VECTORS     1024
#define FL_MAX_NEXTHOPS    16384
#define FL_MAX_NAMES       4096
#define FL_MAX_LOCAL_ADDRS 1024

/* In a configuration: with another one, old and new paths have numbers at the same time. */
#define FL_MAX_ADJACENCIES ((FL_MAX_PATHS - 1) / 2)

/* Lookup tables that the data plane reads by its own hash: sized so that probes stay short. */
#define FL_IFACE_SLOTS      1024
#define FL_IFACE_PROBES     4
#define FL_PATH_BUCKETS     256
#define FL_PATH_BUCKET_WAYS 4

#define FL_NAME_LEN  256 /* tenants, services: 255 bytes as svr-protocol.md 8.1, and a NUL */
#define FL_LABEL_LEN 32  /* path labels and interface names in maps, NUL included */

#define FL_MAX_KEYS 8 /* generations of one security policy's key (P-44) */

/* Ports that source NAT takes (svr-protocol.md 3.9). */
#define FL_NAPT_PORT_LO 16384
#define FL_NAPT_PORT_HI 65534

/* Packets. */
#define FL_MAX_VLAN_TAGS   2
#define FL_MAX_EXT_HEADERS 6
#define FL_MAX_FRAME       65536 /* largest packet handed to the agent: a GSO super-packet */
#define FL_META_MAX        1024  /* P-01: a metadata block, header and payload section */

#endif

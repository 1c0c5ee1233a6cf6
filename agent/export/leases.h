/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host names of clients, from the lease files of a DHCP server on this host: dnsmasq's, Kea's (CSV
 * of its memfile) or ISC dhcpd's, told apart line by line. Names are what clients call themselves.
 */
#ifndef FL_AGENT_EXPORT_LEASES_H
#define FL_AGENT_EXPORT_LEASES_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/addr.h"

#define FL_LEASE_NAME_LEN 64

struct fl_leases;

/* Return: 0 or -ENOMEM. */
int fl_leases_new(struct fl_leases **ret_leases);
void fl_leases_free(struct fl_leases *leases); /* takes NULL */

/* Add what a text says; the later line wins. */
void fl_leases_parse(struct fl_leases *leases, const char *text, size_t len);

/**
 * fl_leases_read() - read files, if one of them is another than last time
 *
 * One that is not there has no leases. Blocks for the reading of 4 MiB of each at the most. Return:
 * 0; -errno if one is there and cannot be read, once for each change.
 */
int fl_leases_read(struct fl_leases *leases, char *const *paths, size_t count);

/* The name of who has an address, if its lease is of that MAC, or does not say; else NULL. */
const char *fl_leases_name(const struct fl_leases *leases, const struct fl_addr *addr,
			   const uint8_t mac[6]);

#endif

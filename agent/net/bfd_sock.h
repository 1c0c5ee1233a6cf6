/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving of BFD: UDP sockets that say where a datagram came in and when it arrived at this host,
 * which may be long before it is read. Sending is agent/net/tx.h's: BFD takes the way that the
 * path's sessions take, whatever the kernel's routes are.
 */
#ifndef FL_AGENT_NET_BFD_SOCK_H
#define FL_AGENT_NET_BFD_SOCK_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/addr.h"
#include "agent/base/monotime.h"

/* Read by one call at most (chosen: what some hundred paths send to one socket at once). */
#define FL_BFD_BATCH 16

/* Larger ones are cut, and refused by whoever reads them. */
#define FL_BFD_DATAGRAM_MAX 1500

struct fl_bfd_datagram {
	struct fl_addr source;
	uint16_t source_port;
	uint32_t ifindex; /* device of the kernel's that it came in by; 0: unknown */
	struct fl_mono at;
	size_t len;
	uint8_t data[FL_BFD_DATAGRAM_MAX];
};

/**
 * fl_bfd_sock_open() - be ready for what comes to @local
 * @port: host order
 *
 * The address need not exist yet. Return: a non-blocking socket, -EADDRINUSE if somebody else has
 * it, -errno.
 */
int fl_bfd_sock_open(const struct fl_addr *local, uint16_t port);

/**
 * fl_bfd_sock_recv() - the next datagrams that are waiting
 * @ret_datagrams: room for @max, at most FL_BFD_BATCH
 *
 * Their times are the kernel's, of their arrival; that of the call if the kernel has none, or none
 * that can be true. Return: how many; less than @max if no more are waiting; -errno.
 */
int fl_bfd_sock_recv(int fd, struct fl_bfd_datagram *ret_datagrams, unsigned int max);

#endif

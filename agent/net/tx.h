/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending of packets that the agent has built: by packet sockets, past queueing disciplines and
 * past our own TC program, in batches.
 */
#ifndef FL_AGENT_NET_TX_H
#define FL_AGENT_NET_TX_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/netinfo.h"

struct fl_tx;

int fl_tx_new(struct fl_tx **ret_tx);
void fl_tx_free(struct fl_tx *tx);

/**
 * fl_tx_room() - memory to build the next packet in
 *
 * Return: FL_TX_MAX_PACKET bytes for an IP packet, valid until fl_tx_queue() or fl_tx_flush().
 */
uint8_t *fl_tx_room(struct fl_tx *tx);

/**
 * fl_tx_queue() - take the packet built in fl_tx_room()
 * @len: bytes of the IP packet
 *
 * It leaves with the next fl_tx_flush(), or when the batch is full.
 */
void fl_tx_queue(struct fl_tx *tx, const struct fl_tx_to *to, size_t len);

/**
 * fl_tx_flush() - send what is queued
 *
 * Return: packets that the kernel refused since the last call.
 */
unsigned int fl_tx_flush(struct fl_tx *tx);

#endif

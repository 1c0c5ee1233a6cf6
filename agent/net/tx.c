// SPDX-License-Identifier: Apache-2.0
/* Packet sending: see tx.h. */
#include "agent/net/tx.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "common/hdr.h"

#define BATCH   64
#define L2_ROOM 22 /* Ethernet and two tags */

struct slot {
	uint8_t l2[L2_ROOM];
	uint8_t packet[FL_TX_MAX_PACKET];
};

struct fl_tx {
	int fd;
	unsigned int count;
	unsigned int refused;
	struct slot *slots;
	struct mmsghdr msgs[BATCH];
	struct sockaddr_ll to[BATCH];
	struct iovec iov[BATCH][2];
};

int fl_tx_new(struct fl_tx **ret_tx)
{
	struct fl_tx *tx = calloc(1, sizeof(*tx));
	int on = 1;

	if (!tx)
		return -ENOMEM;
	/* Protocol 0: this socket only sends. */
	tx->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	tx->slots = malloc(BATCH * sizeof(*tx->slots));
	if (tx->fd < 0 || !tx->slots) {
		int err = tx->fd < 0 ? -errno : -ENOMEM;

		fl_tx_free(tx);
		return err;
	}
	setsockopt(tx->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
	*ret_tx = tx;
	return 0;
}

void fl_tx_free(struct fl_tx *tx)
{
	if (!tx)
		return;
	if (tx->fd >= 0)
		close(tx->fd);
	free(tx->slots);
	free(tx);
}

uint8_t *fl_tx_room(struct fl_tx *tx)
{
	if (tx->count == BATCH)
		tx->refused += fl_tx_flush(tx);
	return tx->slots[tx->count].packet;
}

/* Link header, right-aligned in front of the packet; returns its length. */
static size_t build_l2(const struct fl_tx_to *to, uint8_t l2[L2_ROOM])
{
	size_t len = 14u + (to->vlan ? 4u : 0u) + (to->ivlan ? 4u : 0u), at = 12;
	uint8_t *p = l2 + L2_ROOM - len;

	memcpy(p, to->dmac, 6);
	memcpy(p + 6, to->smac, 6);
	if (to->vlan) {
		fl_put_u16(p + at, to->ivlan ? FL_ETH_P_8021AD : FL_ETH_P_8021Q);
		fl_put_u16(p + at + 2, to->vlan);
		at += 4;
	}
	if (to->ivlan) {
		fl_put_u16(p + at, FL_ETH_P_8021Q);
		fl_put_u16(p + at + 2, to->ivlan);
		at += 4;
	}
	fl_put_u16(p + at, to->family == 6 ? FL_ETH_P_IPV6 : FL_ETH_P_IP);
	return len;
}

void fl_tx_queue(struct fl_tx *tx, const struct fl_tx_to *to, size_t len)
{
	unsigned int i = tx->count++;
	struct slot *slot = &tx->slots[i];
	size_t l2 = to->l3 ? 0 : build_l2(to, slot->l2);

	tx->to[i] = (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)to->ifindex,
		.sll_protocol = htons(to->family == 6 ? FL_ETH_P_IPV6 : FL_ETH_P_IP),
		.sll_hatype = ARPHRD_ETHER,
		.sll_halen = 6,
	};
	memcpy(tx->to[i].sll_addr, to->dmac, 6);
	tx->iov[i][0] = (struct iovec){ slot->l2 + L2_ROOM - l2, l2 };
	tx->iov[i][1] = (struct iovec){ slot->packet, len };
	tx->msgs[i] = (struct mmsghdr){
		.msg_hdr = { .msg_name = &tx->to[i],
			     .msg_namelen = sizeof(tx->to[i]),
			     .msg_iov = l2 ? tx->iov[i] : &tx->iov[i][1],
			     .msg_iovlen = l2 ? 2 : 1 },
	};
}

unsigned int fl_tx_flush(struct fl_tx *tx)
{
	unsigned int done = 0, refused = tx->refused;

	tx->refused = 0;
	while (done < tx->count) {
		int sent = sendmmsg(tx->fd, tx->msgs + done, tx->count - done, 0);

		if (sent > 0) {
			done += (unsigned int)sent;
			continue;
		}
		if (sent < 0 && errno == EINTR)
			continue;
		/* Device gone or down, or its queue full: this packet is lost, the next may not be.
		 */
		refused++;
		done++;
	}
	tx->count = 0;
	return refused;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of netlink messages, as link.c and xdp_features.c read them. */
#ifndef FL_AGENT_CLI_NETLINK_H
#define FL_AGENT_CLI_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Attributes, one behind the other. The kernel's own macros for that mix signs. */
struct fl_nl_attributes {
	const char *at;
	size_t left;
};

/* The next one; false when there is none (or what there is makes no sense). */
static inline bool fl_nl_next(struct fl_nl_attributes *all, uint16_t *ret_type,
			      struct fl_nl_attributes *ret_value)
{
	struct rtattr head;
	size_t step;

	if (all->left < sizeof(head))
		return false;
	memcpy(&head, all->at, sizeof(head));
	if (head.rta_len < sizeof(head) || head.rta_len > all->left)
		return false;
	*ret_type = (uint16_t)(head.rta_type & NLA_TYPE_MASK);
	*ret_value =
		(struct fl_nl_attributes){ all->at + sizeof(head), head.rta_len - sizeof(head) };
	step = ((size_t)head.rta_len + 3) & ~(size_t)3;
	step = step < all->left ? step : all->left;
	all->at += step;
	all->left -= step;
	return true;
}

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * What the kernel says of a device by rtnetlink, for doctor. Not from /sys: that shows the
 * namespace in which it was mounted, which need not be the one that we are in.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/cli/doctor.h"

struct link_request {
	struct nlmsghdr head;
	struct ifinfomsg info;
};

/* Kind and other end out of the attributes of a link. */
static void read_attributes(const struct rtattr *attr, int len, struct fl_link_info *info)
{
	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len)) {
		const struct rtattr *sub = RTA_DATA(attr);
		int sub_len = (int)RTA_PAYLOAD(attr);

		if (attr->rta_type == IFLA_LINK && sub_len >= 4)
			memcpy(&info->other, sub, 4);
		else if (attr->rta_type == IFLA_LINK_NETNSID)
			info->elsewhere = true;
		if (attr->rta_type != IFLA_LINKINFO)
			continue;
		for (; RTA_OK(sub, sub_len); sub = RTA_NEXT(sub, sub_len))
			if (sub->rta_type == IFLA_INFO_KIND)
				snprintf(info->kind, sizeof(info->kind), "%.*s",
					 (int)RTA_PAYLOAD(sub), (const char *)RTA_DATA(sub));
	}
}

static int ask_link(int fd, unsigned int ifindex, struct fl_link_info *info)
{
	struct link_request request = {
		.head = { .nlmsg_len = sizeof(request),
			  .nlmsg_type = RTM_GETLINK,
			  .nlmsg_flags = NLM_F_REQUEST },
		.info = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex },
	};
	/* Room for the attributes of a device; what is cut is not needed. */
	union {
		struct nlmsghdr head;
		char bytes[32768];
	} answer;
	const struct ifinfomsg *link = NLMSG_DATA(&answer.head);
	ssize_t len;

	if (send(fd, &request, sizeof(request), 0) < 0)
		return -errno;
	len = recv(fd, &answer, sizeof(answer), 0);
	if (len < 0)
		return -errno;
	if (!NLMSG_OK(&answer.head, (size_t)len) || answer.head.nlmsg_type != RTM_NEWLINK)
		return -ENODEV;
	read_attributes(IFLA_RTA(link), (int)IFLA_PAYLOAD(&answer.head), info);
	return 0;
}

int fl_link_info(const char *ifname, struct fl_link_info *ret_info)
{
	unsigned int ifindex = if_nametoindex(ifname);
	struct fl_link_info info = { 0 };
	int fd, err;

	if (!ifindex)
		return -ENODEV;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	err = ask_link(fd, ifindex, &info);
	close(fd);
	if (!err)
		*ret_info = info;
	return err;
}

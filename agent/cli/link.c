// SPDX-License-Identifier: Apache-2.0
/*
 * What the kernel says of a device by rtnetlink, for doctor. Not from /sys: that shows the
 * namespace in which it was mounted, which need not be the one that we are in.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/cli/doctor.h"
#include "agent/cli/netlink.h"

struct link_request {
	struct nlmsghdr head;
	struct ifinfomsg info;
};

/* Kind and other end out of the attributes of a link. */
static void read_attributes(struct fl_nl_attributes all, struct fl_link_info *info)
{
	struct fl_nl_attributes value, part;
	uint16_t type;

	while (fl_nl_next(&all, &type, &value)) {
		if (type == IFLA_LINK && value.left >= sizeof(info->other))
			memcpy(&info->other, value.at, sizeof(info->other));
		else if (type == IFLA_LINK_NETNSID)
			info->elsewhere = true;
		while (type == IFLA_LINKINFO && fl_nl_next(&value, &type, &part)) {
			if (type == IFLA_INFO_KIND)
				snprintf(info->kind, sizeof(info->kind), "%.*s", (int)part.left,
					 part.at);
			type = IFLA_LINKINFO;
		}
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
	const size_t before = NLMSG_SPACE(sizeof(struct ifinfomsg));
	union {
		struct nlmsghdr head;
		char bytes[32768];
	} answer;
	ssize_t len;

	if (send(fd, &request, sizeof(request), 0) < 0)
		return -errno;
	len = recv(fd, &answer, sizeof(answer), 0);
	if (len < 0)
		return -errno;
	if ((size_t)len < before || answer.head.nlmsg_type != RTM_NEWLINK)
		return -ENODEV;
	read_attributes((struct fl_nl_attributes){ answer.bytes + before, (size_t)len - before },
			info);
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

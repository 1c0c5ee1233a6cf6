// SPDX-License-Identifier: Apache-2.0
/*
 * What a device can do with XDP, as its driver tells the kernel: generic netlink, family "netdev",
 * from kernel 6.3 on. Older ones do not say. (libbpf asks the same from 1.2 on; Debian 12 has 1.1.)
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/cli/doctor.h"
#include "agent/cli/netlink.h"

/* include/uapi/linux/netdev.h, which kernel 6.1 does not have. */
#define NETDEV_FAMILY             "netdev"
#define NETDEV_CMD_DEV_GET        1
#define NETDEV_A_DEV_IFINDEX      1
#define NETDEV_A_DEV_XDP_FEATURES 3

/* A request with one attribute. */
struct request {
	struct nlmsghdr head;
	struct genlmsghdr genl;
	struct nlattr attr;
	char value[16];
};

/*
 * Ask for one thing, and find attribute @want of at most @size bytes in the answer. Returns 0,
 * -errno as the kernel says it, or -ENODATA.
 */
static int ask(int fd, struct request *request, size_t value_len, uint16_t want, void *ret_value,
	       size_t size)
{
	const size_t before = NLMSG_SPACE(sizeof(struct genlmsghdr));
	struct fl_nl_attributes all, value;
	union {
		struct nlmsghdr head;
		char bytes[8192];
	} answer;
	uint16_t type;
	ssize_t len;

	request->attr.nla_len = (uint16_t)(sizeof(request->attr) + value_len);
	request->head.nlmsg_len =
		(uint32_t)(offsetof(struct request, value) + ((value_len + 3) & ~(size_t)3));
	request->head.nlmsg_flags = NLM_F_REQUEST;
	if (send(fd, request, request->head.nlmsg_len, 0) < 0)
		return -errno;
	len = recv(fd, &answer, sizeof(answer), 0);
	if (len < 0)
		return -errno;
	if (answer.head.nlmsg_type == NLMSG_ERROR &&
	    (size_t)len >= NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		return ((const struct nlmsgerr *)NLMSG_DATA(&answer.head))->error;
	all = (struct fl_nl_attributes){ answer.bytes + before,
					 (size_t)len < before ? 0 : (size_t)len - before };
	while (fl_nl_next(&all, &type, &value)) {
		if (type != want || value.left < size)
			continue;
		memcpy(ret_value, value.at, size);
		return 0;
	}
	return -ENODATA;
}

static int find_family(int fd, uint16_t *ret_family)
{
	struct request request = { .head.nlmsg_type = GENL_ID_CTRL,
				   .genl = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
				   .attr.nla_type = CTRL_ATTR_FAMILY_NAME,
				   .value = NETDEV_FAMILY };

	return ask(fd, &request, sizeof(NETDEV_FAMILY), CTRL_ATTR_FAMILY_ID, ret_family,
		   sizeof(*ret_family));
}

int fl_xdp_features(const char *ifname, uint64_t *ret_features)
{
	struct request request = { .genl = { .cmd = NETDEV_CMD_DEV_GET, .version = 1 },
				   .attr.nla_type = NETDEV_A_DEV_IFINDEX };
	uint32_t ifindex = if_nametoindex(ifname);
	uint16_t family = 0;
	int fd, err;

	if (!ifindex)
		return -ENODEV;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (fd < 0)
		return -errno;
	err = find_family(fd, &family);
	if (!err) {
		request.head.nlmsg_type = family;
		memcpy(request.value, &ifindex, sizeof(ifindex));
		err = ask(fd, &request, sizeof(ifindex), NETDEV_A_DEV_XDP_FEATURES, ret_features,
			  sizeof(*ret_features));
	}
	close(fd);
	return err;
}

// SPDX-License-Identifier: Apache-2.0
/* BFD sockets: see bfd_sock.h. */
#include "agent/net/bfd_sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A time stamp that is older than this is not one: the wall clock was set (chosen). */
#define OLDEST_NS (5 * FL_NS_PER_S)

static socklen_t sockaddr_of(const struct fl_addr *addr, uint16_t port, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	if (addr->family == 6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		memcpy(&in6->sin6_addr, addr->b, 16);
		return sizeof(*in6);
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	memcpy(&in->sin_addr, addr->b, 4);
	return sizeof(*in);
}

static int set_options(int fd, uint8_t family)
{
	const int level = family == 6 ? IPPROTO_IPV6 : IPPROTO_IP;
	const int info = family == 6 ? IPV6_RECVPKTINFO : IP_PKTINFO;
	const int bind_free = family == 6 ? IPV6_FREEBIND : IP_FREEBIND;
	int on = 1, room = 1 << 20;

	/* More than fits is lost like on a bad link; bursts of many peers should fit. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (setsockopt(fd, level, bind_free, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, level, info, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
		return -errno;
	if (family == 6 && setsockopt(fd, level, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

int fl_bfd_sock_open(const struct fl_addr *local, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_of(local, port, &ss);
	int fd, err;

	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	err = set_options(fd, local->family);
	if (!err && bind(fd, (const struct sockaddr *)&ss, len) < 0)
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/*
 * A time of the wall clock as one of the monotonic clock. The two are read one right after the
 * other: a monotonic time from before the sockets were read would have packets arrive earlier than
 * they did, and an echo that is back in no time before it was sent.
 */
static struct fl_mono arrival(const struct timespec *wall)
{
	uint64_t then = (uint64_t)wall->tv_sec * FL_NS_PER_S + (uint64_t)wall->tv_nsec;
	uint64_t wall_now = fl_wall_now_ns();
	struct fl_mono now = fl_mono_now();

	if (then > wall_now || wall_now - then > OLDEST_NS || wall_now - then > now.ns)
		return now;
	return (struct fl_mono){ now.ns - (wall_now - then) };
}

static void read_control(struct msghdr *msg, struct fl_bfd_datagram *d)
{
	struct in6_pktinfo info6;
	struct in_pktinfo info;
	struct timespec wall;

	d->at = fl_mono_now();
	d->ifindex = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
			memcpy(&wall, CMSG_DATA(c), sizeof(wall));
			d->at = arrival(&wall);
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			d->ifindex = (uint32_t)info.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info6, CMSG_DATA(c), sizeof(info6));
			d->ifindex = info6.ipi6_ifindex;
		}
	}
}

/* The kernel's room for what belongs to one datagram. */
struct slot {
	struct sockaddr_storage from;
	struct iovec iov;
	union {
		struct cmsghdr align;
		uint8_t bytes[256];
	} control;
};

static void read_slot(const struct slot *slot, struct mmsghdr *msg, struct fl_bfd_datagram *d)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&slot->from;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&slot->from;

	d->len = msg->msg_len;
	if (slot->from.ss_family == AF_INET6) {
		d->source = fl_addr_from(6, (const uint8_t *)&in6->sin6_addr);
		d->source_port = ntohs(in6->sin6_port);
	} else {
		d->source = fl_addr_from(4, (const uint8_t *)&in->sin_addr);
		d->source_port = ntohs(in->sin_port);
	}
	read_control(&msg->msg_hdr, d);
}

int fl_bfd_sock_recv(int fd, struct fl_bfd_datagram *ret_datagrams, unsigned int max)
{
	struct slot slots[FL_BFD_BATCH];
	struct mmsghdr msgs[FL_BFD_BATCH];
	int count;

	for (unsigned int i = 0; i < max; i++) {
		slots[i].iov =
			(struct iovec){ ret_datagrams[i].data, sizeof(ret_datagrams[i].data) };
		msgs[i].msg_hdr =
			(struct msghdr){ .msg_name = &slots[i].from,
					 .msg_namelen = sizeof(slots[i].from),
					 .msg_iov = &slots[i].iov,
					 .msg_iovlen = 1,
					 .msg_control = slots[i].control.bytes,
					 .msg_controllen = sizeof(slots[i].control.bytes) };
	}
	count = recvmmsg(fd, msgs, max, 0, NULL);
	if (count < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	for (int i = 0; i < count; i++)
		read_slot(&slots[i], &msgs[i], &ret_datagrams[i]);
	return count;
}

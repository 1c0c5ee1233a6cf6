// SPDX-License-Identifier: Apache-2.0
/*
 * rtnetlink: see rtnl.h. Three sockets, for events, for dumps and for requests, each with a buffer
 * of its own: who is told of an event or of a line of a dump asks for routes meanwhile, and an
 * answer is never waited for behind a stream of events.
 */
#include "agent/net/rtnl.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/base/log.h"
#include "agent/net/rtnl_internal.h"

#define ANSWER_MS    500
#define EVENT_BUFFER (8 << 20)

/*
 * More messages than the buffer of events holds, which the kernel doubles: none takes less memory
 * than this. What is read after so many has come after the loss.
 */
#define LOST_READS (2 * EVENT_BUFFER / 512)

/* Dumps that a change interrupted: chosen; then the loop's other work comes first. */
#define DUMP_TRIES 8

/* --- sockets ---------------------------------------------------------------------------------- */

static int open_socket(struct fl_rtnl_socket *s, unsigned int groups)
{
	const struct timeval answer = { .tv_usec = ANSWER_MS * 1000 };
	struct mnl_socket *mnl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int err, on = 1;

	if (!mnl)
		return -errno;
	/* Only what is asked for by hand: other processes' requests are not ours. */
	mnl_socket_setsockopt(mnl, NETLINK_EXT_ACK, &on, sizeof(on));
	if (mnl_socket_bind(mnl, groups, MNL_SOCKET_AUTOPID) < 0) {
		err = -errno;
		mnl_socket_close(mnl);
		return err;
	}
	setsockopt(mnl_socket_get_fd(mnl), SOL_SOCKET, SO_RCVTIMEO, &answer, sizeof(answer));
	s->mnl = mnl;
	return 0;
}

int fl_rtnl_new(const struct fl_rtnl_events *events, void *ctx, struct fl_rtnl **ret_rtnl)
{
	const unsigned int groups = RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR |
				    RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE |
				    RTMGRP_IPV4_RULE | (1u << (RTNLGRP_IPV6_RULE - 1));
	struct fl_rtnl *rtnl = calloc(1, sizeof(*rtnl));
	int err, size = EVENT_BUFFER;

	if (!rtnl)
		return -ENOMEM;
	rtnl->events = events;
	rtnl->ctx = ctx;
	err = open_socket(&rtnl->monitor, groups);
	if (err >= 0)
		err = open_socket(&rtnl->dumps, 0);
	if (err >= 0)
		err = open_socket(&rtnl->requests, 0);
	if (err < 0) {
		fl_rtnl_free(rtnl);
		return err;
	}
	setsockopt(fl_rtnl_fd(rtnl), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	*ret_rtnl = rtnl;
	return 0;
}

static void close_socket(struct fl_rtnl_socket *s)
{
	if (s->mnl)
		mnl_socket_close(s->mnl);
}

void fl_rtnl_free(struct fl_rtnl *rtnl)
{
	if (!rtnl)
		return;
	close_socket(&rtnl->monitor);
	close_socket(&rtnl->dumps);
	close_socket(&rtnl->requests);
	fl_rtnl_forget(rtnl);
	free(rtnl);
}

int fl_rtnl_fd(const struct fl_rtnl *rtnl)
{
	return mnl_socket_get_fd(rtnl->monitor.mnl);
}

/* --- answers ---------------------------------------------------------------------------------- */

/* How a request ended, as far as it is known. */
struct ending {
	bool done;
	bool interrupted;
	int err;
};

static int code_of(const struct nlmsghdr *nlh)
{
	int code = 0;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(code))
		memcpy(&code, mnl_nlmsg_get_payload(nlh), sizeof(code));
	return code;
}

static void take_answer(const struct nlmsghdr *nlh, mnl_cb_t cb, void *data, struct ending *end)
{
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		end->interrupted = true;
	switch (nlh->nlmsg_type) {
	case NLMSG_DONE:
	case NLMSG_ERROR: /* also the acknowledgement: error 0 */
		end->done = true;
		end->err = code_of(nlh);
		break;
	case NLMSG_NOOP:
	case NLMSG_OVERRUN:
		break;
	default:
		cb(nlh, data);
		break;
	}
}

int fl_rtnl_transact(struct fl_rtnl_socket *s, struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	struct ending end = { 0 };
	const struct nlmsghdr *answer;
	ssize_t len;
	int left;

	nlh->nlmsg_seq = ++s->seq;
	if (mnl_socket_sendto(s->mnl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	/* Whatever is said, to the last of it: the kernel does one dump for a socket at a time. */
	while (!end.done) {
		len = mnl_socket_recvfrom(s->mnl, s->buf, sizeof(s->buf));
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		left = (int)len;
		answer = (const struct nlmsghdr *)(const void *)s->buf;
		for (; mnl_nlmsg_ok(answer, left); answer = mnl_nlmsg_next(answer, &left))
			/* Other numbers: a request that was not waited for long enough. */
			if (answer->nlmsg_seq == s->seq)
				take_answer(answer, cb, data, &end);
	}
	return end.err ? end.err : end.interrupted ? -EINTR : 0;
}

/* --- reading everything ----------------------------------------------------------------------- */

static int dump(struct fl_rtnl *rtnl, uint16_t type)
{
	uint8_t request[FL_RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	if (type == RTM_GETLINK)
		mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	else if (type == RTM_GETADDR)
		mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifaddrmsg));
	else
		mnl_nlmsg_put_extra_header(nlh, sizeof(struct ndmsg));
	return fl_rtnl_transact(&rtnl->dumps, nlh, fl_rtnl_tell, rtnl);
}

/* One after another, each until nothing changed while it was read. */
static int read_everything(struct fl_rtnl *rtnl)
{
	static const struct {
		uint16_t type;
		enum fl_rtnl_kind kind;
	} dumps[] = {
		{ RTM_GETLINK, FL_RTNL_LINK },
		{ RTM_GETADDR, FL_RTNL_ADDR },
		{ RTM_GETNEIGH, FL_RTNL_NEIGH },
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(dumps) / sizeof(dumps[0]) && !err; i++) {
		for (int try = 0; try < DUMP_TRIES; try++) {
			rtnl->round++;
			err = dump(rtnl, dumps[i].type);
			if (err != -EINTR)
				break;
		}
		if (!err)
			fl_rtnl_sweep(rtnl, dumps[i].kind);
	}
	return err;
}

int fl_rtnl_start(struct fl_rtnl *rtnl)
{
	int err = read_everything(rtnl);

	rtnl->behind = err == -EINTR;
	return rtnl->behind ? 0 : err;
}

/*
 * What waits in the socket is older than the loss: a neighbour may come in it whose going was lost.
 * The kernel queues nothing new until all of it has been read. Then everything is read, and what
 * comes by the socket from now on is news to that.
 */
static int catch_up(struct fl_rtnl *rtnl)
{
	struct fl_rtnl_socket *s = &rtnl->monitor;
	int err;

	for (int i = 0; i < LOST_READS; i++)
		if (recv(fl_rtnl_fd(rtnl), s->buf, sizeof(s->buf), MSG_DONTWAIT) < 0 &&
		    errno == EAGAIN)
			break;
	err = read_everything(rtnl);
	rtnl->behind = err < 0;
	/* Routes are not kept, but answers about them are. */
	rtnl->events->route(rtnl->ctx);
	return err == -EINTR ? 0 : err;
}

int fl_rtnl_catch_up(struct fl_rtnl *rtnl)
{
	return rtnl->behind ? catch_up(rtnl) : 0;
}

bool fl_rtnl_is_behind(const struct fl_rtnl *rtnl)
{
	return rtnl->behind;
}

static void tell_all(struct fl_rtnl *rtnl, size_t len)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)rtnl->monitor.buf;
	int left = (int)len;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		fl_rtnl_tell(nlh, rtnl);
}

int fl_rtnl_dispatch(struct fl_rtnl *rtnl)
{
	struct fl_rtnl_socket *s = &rtnl->monitor;
	ssize_t len;

	/* A bounded number of reads: the loop has other work too. */
	for (int i = 0; i < 64; i++) {
		len = recv(fl_rtnl_fd(rtnl), s->buf, sizeof(s->buf), MSG_DONTWAIT);
		if (len < 0 && errno == ENOBUFS) {
			fl_log_ratelimited(&rtnl->lost_rate, FL_LOG_WARNING,
					   "netlink events were lost, reading everything anew");
			return catch_up(rtnl);
		}
		if (len < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		tell_all(rtnl, (size_t)len);
	}
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* Connections to routers: see routers.h. */
#include "agent/insightd/routers.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/monotime.h"

#define MAX_ROUTERS 64
#define LOOK_US     (2 * 1000000ULL)
#define LATE_S      900         /* a router tells within two minutes, Zoom after five */
#define IN_BYTES    (128 << 10) /* read in one go of the loop; more than a line */

struct router {
	struct fl_routers *all;
	char path[108];
	int fd; /* -1: not connected */
	sd_event_source *source;
	struct fl_receiver *receiver;  /* of this connection */
	struct fl_receiver_stats last; /* of the one before */
	bool told;                     /* what is wrong with it: once */
	size_t in_len;
	char in[IN_BYTES];
};

struct fl_routers {
	sd_event *event;
	struct fl_routers_cfg cfg;
	char *pattern;
	sd_event_source *look;
	struct router *routers[MAX_ROUTERS];
	size_t count;
};

/* What is not acknowledged comes again. */
static void hang_up(struct router *r, const char *why)
{
	if (why && !r->told)
		fl_warning("router%s%s at %s: %s; connecting again", r->last.router[0] ? " " : "",
			   r->last.router, r->path, why);
	r->told |= why != NULL;
	r->source = sd_event_source_disable_unref(r->source);
	if (r->receiver)
		fl_receiver_stats(r->receiver, &r->last);
	fl_receiver_free(r->receiver);
	r->receiver = NULL;
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	r->in_len = 0;
}

static void store_failed(struct router *r, int err)
{
	static struct fl_log_rate rate;

	if (err == -EUCLEAN)
		r->all->cfg.damaged(r->all->cfg.ctx);
	else
		fl_log_ratelimited(&rate, FL_LOG_WARNING,
				   "what router %s tells cannot be stored: %s; it keeps it",
				   r->last.router, strerror(-err));
	hang_up(r, NULL);
}

/* Return: false if the connection is gone. */
static bool commit(struct router *r)
{
	int64_t late_s = (int64_t)(fl_wall_now_ns() / FL_NS_PER_S) - LATE_S;
	struct fl_receiver_span late;
	char line[64];
	uint64_t ack;
	int err = fl_receiver_commit(r->receiver, late_s, &ack, &late), len;

	if (err) {
		store_failed(r, err);
		return false;
	}
	if (!ack)
		return true;
	len = fl_export_ack_encode(ack, line, sizeof(line));
	/* The socket has room for far more than this; if not, the router is stuck. */
	if (len < 0 || send(r->fd, line, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) != len) {
		hang_up(r, "it takes no acknowledgement");
		return false;
	}
	r->all->cfg.came(r->all->cfg.ctx, &late);
	return true;
}

static bool take_line(struct router *r, const char *line, size_t len)
{
	int err = fl_receiver_line(r->receiver, line, len);

	if (err > 0)
		return commit(r);
	if (err == -EBADMSG) {
		hang_up(r, r->last.router[0]
				   ? "it talks nonsense"
				   : "somebody else reads it, or it is of another version");
		return false;
	}
	if (err) {
		store_failed(r, err);
		return false;
	}
	if (!r->last.router[0]) {
		fl_receiver_stats(r->receiver, &r->last);
		r->told = false;
		fl_notice("router %s of site %s tells by %s", r->last.router, r->last.site,
			  r->path);
	}
	return true;
}

static int on_input(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct router *r = userdata;
	char *line = r->in, *end;
	ssize_t got = recv(fd, r->in + r->in_len, sizeof(r->in) - r->in_len, MSG_DONTWAIT);

	(void)source;
	(void)revents;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0) {
		hang_up(r, r->last.router[0] ? "it hung up" : NULL);
		return 0;
	}
	r->in_len += (size_t)got;
	while ((end = memchr(line, '\n', r->in_len - (size_t)(line - r->in)))) {
		if (!take_line(r, line, (size_t)(end - line)))
			return 0;
		line = end + 1;
	}
	r->in_len -= (size_t)(line - r->in);
	memmove(r->in, line, r->in_len);
	if (r->in_len == sizeof(r->in))
		hang_up(r, "a line without end");
	else
		commit(r);
	return 0;
}

static int dial(struct router *r)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int err;

	memcpy(addr.sun_path, r->path, sizeof(addr.sun_path));
	r->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (r->fd < 0 || connect(r->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	memset(&r->last, 0, sizeof(r->last));
	err = fl_receiver_new(r->all->cfg.store, &r->receiver);
	if (!err)
		err = sd_event_add_io(r->all->event, &r->source, r->fd, EPOLLIN, on_input, r);
	return err < 0 ? err : 0;
}

static void try(struct router *r)
{
	struct fl_receiver_stats before = r->last;
	int err = dial(r);

	if (err) {
		if (!r->told && err != -ECONNREFUSED && err != -ENOENT)
			fl_log_err(err, "cannot read router at %s", r->path);
		r->told = true;
		hang_up(r, NULL);
		r->last = before;
	}
}

static struct router *find(struct fl_routers *all, const char *path)
{
	struct router *r;

	for (size_t i = 0; i < all->count; i++)
		if (!strcmp(all->routers[i]->path, path))
			return all->routers[i];
	if (all->count == MAX_ROUTERS || strlen(path) >= sizeof(r->path))
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->all = all;
	r->fd = -1;
	memcpy(r->path, path, strlen(path) + 1);
	all->routers[all->count++] = r;
	return r;
}

static int on_look(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct fl_routers *all = userdata;
	glob_t found;

	(void)usec;
	if (!glob(all->pattern, 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			struct router *r = find(all, found.gl_pathv[i]);

			if (r && r->fd < 0)
				try(r);
		}
		globfree(&found);
	}
	sd_event_source_set_time_relative(source, LOOK_US);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

int fl_routers_new(sd_event *event, const struct fl_routers_cfg *cfg,
		   struct fl_routers **ret_routers)
{
	struct fl_routers *all = calloc(1, sizeof(*all));
	int err = -ENOMEM;

	if (!all)
		return -ENOMEM;
	all->event = event;
	all->cfg = *cfg;
	all->pattern = strdup(cfg->pattern);
	if (all->pattern)
		err = sd_event_add_time_relative(event, &all->look, CLOCK_MONOTONIC, 0, 0, on_look,
						 all);
	if (err < 0) {
		fl_routers_free(all);
		return err;
	}
	*ret_routers = all;
	return 0;
}

void fl_routers_free(struct fl_routers *routers)
{
	if (!routers)
		return;
	for (size_t i = 0; i < routers->count; i++) {
		hang_up(routers->routers[i], NULL);
		free(routers->routers[i]);
	}
	sd_event_source_disable_unref(routers->look);
	free(routers->pattern);
	free(routers);
}

void fl_routers_json(const struct fl_routers *routers, struct fl_json *to)
{
	struct fl_json *list = fl_json_add_array(to, "routers");

	for (size_t i = 0; routers && i < routers->count; i++) {
		const struct router *r = routers->routers[i];
		struct fl_receiver_stats stats = r->last;
		struct fl_json *o;

		if (r->receiver)
			fl_receiver_stats(r->receiver, &stats);
		if (!stats.router[0])
			continue;
		o = fl_json_add_object(list, NULL);
		fl_json_add_string(o, "router", stats.router);
		fl_json_add_string(o, "site", stats.site);
		fl_json_add_string(o, "socket", r->path);
		fl_json_add_bool(o, "connected", r->fd >= 0);
		fl_json_add_u64(o, "records", stats.records);
		fl_json_add_u64(o, "unknown", stats.unknown);
		fl_json_add_u64(o, "dropped", stats.dropped);
	}
}

// SPDX-License-Identifier: Apache-2.0
/* BFD's thread: see io.h. What the thread itself does is at the end. */
#include "agent/bfd/io.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/rand.h"
#include "agent/net/bfd_sock.h"
#include "agent/net/strain.h"
#include "agent/net/tx.h"
#include "agent/path/watch.h"

/* Before fairleadd's own work and most other things, behind what the kernel must do (chosen). */
#define REALTIME_PRIORITY 10
/* Later than this the whole host was busy, and packets may still be on their way to the sockets. */
#define LATE_NS (20 * FL_NS_PER_MS)
/* What they get then. */
#define GRACE_NS (5 * FL_NS_PER_MS)
/*
 * Rest after every turn, so that packets are handled by the batch where there are many paths: times
 * of arrival are the kernel's, and an answer may be this late (chosen: a twelfth of the shortest
 * interval of any path, which is 4 ms at 50 ms and 83 ms at a second). What must be punctual ends
 * it. On a host with nothing else to do, waking costs more than what is then done: caches are cold.
 */
#define REST_SHARE  12
#define REST_MAX_NS (100 * FL_NS_PER_MS)
/* Means grow old, sockets are tried again. */
#define REFRESH_US 1000000
/* Datagrams read before timers have their turn: what thousands of paths send at once (chosen). */
#define DRAIN_MAX 8192

/* Sockets that are waited for, and the eventfd (chosen: as many waypoints as a router may have). */
#define FDS_MAX (4 * FL_MAX_IFACES + 1)

/* One for each local waypoint. */
struct sock {
	struct fl_addr local;
	int fd;       /* below 0: could not be opened yet */
	int last_err; /* said once */
};

struct fl_bfd_io {
	struct fl_bfd_io_cfg cfg;
	const struct fl_config *config;
	struct fl_fabric *fabric;
	sd_event_source *news;
	sd_event_source *refresh;
	pthread_t thread;
	bool running;
	int kick_fd; /* to the thread: look again */
	int news_fd; /* from the thread: something changed */
	atomic_bool stop;

	pthread_mutex_t lock; /* of all that follows */
	struct fl_watch *watch;
	struct fl_tx *tx;
	struct fl_strain *strain; /* NULL: this host does not tell */
	struct sock *socks;
	size_t n_socks;
	struct fl_bfd_io_stats stats;
	uint64_t rest_ns;
	struct fl_bfd_datagram datagrams[FL_BFD_BATCH];
};

static void io_lock(struct fl_bfd_io *io)
{
	pthread_mutex_lock(&io->lock);
}

static void io_unlock(struct fl_bfd_io *io)
{
	pthread_mutex_unlock(&io->lock);
}

static void signal_fd(int fd)
{
	const uint64_t one = 1;

	/* A full counter wakes as well as a larger one. */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

static void clear_fd(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return;
}

/* --- life ------------------------------------------------------------------------------------- */

static uint8_t *tx_room(void *ctx)
{
	return fl_tx_room(((struct fl_bfd_io *)ctx)->tx);
}

static void tx_queue(void *ctx, const struct fl_tx_to *to, size_t len)
{
	fl_tx_queue(((struct fl_bfd_io *)ctx)->tx, to, len);
}

static uint64_t strain(void *ctx)
{
	const struct fl_bfd_io *io = ctx;

	return fl_strain_read(io->strain) + io->stats.refused;
}

/*
 * When we started, later than any time before: by that peers tell our packets from those of an
 * earlier life. Two starts in one second, or a clock set back, must not look like one.
 */
static uint32_t start_time(const char *run_dir)
{
	uint32_t now = (uint32_t)(fl_wall_now_ns() / FL_NS_PER_S);
	unsigned int last = 0;
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/boot", run_dir);
	f = fopen(path, "re");
	if (f) {
		if (fscanf(f, "%u", &last) == 1 && last >= now)
			now = last + 1;
		fclose(f);
	}
	f = fopen(path, "we");
	if (f) {
		fprintf(f, "%u\n", now);
		fclose(f);
	}
	return now;
}

static int init_lock(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;
	int err;

	err = pthread_mutexattr_init(&attr);
	if (err)
		return -err;
	/* The loop, while it holds the lock, is as urgent as the thread that waits for it. */
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	err = pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return -err;
}

int fl_bfd_io_new(const struct fl_bfd_io_cfg *cfg, struct fl_bfd_io **ret_io)
{
	struct fl_bfd_io *io = calloc(1, sizeof(*io));
	const struct fl_watch_self self = {
		.boot = { start_time(cfg->run_dir), (uint32_t)fl_rand_u64() },
		.capability = FL_CAPABLE_VECTORS | (cfg->adopted ? FL_CAPABLE_KEPT : 0),
		.room = tx_room,
		.queue = tx_queue,
		.strain = strain,
		.ctx = io,
	};
	int err;

	if (!io)
		return -ENOMEM;
	io->cfg = *cfg;
	io->cfg.run_dir = NULL;
	io->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	io->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = io->kick_fd < 0 || io->news_fd < 0 ? -errno : init_lock(&io->lock);
	if (!err)
		err = fl_tx_new(&io->tx);
	if (!err)
		err = fl_watch_new(&self, &io->watch);
	if (err) {
		fl_bfd_io_free(io);
		return err;
	}
	if (fl_strain_new(&io->strain) < 0)
		fl_debug("BFD: this host does not say whether it keeps up with its packets");
	*ret_io = io;
	return 0;
}

void fl_bfd_io_free(struct fl_bfd_io *io)
{
	if (!io)
		return;
	if (io->running) {
		atomic_store(&io->stop, true);
		signal_fd(io->kick_fd);
		pthread_join(io->thread, NULL);
	}
	sd_event_source_unref(io->news);
	sd_event_source_unref(io->refresh);
	for (size_t i = 0; i < io->n_socks; i++)
		if (io->socks[i].fd >= 0)
			close(io->socks[i].fd);
	free(io->socks);
	fl_watch_free(io->watch);
	fl_tx_free(io->tx);
	fl_strain_free(io->strain);
	if (io->kick_fd >= 0)
		close(io->kick_fd);
	if (io->news_fd >= 0)
		close(io->news_fd);
	pthread_mutex_destroy(&io->lock);
	free(io);
}

void fl_bfd_io_configure(struct fl_bfd_io *io, const struct fl_config *config,
			 struct fl_rings *rings)
{
	io->config = config;
	io_lock(io);
	fl_watch_configure(io->watch, config->router.name, rings);
	io_unlock(io);
}

/* --- sockets ---------------------------------------------------------------------------------- */

static void open_sock(struct sock *sock)
{
	char text[FL_ADDR_TEXT];

	sock->fd = fl_bfd_sock_open(&sock->local, FL_BFD_PORT);
	if (sock->fd >= 0)
		sock->last_err = 0;
	if (sock->fd >= 0 || sock->fd == sock->last_err)
		return;
	sock->last_err = sock->fd;
	fl_log_err(sock->fd, "BFD cannot listen on %s, port %d; trying again every second",
		   fl_addr_format(&sock->local, text), FL_BFD_PORT);
}

/* Locked. Sockets stay open when no path needs them any more: what they get is a stranger's. */
static void need_sock(struct fl_bfd_io *io, const struct fl_addr *local)
{
	struct sock *grown;

	for (size_t i = 0; i < io->n_socks; i++)
		if (fl_addr_equal(&io->socks[i].local, local))
			return;
	grown = realloc(io->socks, (io->n_socks + 1) * sizeof(*grown));
	if (!grown)
		return;
	io->socks = grown;
	io->socks[io->n_socks] = (struct sock){ .local = *local };
	open_sock(&io->socks[io->n_socks++]);
}

/* --- paths ------------------------------------------------------------------------------------ */

static struct fl_bfd_cfg bfd_cfg(const struct fl_cfg_bfd *c)
{
	return (struct fl_bfd_cfg){
		.desired_tx_us = c->desired_tx_ms * 1000,
		.required_rx_us = c->required_min_rx_ms * 1000,
		.required_echo_us = c->required_min_echo_ms * 1000,
		.hold_down_ms = c->hold_down_s * 1000,
		.max_hold_down_ms = c->max_hold_down_s * 1000,
		.detect_mult = c->multiplier,
		.damping = c->dynamic_damping,
	};
}

static struct fl_watch_spec spec_of(const struct fl_bfd_io *io, const struct fl_path_rt *path,
				    const struct fl_path *entry)
{
	const struct fl_cfg_adjacency *cfg = path->cfg;
	struct fl_watch_spec spec = {
		.id = path->id,
		.enabled = cfg->bfd->enabled,
		.link_up = entry->state == FL_PATH_UP,
		.was_up = io->cfg.adopted && path->was_up,
		.dscp = cfg->bfd->dscp,
		/* The kernel takes tags off, and has another device for what is left. */
		.ifindex = entry->vlan ? 0 : entry->ifindex,
		.local = path->local,
		.remote = path->configured,
		.to = { .ifindex = entry->ifindex,
			.vlan = entry->vlan,
			.ivlan = entry->ivlan,
			.family = entry->family,
			.l3 = entry->tx_flags & FL_TX_L3 },
		.tx_policy = cfg->security,
		.rx_policy = io->config->interface[cfg->interface]->security,
		.proves = fl_policy_seals(io->config,
					  io->config->interface[cfg->interface]->security),
		.bfd = bfd_cfg(cfg->bfd),
		.echo = { .interval_ms = cfg->bfd->link_test_interval_s * 1000,
			  .length = cfg->bfd->link_test_length },
		.echo_detection = cfg->bfd->echo_detection,
		.rolling_ms = cfg->rolling_avg_s * 1000,
	};

	spec.echo.phase_ms = fl_echo_phase_ms(&spec.echo, path->id);
	memcpy(spec.to.dmac, entry->dmac, sizeof(spec.to.dmac));
	memcpy(spec.to.smac, entry->smac, sizeof(spec.to.smac));
	return spec;
}

/* Locked. */
static void set_rest(struct fl_bfd_io *io)
{
	io->rest_ns = fl_watch_pace_us(io->watch) * FL_NS_PER_US / REST_SHARE;
	if (io->rest_ns > REST_MAX_NS)
		io->rest_ns = REST_MAX_NS;
}

void fl_bfd_io_watch(struct fl_bfd_io *io, const struct fl_path_rt *path,
		     const struct fl_path *entry, struct fl_path_quality *quality)
{
	const struct fl_watch_spec spec = spec_of(io, path, entry);
	struct fl_mono now = fl_mono_now();

	io_lock(io);
	if (spec.enabled)
		need_sock(io, &spec.local);
	if (!fl_watch_set(io->watch, &spec, now))
		fl_watch_quality(io->watch, spec.id, now, quality);
	set_rest(io);
	io_unlock(io);
	signal_fd(io->kick_fd);
}

void fl_bfd_io_unwatch(struct fl_bfd_io *io, uint16_t path)
{
	io_lock(io);
	fl_watch_remove(io->watch, path, fl_mono_now());
	set_rest(io);
	io_unlock(io);
	signal_fd(io->kick_fd); /* it sends what there is to be said to the peer */
}

void fl_bfd_io_stats(struct fl_bfd_io *io, struct fl_bfd_io_stats *ret_stats)
{
	io_lock(io);
	*ret_stats = io->stats;
	ret_stats->strangers = fl_watch_strangers(io->watch);
	io_unlock(io);
}

/* --- news, in the loop ------------------------------------------------------------------------ */

static void tell(struct fl_bfd_io *io, uint16_t id, unsigned int news,
		 const struct fl_path_quality *quality)
{
	const struct fl_path_rt *path;

	fl_fabric_set_quality(io->fabric, id, quality);
	path = fl_fabric_path(io->fabric, id);
	if (!path || !path->cfg)
		return;
	if (news & FL_WATCH_MOVED) {
		fl_fabric_path_moved(io->fabric, id, &quality->outer);
		io->cfg.path_moved(io->cfg.ctx, id);
	}
	if (news & FL_WATCH_PEER_LOST)
		io->cfg.peer_lost(io->cfg.ctx, path->peer);
}

static int on_news(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct fl_bfd_io *io = userdata;
	struct fl_path_quality quality;
	unsigned int news;
	uint16_t id;

	(void)source;
	(void)revents;
	clear_fd(fd);
	do {
		io_lock(io);
		news = fl_watch_news(io->watch, &id);
		if (news)
			fl_watch_quality(io->watch, id, fl_mono_now(), &quality);
		io_unlock(io);
		if (news)
			tell(io, id, news, &quality);
	} while (news);
	return 0;
}

static int on_refresh(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct fl_bfd_io *io = userdata;
	struct fl_path_quality quality;

	for (uint16_t id = 1; id <= fl_fabric_path_limit(io->fabric); id++) {
		const struct fl_path_rt *path = fl_fabric_path(io->fabric, id);

		if (!path || !path->cfg || !path->cfg->bfd->enabled)
			continue;
		io_lock(io);
		fl_watch_quality(io->watch, id, fl_mono_now(), &quality);
		io_unlock(io);
		fl_fabric_set_quality(io->fabric, id, &quality);
	}
	io_lock(io);
	for (size_t i = 0; i < io->n_socks; i++)
		if (io->socks[i].fd < 0)
			open_sock(&io->socks[i]);
	io_unlock(io);
	sd_event_source_set_time(source, usec + REFRESH_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* --- the thread ------------------------------------------------------------------------------- */

static void take(struct fl_bfd_io *io, const struct sock *sock, struct fl_bfd_datagram *d)
{
	const struct fl_watch_packet packet = {
		.local = sock->local,
		.source = d->source,
		.source_port = d->source_port,
		.ifindex = d->ifindex,
		.data = d->data,
		.len = d->len,
		.at = d->at,
	};

	fl_watch_rx(io->watch, &packet);
}

/* Locked: what waits at one socket. */
static void drain(struct fl_bfd_io *io, const struct sock *sock)
{
	int count, n = 0;

	do {
		count = fl_bfd_sock_recv(sock->fd, io->datagrams, FL_BFD_BATCH);
		for (int i = 0; i < count; i++)
			take(io, sock, &io->datagrams[i]);
		n += count;
	} while (count == FL_BFD_BATCH && n < DRAIN_MAX);
}

/* Locked. Return: how many of @fds are in use: the first is kick_fd, then those of the sockets. */
static size_t poll_set(struct fl_bfd_io *io, struct pollfd *fds, size_t max)
{
	size_t n = 0;

	fds[n++] = (struct pollfd){ .fd = io->kick_fd, .events = POLLIN };
	/* Negative ones are passed over. */
	for (size_t i = 0; i < io->n_socks && n < max; i++)
		fds[n++] = (struct pollfd){ .fd = io->socks[i].fd, .events = POLLIN };
	return n;
}

/* Locked: all that has arrived, at whichever socket. */
static void drain_all(struct fl_bfd_io *io)
{
	struct pollfd fds[FDS_MAX];
	size_t n = poll_set(io, fds, FDS_MAX);

	if (poll(fds, n, 0) <= 0)
		return;
	for (size_t i = 1; i < n; i++)
		if (fds[i].revents)
			drain(io, &io->socks[i - 1]);
}

/* When to come again; @urgent: that must not wait for the end of a rest. */
struct next {
	struct fl_mono wake;
	struct fl_mono urgent;
	uint64_t rest_ns;
};

/*
 * One turn. The time by which timers are judged is taken before the sockets are read: nothing is
 * declared down for a packet that is waiting there. @late: the host was too busy to run us in time,
 * so perhaps too busy to bring packets as far as the sockets: they get a moment more.
 */
static struct next turn(struct fl_bfd_io *io, bool late)
{
	struct fl_mono now = fl_mono_now();
	struct next next = { { now.ns + GRACE_NS }, { UINT64_MAX }, GRACE_NS };

	io_lock(io);
	drain_all(io);
	if (late) {
		io->stats.late++;
	} else {
		fl_watch_run(io->watch, now);
		next.wake = fl_watch_wake(io->watch);
		next.urgent = fl_watch_urgent(io->watch);
		next.rest_ns = io->rest_ns;
	}
	io->stats.refused += fl_tx_flush(io->tx);
	if (fl_watch_has_news(io->watch))
		signal_fd(io->news_fd);
	io_unlock(io);
	return next;
}

static struct timespec until(struct fl_mono t)
{
	struct fl_mono now = fl_mono_now();
	uint64_t ns = t.ns > now.ns ? t.ns - now.ns : 0;

	return (struct timespec){ (time_t)(ns / FL_NS_PER_S), (long)(ns % FL_NS_PER_S) };
}

static void wait_for(struct fl_bfd_io *io, const struct next *next)
{
	struct fl_mono rested = { fl_mono_now().ns + next->rest_ns };
	struct timespec wait = until(next->urgent.ns < rested.ns ? next->urgent : rested);
	struct pollfd fds[FDS_MAX];
	struct timespec *timeout = NULL;
	size_t n;

	nanosleep(&wait, NULL);
	/* Where there is much to do there is nothing to wait for: the turn reads what has come. */
	if (fl_mono_reached(fl_mono_now(), next->wake))
		return;
	io_lock(io);
	n = poll_set(io, fds, FDS_MAX);
	io_unlock(io);
	if (next->wake.ns != UINT64_MAX) {
		wait = until(next->wake);
		timeout = &wait;
	}
	if (ppoll(fds, n, timeout, NULL) > 0 && (fds[0].revents & POLLIN))
		clear_fd(io->kick_fd);
}

/* Before other threads of this host, if that is allowed; else as any other. */
static bool hurry(void)
{
	const struct sched_param param = { .sched_priority = REALTIME_PRIORITY };

	prctl(PR_SET_TIMERSLACK, 100000);
	return !pthread_setschedparam(pthread_self(), SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
}

static void *watch_paths(void *arg)
{
	struct fl_bfd_io *io = arg;
	bool realtime = hurry(), late = false;
	struct next next;
	uint64_t now_ns;

	io_lock(io);
	io->stats.realtime = realtime;
	io_unlock(io);
	while (!atomic_load(&io->stop)) {
		next = turn(io, late);
		wait_for(io, &next);
		now_ns = fl_mono_now().ns;
		/* Twice in a row would be once too often. */
		late = !late && now_ns > next.wake.ns && now_ns - next.wake.ns > LATE_NS;
	}
	return NULL;
}

int fl_bfd_io_start(struct fl_bfd_io *io, struct fl_fabric *fabric, struct sd_event *event)
{
	sigset_t all, before;
	int err;

	io->fabric = fabric;
	err = sd_event_add_io(event, &io->news, io->news_fd, EPOLLIN, on_news, io);
	if (err >= 0)
		err = sd_event_source_set_priority(io->news, SD_EVENT_PRIORITY_IMPORTANT);
	if (err >= 0)
		err = sd_event_add_time_relative(event, &io->refresh, CLOCK_MONOTONIC, REFRESH_US,
						 1000, on_refresh, io);
	if (err < 0)
		return err;
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&io->thread, NULL, watch_paths, io);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	io->running = !err;
	return -err;
}

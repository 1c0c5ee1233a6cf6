// SPDX-License-Identifier: Apache-2.0
/*
 * A bad link between two network devices, for tests: it carries frames from one to the other and
 * loses, delays, duplicates, reorders or throttles them, each direction by itself, by dice that
 * fall the same way for the same seed. Works where the kernel has no netem (platform-agent.md G).
 *
 * usage: impair [-c SOCKET] [-s SEED] LEFT RIGHT [DIRECTION KEY=VALUE...]...
 *        impair -C SOCKET COMMAND...
 *
 * DIRECTION is there (LEFT to RIGHT), back, or both. -C talks to one that runs; COMMAND is one of
 *
 *	set DIRECTION KEY=VALUE...  change settings; what is under way stays as it is
 *	get                         settings, a line per direction
 *	stats                       counts, a line per direction
 *	reset                       counts from zero, and the dice from the seed
 *
 * One line in, lines out up to "ok" or "error: ...". Counts are printed at the end too.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "test/tools/impair.h"

#define BATCH         64
#define FRAME_MAX     (65536 + 64)
#define CLIENTS       8
#define LINE_MAX_     1024
#define SOCKET_RCVBUF (16 << 20)

struct device {
	const char *name;
	int fd;
};

struct client {
	int fd; /* -1: none */
	size_t len;
	char line[LINE_MAX_];
};

static struct device devices[2];
static struct impair impair;
static struct client clients[CLIENTS];
static int listener = -1;
static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "impair: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- frames ----------------------------------------------------------------------------------- */

static void open_device(struct device *dev, const char *name)
{
	struct sockaddr_ll addr = { .sll_family = AF_PACKET,
				    .sll_protocol = __builtin_bswap16(ETH_P_ALL),
				    .sll_ifindex = (int)if_nametoindex(name) };
	static const int options[] = { PACKET_IGNORE_OUTGOING, PACKET_QDISC_BYPASS, PACKET_AUXDATA,
				       PACKET_VNET_HDR };
	int on = 1, size = SOCKET_RCVBUF;

	dev->name = name;
	if (!addr.sll_ifindex)
		die(name);
	dev->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (dev->fd < 0)
		die("packet socket");
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (setsockopt(dev->fd, SOL_PACKET, options[i], &on, sizeof(on)) < 0)
			die("packet socket option");
	setsockopt(dev->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(dev->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	if (bind(dev->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("bind");
}

/* What the kernel says beside a frame: its VLAN tag, which it took off, and when it arrived. */
struct aside {
	bool tagged;
	uint16_t tci, tpid;
	uint64_t real_ns; /* 0: unknown */
};

static struct aside read_aside(struct msghdr *msg)
{
	struct aside a = { .tpid = 0x8100 };

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
			struct tpacket_auxdata aux;

			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
			a.tagged = aux.tp_status & TP_STATUS_VLAN_VALID;
			a.tci = aux.tp_vlan_tci;
			if (aux.tp_status & TP_STATUS_VLAN_TPID_VALID)
				a.tpid = aux.tp_vlan_tpid;
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
			struct timespec t;

			memcpy(&t, CMSG_DATA(c), sizeof(t));
			a.real_ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
		}
	}
	return a;
}

/* Put the tag back between addresses and type; the checksum's place moves with it. */
static size_t put_tag(uint8_t *data, size_t len, const struct aside *a)
{
	uint8_t *frame = data + IMPAIR_HDR_LEN;
	uint16_t start;

	if (!a->tagged || len < IMPAIR_HDR_LEN + 14)
		return len;
	memmove(frame + 16, frame + 12, len - IMPAIR_HDR_LEN - 12);
	frame[12] = (uint8_t)(a->tpid >> 8);
	frame[13] = (uint8_t)a->tpid;
	frame[14] = (uint8_t)(a->tci >> 8);
	frame[15] = (uint8_t)a->tci;
	/* struct virtio_net_hdr: flags (1 = checksum owed), ..., csum_start at 6 */
	if (data[0] & 1) {
		memcpy(&start, data + 6, 2);
		start = (uint16_t)(start + 4);
		memcpy(data + 6, &start, 2);
	}
	return len + 4;
}

static void receive(int dir)
{
	static uint8_t frames[BATCH][FRAME_MAX];
	static union {
		struct cmsghdr align;
		char data[256];
	} control[BATCH];
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	uint64_t now, real;
	int n;

	for (size_t i = 0; i < BATCH; i++) {
		/* Room for a tag. */
		iov[i] = (struct iovec){ frames[i], FRAME_MAX - 4 };
		msgs[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[i],
							 .msg_iovlen = 1,
							 .msg_control = &control[i],
							 .msg_controllen = sizeof(control[i]) } };
	}
	n = recvmmsg(devices[dir].fd, msgs, BATCH, MSG_DONTWAIT, NULL);
	now = clock_ns(CLOCK_MONOTONIC);
	real = clock_ns(CLOCK_REALTIME);
	for (int i = 0; i < n; i++) {
		struct aside a = read_aside(&msgs[i].msg_hdr);
		size_t len = put_tag(frames[i], msgs[i].msg_len, &a);
		uint64_t at = now;

		/* Delays run from arrival, not from when we came to read it. */
		if (a.real_ns && a.real_ns <= real && real - a.real_ns < 1000000000)
			at = now - (real - a.real_ns);
		impair_take(&impair, dir, frames[i], len, at);
	}
}

static void transmit(uint64_t now)
{
	struct impair_frame *f;

	while ((f = impair_due(&impair, now))) {
		struct impair_counts *c = &impair.dir[f->dir].counts;

		if (send(devices[!f->dir].fd, f->data, f->len, 0) < 0)
			c->errors++;
		else
			impair_sent(&impair, f, now);
		free(f);
	}
}

/* --- control ---------------------------------------------------------------------------------- */

static struct sockaddr_un unix_address(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(addr.sun_path)) {
		fprintf(stderr, "impair: %s: too long\n", path);
		exit(2);
	}
	memcpy(addr.sun_path, path, strlen(path) + 1);
	return addr;
}

static void listen_at(const char *path)
{
	struct sockaddr_un addr = unix_address(path);

	unlink(path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(listener, CLIENTS) < 0)
		die(path);
}

static void accept_client(void)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < CLIENTS; i++)
		if (clients[i].fd < 0) {
			clients[i].fd = fd;
			clients[i].len = 0;
			return;
		}
	if (fd >= 0)
		close(fd);
}

static void serve(struct client *c)
{
	ssize_t n = read(c->fd, c->line + c->len, sizeof(c->line) - 1 - c->len);
	char answer[4096], *end;

	if (n <= 0) {
		close(c->fd);
		c->fd = -1;
		return;
	}
	c->len += (size_t)n;
	c->line[c->len] = 0;
	while ((end = strchr(c->line, '\n'))) {
		*end++ = 0;
		impair_command(&impair, c->line, answer, sizeof(answer));
		if (write(c->fd, answer, strlen(answer)) < 0)
			break;
		c->len -= (size_t)(end - c->line);
		memmove(c->line, end, c->len + 1);
	}
	if (c->len == sizeof(c->line) - 1)
		c->len = 0; /* no line of ours is so long */
}

/* Client: send the words as a line, show the answer. */
static int talk(const char *path, char **words)
{
	struct sockaddr_un addr = unix_address(path);
	char text[LINE_MAX_] = "";
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = 0;
	FILE *in;

	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die(path);
	for (; *words && len < sizeof(text); words++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", *words,
					words[1] ? " " : "\n");
	if (len >= sizeof(text) || write(fd, text, len) < 0)
		die(path);
	in = fdopen(fd, "r");
	while (in && fgets(text, sizeof(text), in)) {
		if (!strcmp(text, "ok\n"))
			return 0;
		fputs(text, stdout);
		if (!strncmp(text, "error:", 6))
			return 1;
	}
	die("no answer");
}

/* --- main ------------------------------------------------------------------------------------- */

static void run(void)
{
	struct pollfd fds[3 + CLIENTS];
	struct timespec wait;

	while (!stop) {
		uint64_t next, now = clock_ns(CLOCK_MONOTONIC);

		transmit(now);
		next = impair_next(&impair);
		now = clock_ns(CLOCK_MONOTONIC);
		next = next > now ? next - now : 0;
		wait = (struct timespec){ (time_t)(next / 1000000000), (long)(next % 1000000000) };
		for (int i = 0; i < 2; i++)
			fds[i] = (struct pollfd){ .fd = devices[i].fd, .events = POLLIN };
		fds[2] = (struct pollfd){ .fd = listener, .events = POLLIN };
		for (int i = 0; i < CLIENTS; i++)
			fds[3 + i] = (struct pollfd){ .fd = clients[i].fd, .events = POLLIN };
		if (ppoll(fds, 3 + CLIENTS, impair_next(&impair) == UINT64_MAX ? NULL : &wait,
			  NULL) <= 0)
			continue;
		for (int i = 0; i < 2; i++)
			if (fds[i].revents)
				receive(i);
		for (int i = 0; i < CLIENTS; i++)
			if (fds[3 + i].revents)
				serve(&clients[i]);
		if (fds[2].revents)
			accept_client();
	}
}

static void usage(void)
{
	fprintf(stderr, "usage: impair [-c SOCKET] [-s SEED] LEFT RIGHT [there|back|both "
			"KEY=VALUE...]...\n"
			"       impair -C SOCKET set DIRECTION KEY=VALUE...|get|stats|reset\n");
	exit(2);
}

/* Settings from the command line, a direction at a time. */
static void apply(char **args)
{
	char line[LINE_MAX_], answer[4096];

	while (*args) {
		int len = snprintf(line, sizeof(line), "set %s", *args++);

		while (*args && strchr(*args, '=') && len < (int)sizeof(line))
			len += snprintf(line + len, sizeof(line) - (size_t)len, " %s", *args++);
		if (!impair_command(&impair, line, answer, sizeof(answer))) {
			fprintf(stderr, "impair: %s", answer);
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	const char *control = NULL;
	uint64_t seed = 1;
	char text[4096];
	int option;

	while ((option = getopt(argc, argv, "+c:C:s:")) != -1) {
		if (option == 'C')
			return talk(optarg, argv + optind);
		if (option == 'c')
			control = optarg;
		else if (option == 's')
			seed = strtoull(optarg, NULL, 0);
		else
			usage();
	}
	if (argc - optind < 2)
		usage();
	impair_init(&impair, seed);
	apply(argv + optind + 2);
	for (int i = 0; i < 2; i++)
		open_device(&devices[i], argv[optind + i]);
	for (int i = 0; i < CLIENTS; i++)
		clients[i].fd = -1;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1);
	if (control)
		listen_at(control);
	run();
	if (control)
		unlink(control);
	impair_command(&impair, "stats", text, sizeof(text));
	printf("%.*s", (int)strlen(text) - 3, text); /* without "ok" */
	return 0;
}

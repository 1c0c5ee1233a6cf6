// SPDX-License-Identifier: Apache-2.0
/*
 * Our BFD state machine and packets against other people's: one session as RFC 5881 has them, on
 * port 3784, without authentication and metadata. Says "up" and "down CAUSE" on stdout as it
 * happens, and runs until it is killed.
 *
 * usage: bfd_plain LOCAL REMOTE INTERVAL_MS MULTIPLIER
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/base/addr.h"
#include "agent/net/bfd_sock.h"
#include "agent/path/bfd_fsm.h"

/* RFC 5881 4, 5 */
#define PORT        3784
#define SOURCE_PORT 49152
#define TTL         255

struct session {
	struct fl_bfd bfd;
	struct fl_addr remote;
	int rx_fd;
	int tx_fd;
};

static int fail(const char *what, int err)
{
	fprintf(stderr, "bfd_plain: %s: %s\n", what, strerror(-err));
	return 1;
}

static void say(const struct session *s, int events)
{
	if (events < 0)
		return;
	if (events & FL_BFD_EV_UP)
		printf("up\n");
	if (events & FL_BFD_EV_DOWN)
		printf("down %s\n", fl_bfd_cause_name(s->bfd.cause));
	fflush(stdout);
}

static void receive(struct session *s)
{
	struct fl_bfd_datagram d;
	struct fl_bfd_pkt pkt;

	while (fl_bfd_sock_recv(s->rx_fd, &d, 1) > 0)
		if (fl_addr_equal(&d.source, &s->remote) && !fl_bfd_parse(d.data, d.len, &pkt))
			say(s, fl_bfd_rx(&s->bfd, &pkt, d.at));
}

static void transmit(struct session *s, struct fl_mono now)
{
	uint8_t data[FL_BFD_CONTROL_LEN];
	struct fl_writer w = fl_writer(data, sizeof(data));
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	const struct sockaddr *to = (const struct sockaddr *)&to4;
	socklen_t len = sizeof(to4);
	struct fl_bfd_pkt pkt;

	fl_bfd_tx(&s->bfd, now, (uint32_t)random() << 1, &pkt);
	if (fl_bfd_build(&pkt, &w) < 0)
		return;
	memcpy(&to4.sin_addr, s->remote.b, 4);
	memcpy(&to6.sin6_addr, s->remote.b, 16);
	if (s->remote.family == 6) {
		to = (const struct sockaddr *)&to6;
		len = sizeof(to6);
	}
	if (sendto(s->tx_fd, data, sizeof(data), 0, to, len) < 0)
		perror("bfd_plain: send");
}

static void run(struct session *s)
{
	for (;;) {
		struct fl_mono now = fl_mono_now(), wake;
		struct pollfd p = { .fd = s->rx_fd, .events = POLLIN };
		uint64_t ms;

		receive(s);
		say(s, fl_bfd_tick(&s->bfd, now));
		while (fl_bfd_tx_due(&s->bfd, now))
			transmit(s, now);
		wake = fl_bfd_wake(&s->bfd);
		ms = fl_mono_ms_between(fl_mono_now(), wake);
		poll(&p, 1, ms > 1000 ? 1000 : (int)ms);
	}
}

int main(int argc, char **argv)
{
	struct fl_bfd_cfg cfg = FL_BFD_CFG_DEFAULT;
	struct session s = { 0 };
	struct fl_addr local;
	int ttl = TTL;

	if (argc != 5 || fl_addr_parse(argv[1], &local) || fl_addr_parse(argv[2], &s.remote)) {
		fprintf(stderr, "usage: bfd_plain LOCAL REMOTE INTERVAL_MS MULTIPLIER\n");
		return 2;
	}
	cfg.desired_tx_us = cfg.required_rx_us = (uint32_t)atoi(argv[3]) * 1000;
	cfg.detect_mult = (uint8_t)atoi(argv[4]);
	cfg.required_echo_us = 0;
	if (fl_bfd_cfg_check(&cfg))
		return fail("interval or multiplier", -ERANGE);
	s.rx_fd = fl_bfd_sock_open(&local, PORT);
	s.tx_fd = fl_bfd_sock_open(&local, SOURCE_PORT);
	if (s.rx_fd < 0 || s.tx_fd < 0)
		return fail("socket", s.rx_fd < 0 ? s.rx_fd : s.tx_fd);
	if (setsockopt(s.tx_fd, local.family == 6 ? IPPROTO_IPV6 : IPPROTO_IP,
		       local.family == 6 ? IPV6_UNICAST_HOPS : IP_TTL, &ttl, sizeof(ttl)) < 0)
		return fail("TTL", -errno);
	fl_bfd_init(&s.bfd, &cfg, 0x1b0d1, fl_mono_now());
	run(&s);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Short TCP connections: connect, one byte, the server closes, the client closes. Many at a time,
 * each followed at once by the next.
 *
 * usage: build/bench/conns                                        serve ports 7100 to 7107
 *        build/bench/conns ADDRESS SOURCE SOURCES PARALLEL SECONDS   from SOURCES addresses on
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT   7100
#define PORTS  8
#define EVENTS 256
/* In the event data of a listening socket. */
#define LISTENER   ((uint64_t)1 << 32)
#define GIVEN_UP_S 3.0 /* a connection that takes longer has lost something */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void watch(int ep, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event ev = { .events = events, .data.u64 = data };

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) < 0)
		die("epoll");
}

/* --- server ----------------------------------------------------------------------------------- */

static void serve(void)
{
	int ep = epoll_create1(EPOLL_CLOEXEC), on = 1;
	struct epoll_event events[EVENTS];

	for (int i = 0; i < PORTS; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		struct sockaddr_in to = { .sin_family = AF_INET,
					  .sin_port = htons((uint16_t)(PORT + i)) };

		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || listen(fd, 4096) < 0)
			die("listen");
		watch(ep, fd, EPOLLIN, LISTENER | (uint32_t)fd);
	}
	for (;;) {
		int n = epoll_wait(ep, events, EVENTS, -1), fd;
		char byte;

		for (int i = 0; i < n; i++) {
			if (events[i].data.u64 & LISTENER) {
				while ((fd = accept4((int)(uint32_t)events[i].data.u64, NULL, NULL,
						     SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
					watch(ep, fd, EPOLLIN, (uint32_t)fd);
				continue;
			}
			fd = (int)events[i].data.u64;
			if (read(fd, &byte, 1) < 0 && errno == EAGAIN)
				continue;
			close(fd);
		}
	}
}

/* --- client ----------------------------------------------------------------------------------- */

struct conn {
	int fd;
	bool sent;
	double since;
};

struct client {
	int ep;
	struct in_addr to;
	uint32_t source; /* host order */
	uint32_t sources;
	uint32_t next;
	struct conn *conns;
	int parallel;
	unsigned long done, failed;
};

static void start(struct client *c, int i)
{
	struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET };
	uint32_t n = c->next++;
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	from.sin_addr.s_addr = htonl(c->source + n % c->sources);
	to.sin_addr = c->to;
	to.sin_port = htons((uint16_t)(PORT + n / c->sources % PORTS));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0)
		die("bind");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		die("connect");
	c->conns[i] = (struct conn){ .fd = fd, .since = now_s() };
	watch(c->ep, fd, EPOLLIN | EPOLLOUT | EPOLLET, (uint64_t)i);
}

static void again(struct client *c, int i, bool good)
{
	close(c->conns[i].fd);
	if (good)
		c->done++;
	else
		c->failed++;
	start(c, i);
}

static void event(struct client *c, int i, uint32_t what)
{
	struct conn *conn = &c->conns[i];
	char byte = 'x';
	ssize_t got;

	if (what & EPOLLERR) {
		again(c, i, false);
		return;
	}
	if (!conn->sent && what & EPOLLOUT) {
		if (write(conn->fd, &byte, 1) != 1) {
			again(c, i, false);
			return;
		}
		conn->sent = true;
	}
	if (!conn->sent || !(what & EPOLLIN))
		return;
	got = read(conn->fd, &byte, 1);
	if (got == 0 || errno != EAGAIN)
		again(c, i, got == 0);
}

static void give_up_old(struct client *c, double now)
{
	for (int i = 0; i < c->parallel; i++)
		if (now - c->conns[i].since > GIVEN_UP_S)
			again(c, i, false);
}

static void run(struct client *c, double seconds)
{
	struct epoll_event events[EVENTS];
	double begin = now_s(), now = begin, looked = begin;

	for (int i = 0; i < c->parallel; i++)
		start(c, i);
	while (now - begin < seconds) {
		int n = epoll_wait(c->ep, events, EVENTS, 100);

		for (int i = 0; i < n; i++)
			event(c, (int)events[i].data.u64, events[i].events);
		now = now_s();
		if (now - looked > 0.5) {
			give_up_old(c, now);
			looked = now;
		}
	}
	printf("{\"connections\":%lu,\"failed\":%lu,\"seconds\":%.3f,\"rate\":%.0f}\n", c->done,
	       c->failed, now - begin, (double)c->done / (now - begin));
}

int main(int argc, char **argv)
{
	struct client c = { 0 };
	struct in_addr source;

	if (argc == 1)
		serve();
	if (argc != 6 || inet_pton(AF_INET, argv[1], &c.to) != 1 ||
	    inet_pton(AF_INET, argv[2], &source) != 1) {
		fprintf(stderr, "usage: conns [ADDRESS SOURCE SOURCES PARALLEL SECONDS]\n");
		return 2;
	}
	c.source = ntohl(source.s_addr);
	c.sources = (uint32_t)atoi(argv[3]);
	c.parallel = atoi(argv[4]);
	c.conns = calloc((size_t)c.parallel, sizeof(*c.conns));
	c.ep = epoll_create1(EPOLL_CLOEXEC);
	if (!c.conns || c.ep < 0)
		die("start");
	run(&c, atof(argv[5]));
	free(c.conns);
	return 0;
}

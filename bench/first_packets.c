// SPDX-License-Identifier: Apache-2.0
/*
 * Opens UDP sessions at a given rate: sends one 64-byte packet of each of many flows from a device,
 * evenly spread in time. Nothing is left out: what the device refuses for the moment is sent again.
 * Flows are numbered as blast does it.
 *
 * usage: build/bench/first_packets DEV MAC SOURCE DESTINATION FIRST COUNT RATE
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/blast.h"
#include "common/csum.h"
#include "common/hdr.h"

#define FRAME 60
#define BATCH 32

struct sender {
	int fd;
	uint8_t head[FRAME]; /* without what changes */
	uint32_t source;     /* host order */
	uint32_t ip_sum;     /* without the source */
	uint32_t udp_sum;
	uint8_t frames[BATCH][FRAME];
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	unsigned long long refused;
};

static void die(const char *what)
{
	fprintf(stderr, "first_packets: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint32_t sum_words(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] | (uint32_t)p[i + 1] << 8;
	return fl_csum_fold(sum);
}

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void build(struct sender *s, char **argv)
{
	unsigned int mac[6], udp = FRAME - 14 - 20;
	uint8_t *h = s->head;
	struct in_addr source;

	if (sscanf(argv[2], "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
		   &mac[5]) != 6 ||
	    inet_pton(AF_INET, argv[3], &source) != 1 || inet_pton(AF_INET, argv[4], h + 30) != 1) {
		errno = EINVAL;
		die("arguments");
	}
	for (int i = 0; i < 6; i++)
		h[i] = (uint8_t)mac[i];
	h[6] = 2;
	h[11] = 1;
	put16(h + 12, 0x0800);
	h[14] = 0x45;
	put16(h + 16, FRAME - 14);
	h[22] = 64;
	h[23] = FL_IPPROTO_UDP;
	put16(h + 36, 9);
	put16(h + 38, udp);
	s->source = ntohl(source.s_addr);
	s->ip_sum = sum_words(h + 14, 20);
	s->udp_sum = sum_words(h + 30, 4) + sum_words(h + 34, 8) +
		     (uint32_t)FL_BE16(FL_IPPROTO_UDP) + (uint32_t)FL_BE16(udp);
}

static void open_device(struct sender *s, const char *dev)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)if_nametoindex(dev) };
	int on = 1;

	s->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die(dev);
	setsockopt(s->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
	for (int i = 0; i < BATCH; i++) {
		s->iov[i] = (struct iovec){ s->frames[i], FRAME };
		s->msgs[i] =
			(struct mmsghdr){ .msg_hdr = { .msg_iov = &s->iov[i], .msg_iovlen = 1 } };
	}
}

static void fill(const struct sender *s, uint32_t n, uint8_t *frame)
{
	uint32_t source = htonl(s->source + (n >> BLAST_PORT_BITS)), sum;
	uint16_t port = (uint16_t)FL_BE16(BLAST_PORT + (n & ((1 << BLAST_PORT_BITS) - 1)));
	uint16_t check;

	memcpy(frame, s->head, FRAME);
	memcpy(frame + 26, &source, 4);
	memcpy(frame + 34, &port, 2);
	sum = fl_csum_u32(source);
	check = (uint16_t)~fl_csum_fold(s->ip_sum + sum);
	memcpy(frame + 24, &check, 2);
	check = (uint16_t)~fl_csum_fold(s->udp_sum + sum + port);
	memcpy(frame + 40, &check, 2);
}

static void send_batch(struct sender *s, uint32_t first, unsigned int count)
{
	unsigned int done = 0;

	for (unsigned int i = 0; i < count; i++)
		fill(s, first + i, s->frames[i]);
	while (done < count) {
		int sent = sendmmsg(s->fd, s->msgs + done, count - done, 0);

		if (sent > 0) {
			done += (unsigned int)sent;
			continue;
		}
		if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			die("send");
		s->refused++;
		usleep(20);
	}
}

int main(int argc, char **argv)
{
	static struct sender s;
	uint32_t first, count, sent = 0;
	double rate, start, took;

	if (argc != 8) {
		fprintf(stderr,
			"usage: first_packets DEV MAC SOURCE DESTINATION FIRST COUNT RATE\n");
		return 2;
	}
	build(&s, argv);
	open_device(&s, argv[1]);
	first = (uint32_t)strtoul(argv[5], NULL, 10);
	count = (uint32_t)strtoul(argv[6], NULL, 10);
	rate = atof(argv[7]);
	prctl(PR_SET_TIMERSLACK, 1);
	start = now_s();
	while (sent < count) {
		double due = (now_s() - start) * rate - sent;
		unsigned int n = due < 1 ? 0 : due > BATCH ? BATCH : (unsigned int)due;

		if (n > count - sent)
			n = count - sent;
		if (!n) {
			usleep(30);
			continue;
		}
		send_batch(&s, first + sent, n);
		sent += n;
	}
	took = now_s() - start;
	printf("{\"sent\":%u,\"seconds\":%.3f,\"rate\":%.0f,\"refused\":%llu}\n", sent, took,
	       sent / took, s.refused);
	return 0;
}

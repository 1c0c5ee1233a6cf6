// SPDX-License-Identifier: Apache-2.0
/*
 * UDP round trips of one session, one at a time.
 *
 * usage: build/bench/rtt serve PORT               answer
 *        build/bench/rtt ADDRESS PORT COUNT       ask; prints microseconds as JSON
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#define WARM_UP 2000
#define SIZE    64

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void answer(int fd, uint16_t port)
{
	struct sockaddr_in who = { .sin_family = AF_INET, .sin_port = htons(port) };
	socklen_t len = sizeof(who);
	uint8_t data[SIZE];

	if (bind(fd, (struct sockaddr *)&who, len) < 0)
		die("bind");
	for (;;) {
		ssize_t got;

		len = sizeof(who);
		got = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&who, &len);
		if (got > 0)
			sendto(fd, data, (size_t)got, 0, (struct sockaddr *)&who, len);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void ask(int fd, const char *address, uint16_t port, int count)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timeval limit = { .tv_sec = 1 };
	double *took = calloc((size_t)count, sizeof(*took));
	uint8_t data[SIZE] = { 0 };
	int lost = 0;

	if (!took || inet_pton(AF_INET, address, &to.sin_addr) != 1)
		die(address);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect");
	for (int i = -WARM_UP; i < count; i++) {
		double start = now_us();

		if (send(fd, data, sizeof(data), 0) < 0 || recv(fd, data, sizeof(data), 0) < 0)
			lost++;
		if (i >= 0)
			took[i] = now_us() - start;
		if (lost > 10) {
			fprintf(stderr, "rtt: no answers\n");
			exit(1);
		}
	}
	qsort(took, (size_t)count, sizeof(*took), by_value);
	printf("{\"p50\":%.2f,\"p99\":%.2f,\"lost\":%d}\n", took[count / 2], took[count / 100 * 99],
	       lost);
	free(took);
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	if (argc == 4)
		ask(fd, argv[1], (uint16_t)atoi(argv[2]), atoi(argv[3]));
	else if (argc == 3)
		answer(fd, (uint16_t)atoi(argv[2]));
	return argc == 4 ? 0 : 2;
}

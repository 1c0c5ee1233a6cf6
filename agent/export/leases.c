// SPDX-License-Identifier: Apache-2.0
/* Lease files: see leases.h. */
#include "agent/export/leases.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/hash.h"

#define MAX_LEASES (1 << 16)
#define MAX_BYTES  (4 << 20) /* of one file */
#define LINE_LEN   1024
#define COLUMNS    32

struct lease {
	struct fl_addr addr;
	bool has_mac;
	uint8_t mac[6];
	char name[FL_LEASE_NAME_LEN];
	UT_hash_handle hh; /* by addr */
};

struct fl_leases {
	struct lease *leases;
	uint64_t seen; /* of the files, when they were read */
};

/* Where Kea has what; its first line says. */
struct columns {
	bool known;
	int addr, mac, name, state;
};

/* A block of ISC's, as far as it is read. */
struct isc_block {
	bool open;
	char addr[FL_ADDR_TEXT];
	char mac[18];
	char name[256];
};

struct reader {
	struct fl_leases *leases;
	struct columns columns;
	struct isc_block isc;
};

/* --- what stands in a line -------------------------------------------------------------------- */

static bool get_mac(const char *text, uint8_t mac[6])
{
	unsigned int b[6];
	int n = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		   &n) != 6 ||
	    text[n])
		return false;
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
	return true;
}

/* What no host is called is no name: whoever asks for a lease chooses it. */
static bool is_name(const char *text)
{
	size_t len = strlen(text);

	if (!len || len >= FL_LEASE_NAME_LEN)
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("-_.", *text))
			return false;
	return true;
}

static void put(struct reader *r, const char *addr, const char *mac, const char *name)
{
	struct fl_leases *l = r->leases;
	struct lease new = { 0 }, *old;

	if (fl_addr_parse(addr, &new.addr))
		return;
	HASH_FIND(hh, l->leases, &new.addr, sizeof(new.addr), old);
	/* Whoever had it before has it no more. */
	if (old) {
		HASH_DEL(l->leases, old);
		free(old);
	}
	if (!is_name(name) || HASH_COUNT(l->leases) >= MAX_LEASES)
		return;
	old = malloc(sizeof(*old));
	if (!old)
		return;
	*old = new;
	old->has_mac = get_mac(mac, old->mac);
	snprintf(old->name, sizeof(old->name), "%s", name);
	HASH_ADD(hh, l->leases, addr, sizeof(old->addr), old);
}

/* --- dnsmasq: "expiry mac address name client-id" --------------------------------------------- */

static void dnsmasq_line(struct reader *r, const char *line)
{
	char mac[64], addr[FL_ADDR_TEXT], name[256];
	unsigned long long expiry;

	if (sscanf(line, "%llu %63s %45s %255s", &expiry, mac, addr, name) == 4)
		put(r, addr, mac, name);
}

/* --- Kea: CSV with a head; what was given back or declined has another state than 0 ----------- */

static int split(char *line, char *fields[COLUMNS])
{
	int n = 0;

	while (line && n < COLUMNS)
		fields[n++] = strsep(&line, ",");
	return n;
}

static void kea_head(struct columns *c, char *fields[COLUMNS], int count)
{
	*c = (struct columns){ true, 0, -1, -1, -1 };
	for (int i = 0; i < count; i++) {
		if (!strcmp(fields[i], "hwaddr"))
			c->mac = i;
		else if (!strcmp(fields[i], "hostname"))
			c->name = i;
		else if (!strcmp(fields[i], "state"))
			c->state = i;
	}
}

static const char *field(char *fields[COLUMNS], int count, int at)
{
	return at >= 0 && at < count ? fields[at] : "";
}

static void kea_line(struct reader *r, char *line)
{
	const struct columns *c = &r->columns;
	char *fields[COLUMNS];
	int n = split(line, fields);
	const char *state;

	if (!strcmp(fields[0], "address")) {
		kea_head(&r->columns, fields, n);
		return;
	}
	if (!c->known)
		return;
	state = field(fields, n, c->state);
	put(r, fields[0], field(fields, n, c->mac),
	    !*state || !strcmp(state, "0") ? field(fields, n, c->name) : "");
}

/* --- ISC dhcpd: blocks ------------------------------------------------------------------------ */

static bool isc_line(struct reader *r, const char *line)
{
	struct isc_block *b = &r->isc;
	char addr[FL_ADDR_TEXT];

	if (sscanf(line, "lease %45s {", addr) == 1) {
		*b = (struct isc_block){ .open = true };
		memcpy(b->addr, addr, sizeof(addr));
		return true;
	}
	if (!b->open)
		return false;
	if (*line == '}') {
		put(r, b->addr, b->mac, b->name);
		b->open = false;
	} else if (sscanf(line, " hardware ethernet %17[0-9a-fA-F:];", b->mac) != 1) {
		sscanf(line, " client-hostname \"%255[^\"]\";", b->name);
	}
	return true;
}

/* --- files ------------------------------------------------------------------------------------ */

static void line_of(struct reader *r, char *line)
{
	if (*line == '#' || isc_line(r, line))
		return;
	if (strchr(line, ','))
		kea_line(r, line);
	else
		dnsmasq_line(r, line);
}

void fl_leases_parse(struct fl_leases *leases, const char *text, size_t len)
{
	struct reader r = { .leases = leases };
	char line[LINE_LEN];

	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;

		/* What is longer is no lease. */
		if (n < sizeof(line)) {
			memcpy(line, text, n);
			line[n] = 0;
			line_of(&r, line);
		}
		n += end != NULL;
		text += n;
		len -= n;
	}
}

static void forget(struct fl_leases *l)
{
	struct lease *lease, *next;

	HASH_ITER(hh, l->leases, lease, next) {
		HASH_DEL(l->leases, lease);
		free(lease);
	}
}

static int read_file(struct fl_leases *l, const char *path, char *buf)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len = 0;
	ssize_t got;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	while (len < MAX_BYTES && (got = read(fd, buf + len, MAX_BYTES - len)) > 0)
		len += (size_t)got;
	close(fd);
	fl_leases_parse(l, buf, len);
	return 0;
}

/* Which files these are, and how they were written last: FNV-1a. */
static uint64_t look(char *const *paths, size_t count)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < count; i++) {
		struct stat st = { 0 };
		uint64_t words[4] = { 0 };

		if (!stat(paths[i], &st)) {
			words[0] = st.st_ino;
			words[1] = (uint64_t)st.st_size;
			words[2] = (uint64_t)st.st_mtim.tv_sec;
			words[3] = (uint64_t)st.st_mtim.tv_nsec;
		}
		for (size_t k = 0; k < sizeof(words); k++)
			h = (h ^ ((const uint8_t *)words)[k]) * 0x100000001b3;
		for (const char *p = paths[i]; *p; p++)
			h = (h ^ (uint8_t)*p) * 0x100000001b3;
	}
	return h;
}

int fl_leases_read(struct fl_leases *leases, char *const *paths, size_t count)
{
	uint64_t seen = look(paths, count);
	int err = 0, one;
	char *buf;

	if (seen == leases->seen)
		return 0;
	buf = malloc(MAX_BYTES);
	if (!buf)
		return -ENOMEM;
	leases->seen = seen;
	forget(leases);
	for (size_t i = 0; i < count; i++) {
		one = read_file(leases, paths[i], buf);
		if (one)
			err = one;
	}
	free(buf);
	return err;
}

const char *fl_leases_name(const struct fl_leases *leases, const struct fl_addr *addr,
			   const uint8_t mac[6])
{
	struct lease *lease;

	HASH_FIND(hh, leases->leases, addr, sizeof(*addr), lease);
	if (!lease || (lease->has_mac && memcmp(lease->mac, mac, 6) != 0))
		return NULL;
	return lease->name;
}

int fl_leases_new(struct fl_leases **ret_leases)
{
	struct fl_leases *leases = calloc(1, sizeof(*leases));

	if (!leases)
		return -ENOMEM;
	*ret_leases = leases;
	return 0;
}

void fl_leases_free(struct fl_leases *leases)
{
	if (!leases)
		return;
	forget(leases);
	free(leases);
}

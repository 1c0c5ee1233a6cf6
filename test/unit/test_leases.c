// SPDX-License-Identifier: Apache-2.0
/* Lease files of three DHCP servers, whole and odd. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/export/leases.h"

static struct fl_leases *leases;
static const uint8_t mac[6] = { 0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 1 };

static void setup(void)
{
	cr_assert_eq(fl_leases_new(&leases), 0);
}

static void teardown(void)
{
	fl_leases_free(leases);
}

TestSuite(leases, .init = setup, .fini = teardown);

static void parse(const char *text)
{
	fl_leases_parse(leases, text, strlen(text));
}

static void expect(const char *addr, const char *name)
{
	const char *got;
	struct fl_addr a;

	cr_assert_eq(fl_addr_parse(addr, &a), 0);
	got = fl_leases_name(leases, &a, mac);
	cr_expect(name ? got && !strcmp(got, name) : !got, "%s is %s, not %s", addr,
		  got ? got : "nobody", name ? name : "nobody");
}

Test(leases, dnsmasq)
{
	parse("1720708200 0a:1b:2c:3d:4e:01 10.1.0.2 HQ-WS-0431 01:0a:1b:2c:3d:4e:01\n"
	      "0 0a:1b:2c:3d:4e:01 10.1.0.3 * *\n"
	      "1720708200 0a:1b:2c:3d:4e:99 10.1.0.4 another *\n"
	      "duid 00:01:00:01:2b\n"
	      "1720708200 12345678 2001:db8::7 six 00:01:00:01:2b\n");
	expect("10.1.0.2", "HQ-WS-0431");
	expect("10.1.0.3", NULL);
	expect("10.1.0.4", NULL); /* of another MAC */
	expect("2001:db8::7", "six");
	expect("10.1.0.5", NULL);
}

/* A journal: later lines replace earlier ones. Columns are where the head says. */
Test(leases, kea)
{
	parse("10.1.0.9,0a:1b:2c:3d:4e:01,,1,1,1,0,0,headless,0,\n"
	      "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,"
	      "user_context\n"
	      "10.1.0.2,0a:1b:2c:3d:4e:01,,3600,1720708200,1,0,0,old-name,0,\n"
	      "10.1.0.2,0a:1b:2c:3d:4e:01,,3600,1720711800,1,0,0,mateo-mbp.example.com,0,{}\n"
	      "10.1.0.3,0a:1b:2c:3d:4e:01,,3600,1720708200,1,0,0,gone,0,\n"
	      "10.1.0.3,0a:1b:2c:3d:4e:01,,3600,1720708200,1,0,0,gone,2,\n"
	      "10.1.0.4\n,,,,\n");
	expect("10.1.0.2", "mateo-mbp.example.com");
	expect("10.1.0.3", NULL);
	expect("10.1.0.9", NULL);
}

Test(leases, isc)
{
	parse("# The format of this file is documented in the dhcpd.leases(5) manual page.\n"
	      "lease 10.1.0.2 {\n  starts 4 2024/07/11 14:00:00;\n  binding state active;\n"
	      "  hardware ethernet 0a:1b:2c:3d:4e:01;\n  client-hostname \"HQ-WS-0431\";\n}\n"
	      "lease 10.1.0.3 {\n  client-hostname \"no mac; but a space\";\n}\n"
	      "lease nonsense {\n  client-hostname \"x\";\n}\n"
	      "lease 10.1.0.4 {\n  hardware ethernet 0a:1b:2c:3d:4e:01;\n  client-hostname \"cut");
	expect("10.1.0.2", "HQ-WS-0431");
	expect("10.1.0.3", NULL);
	expect("10.1.0.4", NULL);
}

/* A client may call itself what it likes. */
Test(leases, names_that_are_none)
{
	char text[2000], name[1500];

	parse("1 0a:1b:2c:3d:4e:01 10.1.0.2 \"\x1b[2J *\n1 0a:1b:2c:3d:4e:01 10.1.0.3 a<b> *\n");
	expect("10.1.0.2", NULL);
	expect("10.1.0.3", NULL);
	for (size_t len = 62; len <= 1400; len = len == 62 ? 63 : len == 63 ? 64 : len * 2) {
		memset(name, 'n', len);
		name[len] = 0;
		snprintf(text, sizeof(text), "1 0a:1b:2c:3d:4e:01 10.1.0.4 %s *\n", name);
		parse(text);
		expect("10.1.0.4", len < 64 ? name : NULL);
	}
	/* A lease of somebody without a name ends that of the one before. */
	parse("1 0a:1b:2c:3d:4e:01 10.1.0.5 first *\n");
	expect("10.1.0.5", "first");
	parse("2 0a:1b:2c:3d:4e:01 10.1.0.5 * *\n");
	expect("10.1.0.5", NULL);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert(f);
	fputs(text, f);
	fclose(f);
}

Test(leases, files_that_change)
{
	char dir[] = "/tmp/fl-leases-XXXXXX", a[40], b[40];
	char *paths[] = { a, b };

	cr_assert(mkdtemp(dir));
	snprintf(a, sizeof(a), "%s/a", dir);
	snprintf(b, sizeof(b), "%s/b", dir);
	fl_leases_read(leases, paths, 2);
	expect("10.1.0.2", NULL);
	write_file(a, "1 0a:1b:2c:3d:4e:01 10.1.0.2 one *\n");
	fl_leases_read(leases, paths, 2);
	expect("10.1.0.2", "one");
	write_file(b, "1 0a:1b:2c:3d:4e:01 10.1.0.3 two *\n");
	fl_leases_read(leases, paths, 2);
	expect("10.1.0.2", "one");
	expect("10.1.0.3", "two");
	/* What is no more in a file is forgotten, also when the file is no more configured. */
	write_file(a, "");
	fl_leases_read(leases, paths, 2);
	expect("10.1.0.2", NULL);
	expect("10.1.0.3", "two");
	fl_leases_read(leases, paths, 1);
	expect("10.1.0.3", NULL);
	/* One that is there and cannot be read: said once. */
	paths[1] = a;
	unlink(a);
	cr_assert_eq(symlink(a, a), 0);
	cr_expect_eq(fl_leases_read(leases, paths, 2), -ELOOP);
	cr_expect_eq(fl_leases_read(leases, paths, 2), 0);
	unlink(a);
	unlink(b);
	rmdir(dir);
}

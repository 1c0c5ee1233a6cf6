// SPDX-License-Identifier: Apache-2.0
/* Writes the correlation fixture (zoom-api.md 13) into a store, for tests of insightd. */
#include <stdio.h>
#include <string.h>

#include "test/insight/fill.h"

int main(int argc, char **argv)
{
	struct fl_store_cfg cfg = { .path = argc > 1 ? argv[1] : "" };
	struct fl_store_health health;
	struct fl_store *store;
	int err;

	if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "zoom"))) {
		fprintf(stderr, "usage: fill FILE [zoom: only what Zoom tells]\n");
		return 2;
	}
	err = fl_store_open(&cfg, &health, &store);
	if (err) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-err));
		return 1;
	}
	if (argc == 2)
		fill_fixture(store);
	else if (fill_fixture_meeting(store) < 0)
		err = 1;
	fl_store_close(store);
	return err;
}

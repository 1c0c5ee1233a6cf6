/* SPDX-License-Identifier: Apache-2.0 */
/* Files of test/zoom/ for unit tests, which run in the top folder. */
#ifndef FL_TEST_UNIT_ZOOM_FILE_H
#define FL_TEST_UNIT_ZOOM_FILE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/codec/json.h"

/* A whole file below test/zoom/, with a NUL behind it; to be freed. */
static inline char *zoom_file(const char *name, size_t *ret_len)
{
	char path[256];
	FILE *f;
	char *text;

	snprintf(path, sizeof(path), "test/zoom/%s", name);
	f = fopen(path, "r");
	cr_assert(f, "%s: run in the top folder", path);
	text = calloc(1, 1 << 20);
	*ret_len = fread(text, 1, (1 << 20) - 1, f);
	fclose(f);
	return text;
}

static inline struct fl_json *zoom_json(const char *name)
{
	struct fl_json *json = NULL;
	struct fl_json_error why;
	size_t len;
	char *text = zoom_file(name, &len);

	cr_assert_eq(fl_json_parse(text, len, &json, &why), 0, "%s: %s", name, why.problem);
	free(text);
	return json;
}

#endif

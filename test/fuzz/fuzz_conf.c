// SPDX-License-Identifier: Apache-2.0
/*
 * insightd's configuration. The input is the file's text. What loads can be printed, and what is
 * printed loads again and prints the same; of what does not load, something is wrong in words.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/insightd/conf.h"
#include "test/fuzz/fuzz.h"

static char *print(const struct fl_conf *conf)
{
	struct fl_json *json = fl_json_new_object();
	char *text;

	fl_conf_print(conf, json);
	text = fl_json_print(json, FL_JSON_COMPACT);
	fl_json_free(json);
	MUST(text);
	return text;
}

static void again(const char *text)
{
	struct fl_conf_problems problems;
	struct fl_conf *conf;
	char *second;

	MUST(fl_conf_load(text, strlen(text), &conf, &problems) == 0);
	second = print(conf);
	MUST(!strcmp(text, second));
	free(second);
	fl_conf_free(conf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fl_conf_problems problems;
	struct fl_conf *conf = NULL;
	char *text;

	if (fl_conf_load((const char *)data, size, &conf, &problems) < 0) {
		MUST(!conf && problems.count && *problems.text[0]);
		return 0;
	}
	MUST(!problems.count);
	text = print(conf);
	again(text);
	free(text);
	fl_conf_free(conf);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* config ...: checking needs no agent; the rest sends it the file's text. */
#include "agent/config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"

#define FILE_MAX (8 << 20) /* as the agent takes */

/* --- offline -----------------------------------------------------------------------------------
 */

static void print_findings(const struct fl_cli *cli, const struct fl_config_errors *errors)
{
	struct fl_json *data = fl_json_new_object(), *list = fl_json_add_array(data, "findings");
	char text[1024];

	for (size_t i = 0; i < fl_config_errors_count(errors); i++) {
		const struct fl_config_error *e = fl_config_errors_get(errors, i);
		struct fl_json *o = fl_json_add_object(list, NULL);

		fl_json_add_string(o, "pointer", e->pointer);
		fl_json_add_string(o, "value", e->value);
		fl_json_add_string(o, "problem", e->problem);
		fl_json_add_bool(o, "warning", e->warning);
		fl_config_error_text(e, text, sizeof(text));
		if (!cli->json)
			puts(text);
	}
	if (cli->json)
		fl_cli_print_json(data);
	fl_json_free(data);
}

int fl_cmd_config_check(const struct fl_cli *cli, int argc, char **argv)
{
	struct fl_config_errors *errors = NULL;
	struct fl_config *config = NULL;
	int err;

	if (argc != 1)
		return fl_cli_usage("config check");
	err = fl_config_load_file(argv[0], &config, &errors);
	print_findings(cli, errors);
	fl_config_errors_free(errors);
	fl_config_free(config);
	if (err && err != -EINVAL)
		fprintf(stderr, "fairlead: %s: %s\n", argv[0], strerror(-err));
	else if (err)
		fprintf(stderr, "fairlead: %s has errors\n", argv[0]);
	else if (!cli->json)
		printf("%s is good\n", argv[0]);
	return err ? FL_CTL_BAD_CONFIG : FL_CTL_OK;
}

int fl_cmd_config_schema(const struct fl_cli *cli, int argc, char **argv)
{
	char *text;

	(void)cli;
	(void)argv;
	if (argc)
		return fl_cli_usage("config schema");
	text = fl_config_schema();
	if (!text)
		return FL_CTL_NO;
	fputs(text, stdout);
	free(text);
	return FL_CTL_OK;
}

/* --- with the agent ----------------------------------------------------------------------------
 */

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t len;

	if (f) {
		text = malloc(FILE_MAX + 1);
		len = text ? fread(text, 1, FILE_MAX, f) : 0;
		if (text && !ferror(f) && feof(f)) {
			text[len] = 0;
		} else {
			free(text);
			text = NULL;
			errno = errno ? errno : EFBIG;
		}
		fclose(f);
	}
	if (!text)
		fprintf(stderr, "fairlead: %s: %s\n", path, strerror(errno));
	return text;
}

static void print_list(const struct fl_json *data, const char *key)
{
	const struct fl_json *list = fl_json_member(data, key);

	for (size_t i = 0; i < fl_json_count(list); i++)
		puts(fl_json_get_string(fl_json_at(list, i)));
}

static void print_changes(const struct fl_json *data)
{
	const struct fl_json *list = fl_json_member(data, "changes");

	for (size_t i = 0; i < fl_json_count(list); i++) {
		const struct fl_json *c = fl_json_at(list, i);
		const char *old_value = fl_json_get_string(fl_json_member(c, "old"));
		const char *new_value = fl_json_get_string(fl_json_member(c, "new"));

		printf("%s: %s -> %s%s\n", fl_json_get_string(fl_json_member(c, "pointer")),
		       old_value ? old_value : "(nothing)", new_value ? new_value : "(nothing)",
		       fl_json_get_bool(fl_json_member(c, "needs-restart"))
			       ? " (only after `fairleadd --remove` and a new start)"
			       : "");
	}
}

/* Send a file's text, or none: the agent then reads its own file. */
static int send_file(const struct fl_cli *cli, const char *command, const char *path,
		     size_t *ret_changes)
{
	struct fl_json *request = fl_cli_request(command), *reply = NULL;
	const struct fl_json *data, *all;
	char *text = NULL;
	int code;

	if (path) {
		text = read_file(path);
		if (!text) {
			fl_json_free(request);
			return FL_CTL_BAD_CONFIG;
		}
		fl_json_add_string(request, "text", text);
		explicit_bzero(text, strlen(text));
		free(text);
	}
	code = fl_cli_ask(cli, request, &reply, &data);
	all = fl_json_member(reply, "data");
	*ret_changes = fl_json_count(fl_json_member(all, "changes"));
	if (!cli->json) {
		print_list(all, "findings");
		print_changes(all);
	}
	fl_json_free(reply);
	return code;
}

int fl_cmd_config_apply(const struct fl_cli *cli, int argc, char **argv)
{
	size_t changes;
	int code;

	if (argc > 1)
		return fl_cli_usage("config apply");
	code = send_file(cli, "config apply", argc ? argv[0] : NULL, &changes);
	if (code == FL_CTL_OK && !cli->json)
		puts(changes ? "applied" : "unchanged, nothing to do");
	return code;
}

int fl_cmd_config_diff(const struct fl_cli *cli, int argc, char **argv)
{
	size_t changes;
	int code;

	if (argc != 1)
		return fl_cli_usage("config diff");
	code = send_file(cli, "config diff", argv[0], &changes);
	if (code == FL_CTL_OK && !changes && !cli->json)
		puts("no difference");
	return code == FL_CTL_OK && changes ? FL_CTL_NO : code;
}

int fl_cmd_config_show(const struct fl_cli *cli, int argc, char **argv)
{
	struct fl_json *request, *reply;
	const char *text;
	int code;

	if (argc > 1 || (argc && strcmp(argv[0], "defaults") != 0))
		return fl_cli_usage("config show");
	request = fl_cli_request("config show");
	fl_json_add_bool(request, "defaults", argc == 1);
	code = fl_client_ask(cli->socket, request, &reply);
	fl_json_free(request);
	text = fl_json_get_string(fl_json_member(fl_json_member(reply, "data"), "text"));
	if (code == FL_CTL_OK && text)
		fputs(text, stdout);
	fl_json_free(reply);
	return code;
}

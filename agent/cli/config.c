// SPDX-License-Identifier: Apache-2.0
/* config ...: checking needs no agent; the rest sends it the file's text. */
#include "agent/config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"

#define FILE_MAX (8 << 20) /* as the agent's own file */

/* --- offline -----------------------------------------------------------------------------------
 */

/* "pointer: value: problem", a line each. */
static void print_findings(const struct fl_json *list)
{
	for (size_t i = 0; i < fl_json_count(list); i++) {
		const struct fl_json *o = fl_json_at(list, i);
		const char *pointer = fl_json_get_string(fl_json_member(o, "pointer"));
		bool value = fl_cli_has(o, "value");

		printf("%s%s: %s%s%s\n",
		       fl_json_get_bool(fl_json_member(o, "warning")) ? "warning: " : "",
		       pointer && *pointer ? fl_cli_text(o, "pointer") : "/",
		       value ? fl_cli_text(o, "value") : "", value ? ": " : "",
		       fl_cli_text(o, "problem"));
	}
}

static struct fl_json *make_findings(const struct fl_config_errors *errors, bool good)
{
	struct fl_json *data = fl_json_new_object(), *list;

	fl_json_add_bool(data, "good", good);
	list = fl_json_add_array(data, "findings");
	for (size_t i = 0; i < fl_config_errors_count(errors); i++) {
		const struct fl_config_error *e = fl_config_errors_get(errors, i);
		struct fl_json *o = fl_json_add_object(list, NULL);

		fl_json_add_string(o, "pointer", e->pointer);
		fl_json_add_string(o, "value", e->value);
		fl_json_add_string(o, "problem", e->problem);
		fl_json_add_bool(o, "warning", e->warning);
	}
	return data;
}

int fl_cmd_config_check(const struct fl_cli *cli, int argc, char **argv)
{
	struct fl_config_errors *errors = NULL;
	struct fl_config *config = NULL;
	struct fl_json *data;
	int err;

	if (argc != 1)
		return fl_cli_usage("config check");
	err = fl_config_load_file(argv[0], &config, &errors);
	data = make_findings(errors, !err);
	if (cli->json)
		fl_cli_print_json(data);
	else
		print_findings(fl_json_member(data, "findings"));
	fl_json_free(data);
	fl_config_errors_free(errors);
	fl_config_free(config);
	if (err)
		fprintf(stderr, "fairlead: %s: %s\n", argv[0],
			err == -EINVAL ? "the configuration has errors" : strerror(-err));
	else if (!cli->json)
		printf("%s is good\n", argv[0]);
	if (err == -EACCES)
		return FL_CTL_PERMISSION;
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

/* Text of a file, for the caller to wipe and to free. Return: 0 or -errno. */
static int read_file(const char *path, char **ret_text)
{
	FILE *f = fopen(path, "re");
	char *text;
	size_t len;
	int err = 0;

	if (!f)
		return -errno;
	text = malloc(FILE_MAX + 1);
	errno = 0;
	len = text ? fread(text, 1, FILE_MAX, f) : 0;
	if (!text)
		err = -ENOMEM;
	else if (ferror(f))
		err = errno ? -errno : -EIO;
	else if (fgetc(f) != EOF)
		err = -EFBIG;
	else if (memchr(text, 0, len))
		err = -EILSEQ; /* no text */
	fclose(f);
	if (err) {
		if (text)
			explicit_bzero(text, len);
		free(text);
		return err;
	}
	text[len] = 0;
	*ret_text = text;
	return 0;
}

int fl_cli_read_file(const char *path, char **ret_text)
{
	int err = read_file(path, ret_text);

	if (!err)
		return FL_CTL_OK;
	fprintf(stderr, "fairlead: %s: %s\n", path, strerror(-err));
	return err == -EACCES ? FL_CTL_PERMISSION : FL_CTL_BAD_CONFIG;
}

static void print_changes(const struct fl_json *data)
{
	const struct fl_json *list = fl_json_member(data, "changes");

	for (size_t i = 0; i < fl_json_count(list); i++) {
		const struct fl_json *c = fl_json_at(list, i);

		printf("%s: %s -> %s%s\n", fl_cli_text(c, "pointer"),
		       fl_cli_has(c, "old") ? fl_cli_text(c, "old") : "(nothing)",
		       fl_cli_has(c, "new") ? fl_cli_text(c, "new") : "(nothing)",
		       fl_json_get_bool(fl_json_member(c, "needs-restart"))
			       ? " (only after `fairleadd --remove` and a new start)"
			       : "");
	}
}

/* Send a file's text, or none: the agent then reads its own file. */
static int send_file(const struct fl_cli *cli, const char *command, const char *path,
		     size_t *ret_changes)
{
	struct fl_json *request, *reply = NULL;
	const struct fl_json *data, *all;
	char *text = NULL;
	int code = path ? fl_cli_read_file(path, &text) : FL_CTL_OK;

	*ret_changes = 0;
	if (code != FL_CTL_OK)
		return code;
	request = fl_cli_request(command);
	if (text) {
		fl_json_add_string(request, "text", text);
		explicit_bzero(text, strlen(text));
		free(text);
	}
	code = fl_cli_ask(cli, request, &reply, &data);
	all = fl_json_member(reply, "data");
	*ret_changes = fl_json_count(fl_json_member(all, "changes"));
	if (!cli->json) {
		print_findings(fl_json_member(all, "findings"));
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

/* The text as it is: it is JSON already, in the order in which people read it. */
int fl_cmd_config_show(const struct fl_cli *cli, int argc, char **argv)
{
	struct fl_json *request, *reply;
	const char *text;
	int code;

	if (argc > 1 || (argc && strcmp(argv[0], "defaults") != 0))
		return fl_cli_usage("config show");
	request = fl_cli_request("config show");
	fl_json_add_bool(request, "defaults", argc || cli->defaults);
	code = fl_client_ask(cli->socket, request, &reply);
	fl_json_free(request);
	text = fl_json_get_string(fl_json_member(fl_json_member(reply, "data"), "text"));
	if (code == FL_CTL_OK && text)
		fputs(text, stdout);
	fl_json_free(reply);
	return code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands share. */
#ifndef FL_AGENT_CLI_CLI_H
#define FL_AGENT_CLI_CLI_H

#include <stdbool.h>

#include "agent/cli/client.h"

#define FL_CLI_CONFIG "/etc/fairlead/fairlead.json"

struct fl_cli {
	const char *socket;
	const char *given_socket; /* --socket; NULL: not given */
	const char *config;       /* --config; NULL: not given */
	bool json;
	bool defaults;        /* --defaults */
	bool detail;          /* --detail */
	unsigned int watch_s; /* 0: once */
	unsigned int last_s;  /* --last; 0: not given */
};

/* A command: its words are gone from @argv. Return: exit code. */
typedef int (*fl_cli_fn)(const struct fl_cli *cli, int argc, char **argv);

struct fl_cli_command {
	const char *words; /* "show sessions" */
	const char *arguments;
	const char *help;
	fl_cli_fn fn;
	unsigned int options; /* that it understands besides the general ones */
};

#define FL_CLI_WATCH    0x01
#define FL_CLI_DEFAULTS 0x02
#define FL_CLI_FILE     0x04 /* --config */
#define FL_CLI_DETAIL   0x08
#define FL_CLI_LAST     0x10
#define FL_CLI_INSIGHT  0x80 /* not an option: it asks fairlead-insightd */

#define FL_CLI_INSIGHT_SOCKET "/run/fairlead-insight/insightd.sock"

/* sessions.c */
int fl_cmd_show_sessions(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_show_session(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_clear_session(const struct fl_cli *cli, int argc, char **argv);

/* paths.c */
int fl_cmd_show_paths(const struct fl_cli *cli, int argc, char **argv);

/* show.c */
int fl_cmd_show_fpm(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_show_peers(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_show_services(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_show_fib(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_show_interfaces(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_show_drops(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_show_stats(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_show_status(const struct fl_cli *cli, int argc, char **argv);

/* choice.c */
int fl_cmd_show_load_balancer(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_show_service_path(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_policy_test(const struct fl_cli *cli, int argc, char **argv);
/* A session's decision and moves, as `explain session` shows them. */
void fl_cli_print_history(const struct fl_json *data);

/* explain.c */
int fl_cmd_explain(const struct fl_cli *cli, int argc, char **argv);

/* config.c */
int fl_cmd_config_check(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_config_apply(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_config_diff(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_config_show(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_config_schema(const struct fl_cli *cli, int argc, char **argv);

/* Text of a configuration file, for the caller to wipe and to free. Return: FL_CTL_OK, or an exit
 * code after saying why not. */
int fl_cli_read_file(const char *path, char **ret_text);

/* doctor.c */
int fl_cmd_doctor(const struct fl_cli *cli, int argc, char **argv);

/* zoom.c */
int fl_cmd_zoom_accounts(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_zoom_account(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_zoom_unlink(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_zoom_sync(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_zoom_sites(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_zoom_calls(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_zoom_clients(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_zoom_events(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_zoom_checklist(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_zoom_status(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_ask(const struct fl_cli *cli, int argc, char **argv);

/* zoom_show.c */
int fl_cmd_zoom_client(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_zoom_insights(const struct fl_cli *cli, int argc, char **argv);
int fl_cmd_zoom_rank(const struct fl_cli *cli, int argc, char **argv);

/* zoom_link.c */
int fl_cmd_zoom_link(const struct fl_cli *cli, int argc, char **argv);

/* main.c */

/* Say how the command is used. Return: FL_CTL_USAGE. */
int fl_cli_usage(const char *words);

/* A request object for a command; add to it, give it to fl_cli_ask(). */
struct fl_json *fl_cli_request(const char *command);

/**
 * fl_cli_ask() - ask, and print the answer's data if JSON is wanted
 * @request:   taken over
 * @ret_reply: for the caller to free, whatever is returned
 *
 * Return: FL_CTL_OK with *ret_data set if the caller shall print for people; an exit code with
 * *ret_data NULL if there is nothing more to do.
 */
int fl_cli_ask(const struct fl_cli *cli, struct fl_json *request, struct fl_json **ret_reply,
	       const struct fl_json **ret_data);

/* Print data as JSON: for people on a terminal, in one line elsewhere. */
void fl_cli_print_json(const struct fl_json *data);

/* A value of an answer into an object under @key, or behind an array's others. */
void fl_cli_copy(struct fl_json *parent, const char *key, const struct fl_json *value);

/* Members, for people: 0 and "-" for what is not there. Text without control characters, valid
 * until the eighth call after this one. */
uint64_t fl_cli_number(const struct fl_json *object, const char *key);
const char *fl_cli_text(const struct fl_json *object, const char *key);
bool fl_cli_has(const struct fl_json *object, const char *key);

#endif

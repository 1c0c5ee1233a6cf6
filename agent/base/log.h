/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logging to stderr: with systemd's <N> priority prefixes when stderr is the journal, with a time
 * stamp otherwise. Library layers return errors; the caller that decides logs once, with what
 * happens next.
 */
#ifndef FL_AGENT_BASE_LOG_H
#define FL_AGENT_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum fl_log_level {
	FL_LOG_ERROR = 3,
	FL_LOG_WARNING = 4,
	FL_LOG_NOTICE = 5,
	FL_LOG_INFO = 6,
	FL_LOG_DEBUG = 7,
};

/**
 * fl_log_init() - choose the level and find out where stderr leads
 * @level: messages above it are not written
 */
void fl_log_init(enum fl_log_level level);

void fl_log(enum fl_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * fl_log_err() - log at level error with the text of an error code appended
 * @err: negative errno
 */
void fl_log_err(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Lets one message in a period pass and counts the others; zero-initialised is ready. */
struct fl_log_rate {
	uint64_t next_ns;
	unsigned int suppressed;
};

/**
 * fl_log_ratelimited() - fl_log(), at most once a second per @rate
 *
 * The next message that passes says how many did not.
 */
void fl_log_ratelimited(struct fl_log_rate *rate, enum fl_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define fl_error(...)   fl_log(FL_LOG_ERROR, __VA_ARGS__)
#define fl_warning(...) fl_log(FL_LOG_WARNING, __VA_ARGS__)
#define fl_notice(...)  fl_log(FL_LOG_NOTICE, __VA_ARGS__)
#define fl_info(...)    fl_log(FL_LOG_INFO, __VA_ARGS__)
#define fl_debug(...)   fl_log(FL_LOG_DEBUG, __VA_ARGS__)

#endif

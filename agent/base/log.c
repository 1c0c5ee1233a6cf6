// SPDX-License-Identifier: Apache-2.0
/* Logging: see log.h. Any thread may log; a line is one write. */
#include "agent/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/monotime.h"

static enum fl_log_level log_level = FL_LOG_INFO;
static bool log_journal;

void fl_log_init(enum fl_log_level level)
{
	log_level = level;
	/* systemd sets JOURNAL_STREAM for services whose stderr is the journal. */
	log_journal = getenv("JOURNAL_STREAM") != NULL;
}

static const char *level_word(enum fl_log_level level)
{
	switch (level) {
	case FL_LOG_ERROR:
		return "error: ";
	case FL_LOG_WARNING:
		return "warning: ";
	case FL_LOG_DEBUG:
		return "debug: ";
	case FL_LOG_NOTICE:
	case FL_LOG_INFO:
		return "";
	}
	return "";
}

__attribute__((format(printf, 2, 0))) static void log_line(enum fl_log_level level, const char *fmt,
							   va_list args, const char *suffix)
{
	char text[1024], line[1200];
	struct timespec now;
	struct tm tm;
	int len;

	if (level > log_level)
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	if (log_journal) {
		len = snprintf(line, sizeof(line), "<%d>%s%s\n", (int)level, text, suffix);
	} else {
		clock_gettime(CLOCK_REALTIME, &now);
		localtime_r(&now.tv_sec, &tm);
		len = snprintf(line, sizeof(line), "%02d:%02d:%02d.%03ld %s%s%s\n", tm.tm_hour,
			       tm.tm_min, tm.tm_sec, now.tv_nsec / 1000000, level_word(level), text,
			       suffix);
	}
	if (len > (int)sizeof(line) - 1)
		len = (int)sizeof(line) - 1;
	/* A log that cannot be written has nowhere to complain. */
	if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
		return;
}

void fl_log(enum fl_log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(level, fmt, args, "");
	va_end(args);
}

void fl_log_err(int err, const char *fmt, ...)
{
	char suffix[128], buf[96];
	va_list args;

	snprintf(suffix, sizeof(suffix), ": %s", strerror_r(-err, buf, sizeof(buf)));
	va_start(args, fmt);
	log_line(FL_LOG_ERROR, fmt, args, suffix);
	va_end(args);
}

void fl_log_ratelimited(struct fl_log_rate *rate, enum fl_log_level level, const char *fmt, ...)
{
	uint64_t now = fl_mono_now().ns;
	char suffix[64] = "";
	va_list args;

	if (now < rate->next_ns) {
		rate->suppressed++;
		return;
	}
	if (rate->suppressed)
		snprintf(suffix, sizeof(suffix), " (%u more like it)", rate->suppressed);
	rate->suppressed = 0;
	rate->next_ns = now + FL_NS_PER_S;
	va_start(args, fmt);
	log_line(level, fmt, args, suffix);
	va_end(args);
}

/* SPDX-License-Identifier: MIT */
/*
 * What export and pool share: a range of a window, and a command that inherits
 * what was made of it.
 */
#ifndef PEERBUF_INHERIT_H
#define PEERBUF_INHERIT_H

#include "cli.h"

/* As in env(1) and others that run a command. */
enum {
	EXIT_FAILED = 125,
	EXIT_CANNOT_RUN = 126,
	EXIT_NOT_FOUND = 127,
};

/**
 * struct range - what is asked for
 * @provider: whose memory
 * @window: number of the window
 * @offset: start in the window
 * @length: bytes; 0 for all up to the end of the window
 */
struct range {
	struct peerbuf_function provider;
	__u32 window;
	__u64 offset;
	__u64 length;
};

int take_size(const struct verb *verb, const char *option, const char *text, __u64 *bytes);
int take_number(const struct verb *verb, const char *option, const char *text, __u32 *number);
int split_command(const struct verb *verb, int argc, char **argv, char ***command);
int fit_range(int control, struct range *range);
int report_refused(int err, const struct range *range, const char *busy);

int set_number(const char *name, __u64 value);
int bequeath(int fd, const char *name);
int become(char **command);

#endif /* PEERBUF_INHERIT_H */

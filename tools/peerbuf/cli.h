/* SPDX-License-Identifier: MIT */
/* What the verbs of peerbuf(1) share. */
#ifndef PEERBUF_CLI_H
#define PEERBUF_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <libpeerbuf.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define __printf(string, first) __attribute__((format( \
	printf, string, first)))

/* How a verb ends, unless it has a better answer. */
enum {
	EXIT_OK = 0,
	EXIT_NO = 1,	/* route, why: not reachable */
	EXIT_ERROR = 2,
};

/**
 * struct verb - one verb of the command
 * @name: as it is typed
 * @args: what follows it in the usage line
 * @summary: one line, for the list of verbs
 * @help: what --help says below the usage line
 * @error: exit status when it was called wrongly
 * @run: gets the arguments from the verb on; returns the exit status
 */
struct verb {
	const char *name;
	const char *args;
	const char *summary;
	const char *help;
	int error;
	int (*run)(int argc, char **argv);
};

extern const struct verb verb_bind, verb_dump, verb_export, verb_help, verb_holders,
			 verb_list, verb_pool, verb_route, verb_routes, verb_unbind, verb_version,
			 verb_watch, verb_why;

/* main.c */
const struct verb *find_verb(const char *name);
void print_usage(void);
void print_help(const struct verb *verb);

/* report.c: messages on standard error; each returns EXIT_ERROR */
__printf(1, 2) int report(const char *format, ...);
__printf(1, 2) int advise(const char *format, ...);
__printf(2, 3) int report_usage(const struct verb *verb, const char *format, ...);
int report_option(const struct verb *verb, int option, char **argv);
int report_call(int err, const char *what);

/* open.c: as in the library, but failures are reported, and -1 is returned */
int open_control(void);
int open_node(const struct peerbuf_function *provider, int flags);
int parse_function(const char *text, struct peerbuf_function *function);

/* text.c */
struct name {
	char text[PEERBUF_FUNCTION_LEN];
};

struct size {
	char text[24];
};

struct name name_of(const struct peerbuf_function *function);
struct size size_of(__u64 bytes);
int parse_size(const char *text, __u64 *bytes);
int parse_number(const char *text, __u32 *number);
void print_json_string(const char *text);

/* entries.c */
typedef int ask_entries_fn(void *query, void *entries, __u32 room, __u32 *nr);
int read_entries(ask_entries_fn *ask, void *query, size_t size, __u32 guess,
		 void **entries);

/* sysfs.c */
bool path_exists(const char *path);
bool module_loaded(const char *module);
int device_id(const struct peerbuf_function *function, unsigned int *vendor,
	      unsigned int *device);
int device_driver(const struct peerbuf_function *function, char *driver, size_t size);
int device_attr(const struct peerbuf_function *function, const char *attr, char *value,
		size_t size);
int root_bus_parent(__u32 domain, __u8 bus, struct peerbuf_function *parent);
int write_file(const char *path, const char *value);

#endif /* PEERBUF_CLI_H */

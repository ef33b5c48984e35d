// SPDX-License-Identifier: MIT
/* peerbuf holders: the buffers of a provider, and who holds them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

/**
 * struct question - what is asked, and how the answer is written
 * @id: only this buffer, if @one
 * @one: whether one buffer is asked for
 * @writer: for people, or for programs
 * @found: whether @id was
 */
struct question {
	__u64 id;
	bool one;
	const struct writer *writer;
	bool found;
};

struct writer {
	void (*begin)(void);
	void (*provider)(const struct peerbuf_function *provider, __u64 longest_ns,
			 bool first);
	void (*buffer)(const struct peerbuf_function *provider,
		       const struct peerbuf_buffer_entry *entry, bool first);
	void (*holder)(const struct peerbuf_holder_entry *entry, bool first);
	void (*buffer_end)(bool empty);
	void (*provider_end)(bool empty);
	void (*end)(void);
};

static const char *access_name(__u32 access)
{
	static const char * const names[] = { "none", "read", "write", "read-write" };

	return names[access & (PEERBUF_ACCESS_READ | PEERBUF_ACCESS_WRITE)];
}

static const char *state_name(const struct peerbuf_buffer_entry *entry)
{
	if (entry->flags & PEERBUF_BUFFER_STOPPED)
		return "stopped";
	if (!(entry->flags & PEERBUF_BUFFER_REVOKED))
		return "lent";
	return entry->revoke_ns ? "revoked" : "revoking";
}

static double seconds_since(__u64 when)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9 - (double)when / 1e9;
}

/* A process chooses its name: no control characters for the terminal. */
static void print_printable(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

static void table_begin(void)
{
	printf("%-12s  %6s  %-6s  %-6s  %10s  %-8s  %8s  %6s  %s\n", "PROVIDER", "BUFFER",
	       "WINDOW", "KIND", "SIZE", "STATE", "CPU MAPS", "KERNEL", "CREATED BY");
}

static void table_provider(const struct peerbuf_function *provider, __u64 longest_ns,
			   bool first)
{
	(void)provider;
	(void)longest_ns;
	(void)first;
}

static void table_buffer(const struct peerbuf_function *provider,
			 const struct peerbuf_buffer_entry *entry, bool first)
{
	(void)first;
	printf("%-12s  %6llu  %-6u  %-6s  %10s  %-8s  %8u  %6u  ", name_of(provider).text,
	       (unsigned long long)entry->id, entry->window,
	       entry->flags & PEERBUF_BUFFER_POOLED ? "pooled" : "fixed",
	       size_of(entry->length).text, state_name(entry), entry->nr_cpu_maps,
	       entry->nr_kernel_maps);
	print_printable(entry->comm);
	printf(" (pid %d, uid %u), %.0f s ago\n", entry->pid, entry->uid,
	       seconds_since(entry->created));
	if (entry->revoke_ns)
		printf("    its revoke took %.3f ms\n", (double)entry->revoke_ns / 1e6);
	else if (entry->revoked)
		printf("    its revoke has been waiting for %.1f s\n",
		       seconds_since(entry->revoked));
}

static void table_holder(const struct peerbuf_holder_entry *entry, bool first)
{
	(void)first;
	printf("    %s  %s  %s (%s)  ", entry->device, peerbuf_class_name(entry->importer_class),
	       peerbuf_route_name(entry->verdict.route),
	       peerbuf_reason_name(entry->verdict.reason));
	if (!entry->nr_maps) {
		printf("not mapped\n");
		return;
	}
	printf("%s  %u map%s of %s", access_name(entry->access), entry->nr_maps,
	       entry->nr_maps == 1 ? "" : "s", size_of(entry->mapped).text);
	printf(" for %.1f s\n", seconds_since(entry->since));
}

static void table_part_end(bool empty)
{
	(void)empty;
}

static void table_end(void)
{
}

static void json_begin(void)
{
	printf("{\"providers\": [");
}

static void json_provider(const struct peerbuf_function *provider, __u64 longest_ns,
			  bool first)
{
	printf("%s\n  {\"function\": \"%s\", \"longest_revoke_ns\": %llu, \"buffers\": [",
	       first ? "" : ",", name_of(provider).text, (unsigned long long)longest_ns);
}

static void json_number(const char *name, __u64 value)
{
	printf(", \"%s\": %llu", name, (unsigned long long)value);
}

static void json_buffer(const struct peerbuf_function *provider,
			const struct peerbuf_buffer_entry *entry, bool first)
{
	(void)provider;
	printf("%s\n    {\"id\": %llu, \"state\": \"%s\", \"kind\": \"%s\"", first ? "" : ",",
	       (unsigned long long)entry->id, state_name(entry),
	       entry->flags & PEERBUF_BUFFER_POOLED ? "pooled" : "fixed");
	json_number("window", entry->window);
	json_number("length", entry->length);
	json_number("ranges", entry->nr_ranges);
	json_number("generation", entry->generation);
	json_number("export_flags", entry->export_flags);
	printf(", \"pid\": %d, \"comm\": ", entry->pid);
	print_json_string(entry->comm);
	json_number("uid", entry->uid);
	json_number("created_ns", entry->created);
	json_number("revoked_ns", entry->revoked);
	json_number("revoke_took_ns", entry->revoke_ns);
	json_number("maps", entry->nr_maps);
	json_number("mapped", entry->mapped);
	json_number("cpu_maps", entry->nr_cpu_maps);
	json_number("cpu_mapped", entry->cpu_mapped);
	json_number("kernel_maps", entry->nr_kernel_maps);
	printf(", \"importers\": [");
}

static void json_holder(const struct peerbuf_holder_entry *entry, bool first)
{
	printf("%s\n      {\"device\": ", first ? "" : ",");
	print_json_string(entry->device);
	printf(", \"class\": \"%s\", \"route\": \"%s\", \"reason\": \"%s\"",
	       peerbuf_class_name(entry->importer_class), peerbuf_route_name(entry->verdict.route),
	       peerbuf_reason_name(entry->verdict.reason));
	printf(", \"distance\": %d, \"access\": \"%s\"", entry->verdict.distance,
	       access_name(entry->access));
	json_number("maps", entry->nr_maps);
	json_number("mapped", entry->mapped);
	json_number("since_ns", entry->since);
	printf("}");
}

static void json_buffer_end(bool empty)
{
	printf("%s]}", empty ? "" : "\n    ");
}

static void json_provider_end(bool empty)
{
	printf("%s]}", empty ? "" : "\n  ");
}

static void json_end(void)
{
	printf("\n]}\n");
}

static const struct writer table = {
	table_begin, table_provider, table_buffer, table_holder, table_part_end,
	table_part_end, table_end,
};

static const struct writer json = {
	json_begin, json_provider, json_buffer, json_holder, json_buffer_end,
	json_provider_end, json_end,
};

struct buffers_query {
	int node;
	struct peerbuf_buffers_query query;
};

static int ask_buffers(void *query, void *entries, __u32 room, __u32 *nr)
{
	struct buffers_query *q = query;
	int err;

	err = peerbuf_list_buffers(q->node, &q->query, entries, room);
	*nr = q->query.nr_entries;
	return err;
}

struct holders_query {
	int node;
	__u64 id;
	struct peerbuf_holders_query query;
};

static int ask_holders(void *query, void *entries, __u32 room, __u32 *nr)
{
	struct holders_query *q = query;
	int err;

	err = peerbuf_list_holders(q->node, q->id, &q->query, entries, room);
	*nr = q->query.nr_entries;
	return err;
}

/* A buffer that has gone since it was listed has no importers. */
static int show_buffer(int node, const struct peerbuf_function *provider,
		       const struct peerbuf_buffer_entry *entry,
		       const struct writer *writer, bool first)
{
	struct peerbuf_holder_entry *holders;
	struct holders_query query = {
		.node = node,
		.id = entry->id,
		.query = { .size = sizeof(query.query), .entry_size = sizeof(*holders) },
	};
	void *list;
	int i, nr;

	nr = read_entries(ask_holders, &query, sizeof(*holders), entry->nr_importers, &list);
	if (nr < 0 && nr != -ENOENT)
		return nr;
	holders = list;
	writer->buffer(provider, entry, first);
	for (i = 0; i < nr; i++)
		writer->holder(&holders[i], !i);
	writer->buffer_end(nr <= 0);
	free(holders);
	return 0;
}

static int show_buffers(int node, const struct peerbuf_function *provider,
			struct question *question, bool first)
{
	struct peerbuf_buffer_entry *entries;
	struct buffers_query query = {
		.node = node,
		.query = { .size = sizeof(query.query), .entry_size = sizeof(*entries) },
	};
	bool empty = true;
	int i, nr, err = 0;
	void *list;

	nr = read_entries(ask_buffers, &query, sizeof(*entries), 0, &list);
	if (nr < 0)
		return report_call(nr, name_of(provider).text);
	entries = list;
	question->writer->provider(provider, query.query.longest_revoke_ns, first);
	for (i = 0; i < nr && !err; i++) {
		if (question->one && entries[i].id != question->id)
			continue;
		err = show_buffer(node, provider, &entries[i], question->writer, empty);
		empty = false;
	}
	question->writer->provider_end(empty);
	question->found |= !empty;
	free(entries);
	return err ? report_call(err, name_of(provider).text) : EXIT_OK;
}

static int show_provider(const struct peerbuf_function *provider, struct question *question,
			 bool first)
{
	int node, status;

	node = open_node(provider, O_RDONLY);
	if (node < 0)
		return EXIT_ERROR;
	status = show_buffers(node, provider, question, first);
	close(node);
	return status;
}

/* Nothing is written of those whose nodes belong to others, but it is said. */
static int show_all(struct question *question)
{
	struct peerbuf_function *list;
	int i, count, status = EXIT_OK;
	bool first = true;

	count = peerbuf_list_providers(&list);
	if (count < 0)
		return report_call(count, "cannot read " PEERBUF_CLASS_DIR);
	for (i = 0; i < count; i++) {
		if (show_provider(&list[i], question, first))
			status = EXIT_ERROR;
		else
			first = false;
	}
	free(list);
	return status;
}

/* The control node knows all providers, whoever owns their nodes. */
static int check_provider(const struct peerbuf_function *provider)
{
	struct peerbuf_provider_info info = { .size = sizeof(info) };
	int control = open_control(), err;

	if (control < 0)
		return EXIT_ERROR;
	err = peerbuf_get_provider(control, provider, &info);
	close(control);
	if (err == -ENODEV)
		return report("%s is not a provider (peerbuf list)", name_of(provider).text);
	return err ? report_call(err, name_of(provider).text) : 0;
}

static int parse_id(const char *text, __u64 *id)
{
	char *end;

	errno = 0;
	*id = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno)
		return 0;
	return report_usage(&verb_holders, "\"%s\" is not the number of a buffer", text);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ }
	};
	struct question question = { .writer = &table };
	struct peerbuf_function provider;
	int option, status;

	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (option != 'j')
			return report_option(&verb_holders, option, argv);
		question.writer = &json;
	}
	if (argc - optind > 2)
		return report_usage(&verb_holders, "holders takes no argument \"%s\"",
				    argv[optind + 2]);
	if (argc > optind && parse_function(argv[optind], &provider))
		return EXIT_ERROR;
	question.one = argc - optind == 2;
	if (question.one && parse_id(argv[optind + 1], &question.id))
		return EXIT_ERROR;

	if (argc > optind && check_provider(&provider))
		return EXIT_ERROR;
	question.writer->begin();
	status = argc > optind ? show_provider(&provider, &question, true) :
				 show_all(&question);
	question.writer->end();
	if (!status && question.one && !question.found)
		return report("%s has no buffer %llu", name_of(&provider).text,
			      (unsigned long long)question.id);
	return status;
}

const struct verb verb_holders = {
	.name = "holders",
	.args = "[PROVIDER [BUFFER]] [--json]",
	.summary = "show the buffers, and who holds them",
	.help =
	"Shows each buffer of PROVIDER, or of all: its size, whether it is lent, stopped,\n"
	"being revoked or revoked, areas of address spaces that map it, mappings of the kernel,\n"
	"and who made it. Below stand its importers: the class, the route and its reason,\n"
	"what they may do, and how much they have mapped since when.\n"
	"\n"
	"  --json  for programs: bytes, and nanoseconds of CLOCK_BOOTTIME\n"
	"\n"
	"Needs access to the provider's node.\n",
	.error = EXIT_ERROR,
	.run = run,
};

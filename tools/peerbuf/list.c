// SPDX-License-Identifier: MIT
/* peerbuf list: the providers and their windows. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"

/* How the list is written: for people, or for programs. */
struct writer {
	void (*begin)(void);
	void (*provider)(const struct peerbuf_provider_info *info, bool first);
	void (*window)(const struct peerbuf_window_info *info);
	void (*provider_end)(const struct peerbuf_provider_info *info);
	void (*end)(void);
};

static void table_begin(void)
{
	printf("%-12s  %-9s  %-6s  %-3s  %10s  %10s  %10s  %-12s\n", "PROVIDER", "DEVICE",
	       "WINDOW", "BAR", "OFFSET", "SIZE", "AVAILABLE", "PREFETCHABLE");
}

static void print_device(const struct peerbuf_function *function)
{
	unsigned int vendor, device;

	if (device_id(function, &vendor, &device))
		printf("%-12s  %-9s  ", name_of(function).text, "?");
	else
		printf("%-12s  %04x:%04x  ", name_of(function).text, vendor, device);
}

static void table_provider(const struct peerbuf_provider_info *info, bool first)
{
	(void)first;
	if (info->nr_windows)
		return;
	print_device(&info->provider);
	printf("-\n");
}

static void table_window(const struct peerbuf_window_info *info)
{
	print_device(&info->provider);
	printf("%-6u  %-3u  %10s  %10s  %10s  %s\n", info->index, info->bar,
	       size_of(info->bar_offset).text, size_of(info->length).text,
	       size_of(info->available).text,
	       info->flags & PEERBUF_WINDOW_PREFETCHABLE ? "yes" : "no");
}

static void table_provider_end(const struct peerbuf_provider_info *info)
{
	(void)info;
}

static void table_end(void)
{
}

static void json_begin(void)
{
	printf("{\"providers\": [");
}

static void json_provider(const struct peerbuf_provider_info *info, bool first)
{
	unsigned int vendor, device;

	printf("%s\n  {\"function\": \"%s\"", first ? "" : ",",
	       name_of(&info->provider).text);
	if (!device_id(&info->provider, &vendor, &device))
		printf(", \"vendor\": \"0x%04x\", \"device\": \"0x%04x\"", vendor, device);
	printf(", \"buffers\": %u, \"windows\": [", info->nr_buffers);
}

static void json_window(const struct peerbuf_window_info *info)
{
	printf("%s\n    {\"window\": %u, \"bar\": %u, \"bar_offset\": %llu", info->index ? "," : "",
	       info->index, info->bar, (unsigned long long)info->bar_offset);
	printf(", \"length\": %llu, \"available\": %llu", (unsigned long long)info->length,
	       (unsigned long long)info->available);
	printf(", \"prefetchable\": %s",
	       info->flags & PEERBUF_WINDOW_PREFETCHABLE ? "true" : "false");
	printf(", \"phys\": \"0x%llx\", \"bus\": \"0x%llx\"}", (unsigned long long)info->phys,
	       (unsigned long long)info->bus);
}

static void json_provider_end(const struct peerbuf_provider_info *info)
{
	printf("%s]}", info->nr_windows ? "\n  " : "");
}

static void json_end(void)
{
	printf("\n]}\n");
}

static const struct writer table = {
	table_begin, table_provider, table_window, table_provider_end, table_end,
};

static const struct writer json = {
	json_begin, json_provider, json_window, json_provider_end, json_end,
};

/* Returns 0, or a negative errno: -ENODEV for a provider that has just left. */
static int list_one(int control, const struct peerbuf_function *provider,
		    const struct writer *writer, bool first)
{
	struct peerbuf_provider_info info = { .size = sizeof(info) };
	struct peerbuf_window_info window = { .size = sizeof(window) };
	__u32 i;
	int err;

	err = peerbuf_get_provider(control, provider, &info);
	if (err)
		return err;
	writer->provider(&info, first);
	for (i = 0; i < info.nr_windows; i++) {
		err = peerbuf_get_window(control, provider, i, &window);
		if (err)
			break;
		writer->window(&window);
	}
	writer->provider_end(&info);
	return err;
}

static int list_all(int control, const struct peerbuf_function *list, int count,
		    const struct writer *writer)
{
	bool first = true;
	int i, err;

	writer->begin();
	for (i = 0; i < count; i++) {
		err = list_one(control, &list[i], writer, first);
		if (err && err != -ENODEV)
			return report_call(err, name_of(&list[i]).text);
		first = first && err;
	}
	writer->end();
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ }
	};
	const struct writer *writer = &table;
	struct peerbuf_function *list;
	int option, control, count, status;

	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (option != 'j')
			return report_option(&verb_list, option, argv);
		writer = &json;
	}
	if (optind < argc)
		return report_usage(&verb_list, "list takes no argument \"%s\"", argv[optind]);

	control = open_control();
	if (control < 0)
		return EXIT_ERROR;
	count = peerbuf_list_providers(&list);
	if (count < 0)
		return report_call(count, "cannot read " PEERBUF_CLASS_DIR);

	status = list_all(control, list, count, writer);
	close(control);
	if (!count && writer == &table)
		report("no providers; to make a PCI function one: peerbuf bind FUNCTION");
	free(list);
	return status;
}

const struct verb verb_list = {
	.name = "list",
	.args = "[--json]",
	.summary = "show the providers and their windows",
	.help =
	"Shows each window that a provider has lent to peerbuf: its BAR, where it starts\n"
	"in it, its size, how much no buffer and no pool holds, and whether the BAR is\n"
	"prefetchable. Needs no privilege.\n"
	"\n"
	"  --json  for programs: sizes in bytes, CPU physical and PCI bus addresses\n",
	.error = EXIT_ERROR,
	.run = run,
};

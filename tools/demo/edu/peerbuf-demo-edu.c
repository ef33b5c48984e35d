// SPDX-License-Identifier: MIT
/*
 * peerbuf-demo-edu: DMA engines move data from one place of another device's BAR to
 * another, and the CPU checks every byte.
 *
 * Needs a provider (peerbuf_pci) and at least one of QEMU's edu engines
 * (peerbuf_edu); tools/vm boots a machine that has both. Exit status: 0 only if
 * every byte matched and the revoke did what it promises.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "memory.h"
#include "tree.h"

#define POISON 0xa5
#define KIB 1024ULL
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/**
 * struct demo - what the steps share
 * @control: the control node
 * @node: the provider's node
 * @provider: its address
 * @window: its first window
 * @engines: the importers
 * @nr_engines: how many
 * @verdict: how the first of them reaches the provider
 * @source: what the engines read; 0 to @size is the pattern
 * @destination: what they write, with a page before and after it that they must
 *	not touch
 * @size: bytes to move
 * @seed: of the pattern
 * @failed: something was not as it should be
 */
struct demo {
	int control;
	int node;
	struct peerbuf_function provider;
	struct peerbuf_window_info window;
	struct engine engines[MAX_ENGINES];
	unsigned int nr_engines;
	struct peerbuf_verdict verdict;
	struct buffer source;
	struct buffer destination;
	__u64 size;
	__u64 seed;
	bool failed;
};

static bool animate; /* draw a bar that grows, on a terminal */

static int fail(int err, const char *what, const char *advice)
{
	fflush(stdout);
	fprintf(stderr, "peerbuf-demo-edu: %s", what);
	if (err)
		fprintf(stderr, ": %s", strerror(-err));
	fprintf(stderr, "%s%s\n", advice ? "; " : "", advice ? advice : "");
	return -1;
}

/* One line of a step, with its result. */
static void check(struct demo *demo, bool ok, const char *what)
{
	printf("   %-64s %s\n", what, ok ? "ok" : "WRONG");
	demo->failed |= !ok;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static const char *name_of(const struct peerbuf_function *function,
			   char name[PEERBUF_FUNCTION_LEN])
{
	peerbuf_format_function(function, name, PEERBUF_FUNCTION_LEN);
	return name;
}

/* Step 1: who is there */

static int find_provider(struct demo *demo)
{
	struct peerbuf_function *list;
	int count = peerbuf_list_providers(&list);

	if (count < 0)
		return fail(count, "cannot list providers", "load the module: modprobe peerbuf");
	if (!count)
		return fail(0, "no provider", "make one: peerbuf bind FUNCTION");
	demo->provider = list[0];
	free(list);

	demo->window.size = sizeof(demo->window);
	count = peerbuf_get_window(demo->control, &demo->provider, 0, &demo->window);
	if (count)
		return fail(count, "the provider has no window", NULL);
	if (demo->window.length / 2 < demo->size + 2 * PAGE)
		return fail(0, "the window is too small for this --size", NULL);
	return 0;
}

static int find_engines(struct demo *demo)
{
	int i, err, count = engines_find(demo->engines);

	if (!count)
		return fail(0, "no edu engine", "load its driver: modprobe peerbuf_edu");
	for (i = 0; i < count; i++) {
		err = engine_open(&demo->engines[i]);
		if (err)
			return fail(err, "cannot open an engine's node", "run as root");
	}
	demo->nr_engines = (unsigned int)count;
	return 0;
}

static int step_devices(struct demo *demo)
{
	char name[PEERBUF_FUNCTION_LEN];
	unsigned int i;

	if (find_provider(demo) || find_engines(demo))
		return -1;
	printf("1. Devices\n");
	printf("   provider   %s  window 0: BAR %u, %llu MiB%s\n", name_of(&demo->provider, name),
	       demo->window.bar, (unsigned long long)demo->window.length >> 20,
	       demo->window.flags & PEERBUF_WINDOW_PREFETCHABLE ? ", prefetchable" : "");
	for (i = 0; i < demo->nr_engines; i++)
		printf("   importer   %s  engine %u: edu, buffer of %u bytes\n",
		       name_of(&demo->engines[i].function, name), i, PAGE);
	return 0;
}

/* Step 2: the way between them */

static void print_way(const struct demo *demo)
{
	struct tree tree = { .count = 0 };
	char label[32];
	int provider, engine;
	unsigned int i;

	provider = tree_add(&tree, &demo->provider, "provider");
	for (i = 0; i < demo->nr_engines; i++) {
		snprintf(label, sizeof(label), "importer, engine %u", i);
		engine = tree_add(&tree, &demo->engines[i].function, label);
		if (demo->verdict.route != PEERBUF_ROUTE_NONE)
			tree_mark_way(&tree, provider, engine,
				      demo->verdict.route == PEERBUF_ROUTE_HOST);
	}
	printf("\n");
	tree_print(&tree, "   ");
	if (demo->verdict.route != PEERBUF_ROUTE_NONE)
		printf("   (* the data passes here)\n");
}

static int query_routes(struct demo *demo)
{
	struct peerbuf_route_query query = { .size = sizeof(query) };
	unsigned int i;
	int err;

	/* the first engine's verdict stands for all; another must not be worse */
	for (i = demo->nr_engines; i-- > 0;) {
		err = peerbuf_query_route(demo->control, &demo->provider,
					  &demo->engines[i].function, &query);
		if (err)
			return fail(err, "cannot query the route", NULL);
		demo->verdict = query.verdict;
		if (query.verdict.route == PEERBUF_ROUTE_NONE && i)
			demo->nr_engines = i;
	}
	return 0;
}

static int step_route(struct demo *demo)
{
	const struct peerbuf_verdict *verdict = &demo->verdict;
	char name[PEERBUF_FUNCTION_LEN];

	if (query_routes(demo))
		return -1;
	printf("\n2. Route\n");
	printf("   route      %s: %s\n", peerbuf_route_name(verdict->route),
	       peerbuf_route_text(verdict->route));
	printf("   reason     %s: %s\n", peerbuf_reason_name(verdict->reason),
	       peerbuf_reason_text(verdict->reason));
	if (verdict->flags & PEERBUF_VERDICT_BLOCKER)
		printf("   blocker    %s\n", name_of(&verdict->blocker, name));
	if (verdict->route == PEERBUF_ROUTE_NONE)
		printf("   hint       %s\n", peerbuf_hint(verdict->route, verdict->reason));
	else
		printf("   distance   %d\n", verdict->distance);
	print_way(demo);
	return verdict->route == PEERBUF_ROUTE_NONE ? fail(0, "there is no route", NULL) : 0;
}

/* Step 3: export, import, addresses */

static int export_buffers(struct demo *demo)
{
	int err;

	demo->source.length = demo->size;
	demo->destination.offset = demo->window.length / 2;
	demo->destination.length = demo->size + 2 * PAGE;
	err = buffer_export(&demo->source, demo->node, 0);
	if (!err)
		err = buffer_export(&demo->destination, demo->node, 0);
	return err ? fail(err, "cannot export", "does somebody else use the window?") : 0;
}

static int import_buffers(struct demo *demo)
{
	struct engine *engine;
	int err;

	for (engine = demo->engines; engine < demo->engines + demo->nr_engines; engine++) {
		err = engine_import(engine, demo->source.fd, &engine->source);
		if (!err)
			err = engine_import(engine, demo->destination.fd, &engine->destination);
		if (err)
			return fail(err, "an engine cannot import", NULL);
	}
	return 0;
}

/* Nothing can be said of an IOVA, but that a DMA to it must arrive. */
static const char *judge_address(struct demo *demo, __u64 dma, __u64 phys, __u64 bus)
{
	bool on_bus = demo->verdict.route == PEERBUF_ROUTE_BUS;

	if (!on_bus && demo->verdict.flags & PEERBUF_VERDICT_IOMMU)
		return "";
	if (dma == (on_bus ? bus : phys))
		return "ok";
	demo->failed = true;
	return "WRONG";
}

static const char *address_kind(const struct demo *demo)
{
	if (demo->verdict.route == PEERBUF_ROUTE_BUS)
		return "the PCI bus address";
	if (demo->verdict.flags & PEERBUF_VERDICT_IOMMU)
		return "an IOVA of the importer";
	return "the CPU physical address";
}

static int print_addresses(struct demo *demo, const char *what, const struct buffer *buffer,
			   __u32 handle)
{
	__u64 phys = demo->window.phys + buffer->offset;
	__u64 bus = demo->window.bus + buffer->offset;
	__u64 dma;
	int err;

	err = engine_address(&demo->engines[0], handle, 0, &dma);
	if (err)
		return fail(err, "cannot read a DMA address", "run as root");
	printf("   %-12s  %#14llx  %#14llx  %#14llx  %s\n", what, (unsigned long long)phys,
	       (unsigned long long)bus, (unsigned long long)dma,
	       judge_address(demo, dma, phys, bus));
	return 0;
}

static int step_addresses(struct demo *demo)
{
	if (export_buffers(demo) || import_buffers(demo))
		return -1;
	printf("\n3. Addresses; the engine must be given %s\n", address_kind(demo));
	printf("   %-12s  %14s  %14s  %14s\n", "buffer", "CPU physical", "PCI bus",
	       "DMA, engine 0");
	return print_addresses(demo, "source", &demo->source, demo->engines[0].source) ||
	       print_addresses(demo, "destination", &demo->destination,
			       demo->engines[0].destination) ? -1 : 0;
}

/*
 * Step 4: one page, half by half. Between the halves the CPU wipes the source,
 * so what then arrives can only come out of the engine.
 */
static int step_one_page(struct demo *demo)
{
	struct buffer *source = &demo->source, *destination = &demo->destination;
	int err;

	err = buffer_map(source);
	if (!err)
		err = buffer_map(destination);
	if (err)
		return fail(err, "cannot mmap a buffer", NULL);

	printf("\n4. One page in slow motion, seed %#llx\n", (unsigned long long)demo->seed);
	fill_pattern(source, demo->seed);
	fill_byte(destination, 0, destination->length, POISON);
	check(demo, !count_not_pattern(source, 0, source->length, demo->seed),
	      "CPU  fills the source with the pattern, reads it back");
	check(demo, !count_not_byte(destination, 0, destination->length, POISON),
	      "CPU  fills the destination with poison, reads it back");

	err = engine_read(&demo->engines[0], 0);
	check(demo, !err && !count_not_byte(destination, 0, destination->length, POISON),
	      "DMA  source -> engine; the destination is still poison");
	fill_byte(source, 0, PAGE, 0);
	check(demo, !count_not_byte(source, 0, PAGE, 0), "CPU  wipes the page from the source");
	if (!err)
		err = engine_write(&demo->engines[0], PAGE);
	check(demo, !err && !count_not_pattern(destination, PAGE, PAGE, demo->seed),
	      "DMA  engine -> destination; the pattern has arrived");

	fill_pattern(source, demo->seed);
	fill_byte(destination, 0, destination->length, POISON);
	check(demo, !count_not_byte(destination, 0, destination->length, POISON),
	      "CPU  restores both, and gives up its mappings");
	buffer_unmap(source);
	buffer_unmap(destination);
	return err ? fail(err, "a copy failed", NULL) : 0;
}

/* Step 5: the bulk */

static void show_progress(const struct transfer *transfer)
{
	static unsigned int shown;
	unsigned int done = atomic_load(&transfer->done);
	unsigned int quarter = 4 * done / transfer->pages, i;

	if (!animate) {
		if (quarter > shown)
			printf("   %llu of %llu KiB\n", done * (PAGE / KIB),
			       transfer->pages * (PAGE / KIB));
		shown = quarter;
		fflush(stdout);
		return;
	}
	printf("\r   [");
	for (i = 0; i < 40; i++)
		putchar(i < 40 * done / transfer->pages ? '#' : '.');
	printf("] %llu of %llu KiB%s", done * (PAGE / KIB), transfer->pages * (PAGE / KIB),
	       done == transfer->pages ? "\n" : "");
	fflush(stdout);
}

static void report_work(struct demo *demo, const long *before, const unsigned int *then)
{
	char name[PEERBUF_FUNCTION_LEN], line[80];
	unsigned int i, dmas;
	long interrupts;

	for (i = 0; i < demo->nr_engines; i++) {
		dmas = demo->engines[i].dmas - then[i];
		interrupts = engine_interrupts(&demo->engines[i]) - before[i];
		name_of(&demo->engines[i].function, name);
		if (before[i] < 0)
			snprintf(line, sizeof(line), "engine %u (%s): %u DMAs", i, name, dmas);
		else
			snprintf(line, sizeof(line), "engine %u (%s): %u DMAs, %ld interrupts",
				 i, name, dmas, interrupts);
		check(demo, dmas && (before[i] < 0 || interrupts >= (long)dmas), line);
	}
}

static int step_transfer(struct demo *demo)
{
	struct transfer transfer = {
		.engines = demo->engines,
		.nr_engines = demo->nr_engines,
		.pages = (unsigned int)(demo->size / PAGE),
		.destination = PAGE,
	};
	unsigned int dmas[MAX_ENGINES], i;
	long interrupts[MAX_ENGINES];
	double start = seconds();
	int err;

	for (i = 0; i < demo->nr_engines; i++) {
		dmas[i] = demo->engines[i].dmas;
		interrupts[i] = engine_interrupts(&demo->engines[i]);
	}
	printf("\n5. %llu KiB source -> engine -> destination, %u bytes at a time, no CPU\n",
	       (unsigned long long)demo->size / KIB, PAGE);
	err = transfer_run(&transfer, show_progress);
	if (err)
		return fail(err, "a copy failed", NULL);
	report_work(demo, interrupts, dmas);
	printf("   time %.1f s (the engine takes 100 ms for one DMA)\n", seconds() - start);
	return 0;
}

/* Step 6: every byte */

static void report_compare(struct demo *demo, const char *what, __u64 bytes, __u64 wrong)
{
	char line[80];

	snprintf(line, sizeof(line), "%-30s %7llu bytes compared, %llu differ", what,
		 (unsigned long long)bytes, (unsigned long long)wrong);
	check(demo, !wrong, line);
}

static int step_compare(struct demo *demo)
{
	struct buffer *source = &demo->source, *destination = &demo->destination;
	__u64 end = PAGE + demo->size;
	int err;

	err = buffer_map(source);
	if (!err)
		err = buffer_map(destination);
	if (err)
		return fail(err, "cannot mmap a buffer", NULL);

	printf("\n6. Compare\n");
	report_compare(demo, "destination is the pattern", demo->size,
		       count_not_pattern(destination, PAGE, demo->size, demo->seed));
	report_compare(demo, "source is unchanged", demo->size,
		       count_not_pattern(source, 0, demo->size, demo->seed));
	report_compare(demo, "pages around it still poison", 2 * PAGE,
		       count_not_byte(destination, 0, PAGE, POISON) +
		       count_not_byte(destination, end, PAGE, POISON));
	return 0;
}

/* Step 7: take the destination back */

static int step_revoke(struct demo *demo)
{
	struct peerbuf_buffer_info info = { .size = sizeof(info) };
	struct peerbuf_range range;
	double start = seconds();
	char line[80];
	__u64 word;
	int err;

	printf("\n7. Revoke the destination\n");
	err = peerbuf_revoke_buffer(demo->node, demo->destination.id, 0);
	snprintf(line, sizeof(line), "revoke completes, after %.1f ms",
		 1000 * (seconds() - start));
	check(demo, !err, line);
	check(demo, engine_write(&demo->engines[0], 0) == -ENODEV,
	      "DMA  engine -> destination fails with ENODEV");
	check(demo, buffer_faults(&demo->destination, &word),
	      "CPU  reading its mapping gets SIGBUS");
	err = peerbuf_get_buffer(demo->control, demo->destination.fd, &info, &range, 1);
	check(demo, !err && info.flags & PEERBUF_BUFFER_REVOKED,
	      "the dma-buf says that it is revoked");
	check(demo, !engine_read(&demo->engines[0], 0) && !buffer_faults(&demo->source, &word),
	      "the source is not: DMA and CPU still reach it");
	return 0;
}

static int run(struct demo *demo)
{
	static int (* const steps[])(struct demo *demo) = {
		step_route, step_addresses, step_one_page, step_transfer, step_compare,
		step_revoke,
	};
	size_t i;

	demo->control = peerbuf_open_control();
	if (demo->control < 0)
		return fail(demo->control, "cannot open " PEERBUF_CONTROL_PATH,
			    "load the module: modprobe peerbuf");
	if (step_devices(demo))
		return -1;
	demo->node = peerbuf_open_node(&demo->provider, O_RDWR);
	if (demo->node < 0)
		return fail(demo->node, "cannot open the provider's node", "run as root");
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		if (steps[i](demo))
			return -1;
	}
	return 0;
}

static void print_usage(FILE *file)
{
	fprintf(file,
		"usage: peerbuf-demo-edu [--size KIB] [--seed NUMBER] [--plain]\n"
		"\n"
		"  --size KIB     how much to move, a multiple of 4 (256)\n"
		"  --seed NUMBER  of the pattern (from the clock)\n"
		"  --plain        no growing bar, also on a terminal\n");
}

static int parse_number(const char *text, __u64 *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 0);
	return errno || end == text || *end || *text == '-' ? -1 : 0;
}

/* Returns 0 to go on, else 1 more than the exit status. */
static int parse(int argc, char **argv, struct demo *demo)
{
	static const struct option options[] = {
		{ "size", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'r' },
		{ "plain", no_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	__u64 kib = 256;
	int option, bad = 0;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h') {
			print_usage(stdout);
			return 1;
		}
		if (option == 's')
			bad |= parse_number(optarg, &kib) || !kib || kib % 4 || kib > 1 << 20;
		else if (option == 'r')
			bad |= parse_number(optarg, &demo->seed);
		else if (option == 'p')
			animate = false;
		else
			bad = 1;
	}
	demo->size = kib * KIB;
	if (!bad && optind == argc)
		return 0;
	print_usage(stderr);
	return 3;
}

/* A terminal that can redraw a line. What a serial line ends in, nobody knows. */
static bool can_animate(void)
{
	const char *term = getenv("TERM"), *tty = ttyname(STDOUT_FILENO);

	return tty && strncmp(tty, "/dev/ttyS", 9) && strcmp(tty, "/dev/console") &&
	       term && strcmp(term, "dumb");
}

int main(int argc, char **argv)
{
	struct demo demo = { .seed = (__u64)time(NULL) };
	int status;

	animate = can_animate();
	status = parse(argc, argv, &demo);
	if (status)
		return status - 1;

	printf("peerbuf demo: DMA from device to device, checked byte by byte\n\n");
	if (run(&demo))
		demo.failed = true;
	if (demo.failed)
		printf("\nFAILED\n");
	else
		printf("\nPASSED: %llu bytes went BAR -> edu -> BAR, and every byte matched\n",
		       (unsigned long long)demo.size);
	return demo.failed ? 1 : 0;
}

// SPDX-License-Identifier: MIT
/* The importers of the demo: QEMU's edu DMA engines, behind peerbuf_edu. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"

#define NODE_PREFIX PEERBUF_DEV_DIR "/edu-"

static int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

/* The first engines that have a node, in the order of their addresses. */
int engines_find(struct engine engines[MAX_ENGINES])
{
	size_t i;
	glob_t nodes;
	int count = 0;

	if (glob(NODE_PREFIX "*", 0, NULL, &nodes))
		return 0;
	for (i = 0; i < nodes.gl_pathc && count < MAX_ENGINES; i++) {
		const char *name = nodes.gl_pathv[i] + strlen(NODE_PREFIX);

		if (!peerbuf_parse_function(name, &engines[count].function))
			count++;
	}
	globfree(&nodes);
	return count;
}

int engine_open(struct engine *engine)
{
	char path[sizeof(NODE_PREFIX) + PEERBUF_FUNCTION_LEN] = NODE_PREFIX;

	peerbuf_format_function(&engine->function, path + strlen(NODE_PREFIX),
				PEERBUF_FUNCTION_LEN);
	engine->fd = open(path, O_RDWR | O_CLOEXEC);
	return engine->fd < 0 ? -errno : 0;
}

int engine_import(struct engine *engine, int dmabuf, __u32 *handle)
{
	struct peerbuf_edu_import import = { .size = sizeof(import), .fd = dmabuf };
	int err = call(engine->fd, PEERBUF_EDU_IOC_IMPORT, &import);

	*handle = import.handle;
	return err;
}

static int copy_page(struct engine *engine, __u32 handle, __u32 direction, __u64 offset)
{
	struct peerbuf_edu_copy copy = {
		.size = sizeof(copy),
		.handle = handle,
		.direction = direction,
		.length = PAGE,
		.offset = offset,
	};
	int err = call(engine->fd, PEERBUF_EDU_IOC_COPY, &copy);

	if (!err)
		engine->dmas++;
	return err;
}

/* One page of the source into the engine's buffer. */
int engine_read(struct engine *engine, __u64 offset)
{
	return copy_page(engine, engine->source, PEERBUF_EDU_TO_ENGINE, offset);
}

/* The engine's buffer into one page of the destination. */
int engine_write(struct engine *engine, __u64 offset)
{
	return copy_page(engine, engine->destination, PEERBUF_EDU_FROM_ENGINE, offset);
}

int engine_address(struct engine *engine, __u32 handle, __u64 offset, __u64 *address)
{
	struct peerbuf_edu_address query = {
		.size = sizeof(query),
		.handle = handle,
		.offset = offset,
	};
	int err = call(engine->fd, PEERBUF_EDU_IOC_ADDRESS, &query);

	*address = query.address;
	return err;
}

/* Sum of "1,2,3", a count for each CPU. */
static long sum_of(const char *path)
{
	FILE *file = fopen(path, "re");
	long sum = -1, count;

	if (!file)
		return -1;
	while (fscanf(file, "%ld%*[,]", &count) == 1)
		sum = sum < 0 ? count : sum + count;
	fclose(file);
	return sum;
}

/* Interrupts that the engine has raised, all CPUs together; -1 if not known. */
long engine_interrupts(const struct engine *engine)
{
	char name[PEERBUF_FUNCTION_LEN], pattern[96], path[64];
	const char *irq;
	glob_t irqs;
	long count = -1;

	peerbuf_format_function(&engine->function, name, sizeof(name));
	snprintf(pattern, sizeof(pattern), "/sys/bus/pci/devices/%s/msi_irqs/*", name);
	if (glob(pattern, 0, NULL, &irqs))
		return -1;
	if (irqs.gl_pathc == 1) {
		irq = strrchr(irqs.gl_pathv[0], '/') + 1;
		snprintf(path, sizeof(path), "/sys/kernel/irq/%s/per_cpu_count", irq);
		count = sum_of(path);
	}
	globfree(&irqs);
	return count;
}

static int move_page(struct transfer *transfer, struct engine *engine, unsigned int page)
{
	int err = engine_read(engine, (__u64)page * PAGE);

	return err ? err : engine_write(engine, transfer->destination + (__u64)page * PAGE);
}

struct worker {
	struct transfer *transfer;
	unsigned int number;
	pthread_t thread;
};

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct transfer *transfer = worker->transfer;
	unsigned int page;
	int err, none = 0;

	for (page = worker->number; page < transfer->pages; page += transfer->nr_engines) {
		if (atomic_load(&transfer->err))
			break;
		err = move_page(transfer, &transfer->engines[worker->number], page);
		if (err) {
			atomic_compare_exchange_strong(&transfer->err, &none, err);
			break;
		}
		atomic_fetch_add(&transfer->done, 1);
	}
	return NULL;
}

/* Calls @progress now and then, and once at the end. */
int transfer_run(struct transfer *transfer, void (*progress)(const struct transfer *))
{
	const struct timespec interval = { .tv_nsec = 50 * 1000 * 1000 };
	struct worker workers[MAX_ENGINES];
	unsigned int i, started;
	int err = 0;

	for (started = 0; started < transfer->nr_engines; started++) {
		workers[started].transfer = transfer;
		workers[started].number = started;
		err = -pthread_create(&workers[started].thread, NULL, work, &workers[started]);
		if (err) {
			atomic_store(&transfer->err, err);
			break;
		}
	}
	while (atomic_load(&transfer->done) < transfer->pages && !atomic_load(&transfer->err)) {
		progress(transfer);
		nanosleep(&interval, NULL);
	}
	for (i = 0; i < started; i++)
		pthread_join(workers[i].thread, NULL);
	progress(transfer);
	return atomic_load(&transfer->err);
}

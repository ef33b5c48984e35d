// SPDX-License-Identifier: MIT
/*
 * peerbuf-demo: a picture goes from a disk over a wire to a screen, through the
 * BAR of a memory device, and through no system memory.
 *
 * This process sets all up: it opens the devices' nodes, hands them over to four
 * processes without rights, tells them when to begin, and looks at what they
 * leave. It never has the picture, nor do they. What is seen from outside the
 * machine, which is whether the picture has arrived and where it has been, is for
 * tools/demo/picture/judge: this only has QEMU save it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/dma-heap.h>

#include "journey.h"

#define POOL_LENGTH	(16ULL << 20)
#define MAX_COMMANDS	(FRAME - 1)	/* bytes: there is no room for a line */
#define HEAP_PATH	"/dev/dma_heap/system"

enum { OWNER, DISK, WIRE, SCREEN, NR_ACTORS };

/**
 * struct demo - what the steps share
 * @control: the control node
 * @provider: whose memory it is
 * @window: its first window
 * @devices: the importers
 * @actors: the processes
 * @made: what the owner said of its buffers
 */
struct demo {
	int control;
	struct peerbuf_function provider;
	struct peerbuf_window_info window;
	struct device devices[NR_DEVICES];
	struct actor actors[NR_ACTORS];
	struct report made;
};

/* PEERBUF_SABOTAGE names one way to spoil the journey: see Documentation/demo.rst. */
bool sabotaged(const char *what)
{
	const char *how = getenv("PEERBUF_SABOTAGE");

	return how && !strcmp(how, what);
}

static const char *expected_route(void)
{
	const char *route = getenv("PEERBUF_ROUTE");

	if (sabotaged("route"))
		return route && !strcmp(route, "bus") ? "host" : "bus";
	return route;
}

static const char *address_kind(const struct device *device)
{
	if (device->verdict.route == PEERBUF_ROUTE_BUS)
		return "PCI bus address";
	return device->verdict.flags & PEERBUF_VERDICT_IOMMU ? "IOVA" : "physical address";
}

/* Step 1: who is there, and how they reach the memory */

static int find_provider(struct demo *demo)
{
	struct peerbuf_function *list = NULL;
	int count = peerbuf_list_providers(&list), err;

	if (count <= 0)
		return fail(count, "no provider");
	demo->provider = list[0];
	free(list);
	demo->window.size = sizeof(demo->window);
	err = peerbuf_get_window(demo->control, &demo->provider, 0, &demo->window);
	if (err || demo->window.available < POOL_LENGTH)
		return fail(err, "the provider has not enough memory");
	return 0;
}

static int ask_route(struct demo *demo, struct device *device)
{
	struct peerbuf_route_query query = { .size = sizeof(query) };
	const char *expected = expected_route(), *route;
	int err = peerbuf_query_route(demo->control, &demo->provider, &device->function, &query);

	if (err)
		return fail(err, "the kernel knows no route");
	device->verdict = query.verdict;
	route = peerbuf_route_name(query.verdict.route);
	device->sound = !expected || !strcmp(route, expected);
	check(device->sound, "importer  %s  %-11s %-13s route %s (%s)",
	      name_of(&device->function), device->name, device->driver, route,
	      peerbuf_reason_name(query.verdict.reason));
	if (query.verdict.route == PEERBUF_ROUTE_NONE)
		return fail(0, "there is no way for the picture: ask \"peerbuf why\"");
	return 0;
}

static int step_devices(struct demo *demo)
{
	int i;

	step(1, "Devices, and their routes to the memory");
	if (find_provider(demo))
		return -1;
	say("provider  %s  window 0: BAR %u, %llu MiB at bus address %#llx",
	    name_of(&demo->provider), demo->window.bar,
	    (unsigned long long)demo->window.length >> 20,
	    (unsigned long long)demo->window.bus);
	if (devices_find(demo->devices))
		return -1;
	for (i = 0; i < NR_DEVICES; i++) {
		if (ask_route(demo, &demo->devices[i]))
			return -1;
	}
	return 0;
}

/* Step 2: who does it, and what they get */

static int give_node(const struct actor *actor, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : actor_give(actor, fd);
}

static int give_pool(const struct demo *demo)
{
	int node = peerbuf_open_node(&demo->provider, O_RDWR), pool;

	if (node < 0)
		return node;
	pool = peerbuf_create_pool(node, 0, 0, POOL_LENGTH);
	close(node);
	return pool < 0 ? pool : actor_give(&demo->actors[OWNER], pool);
}

/* From the owner to each of the others: an end for both */
static int give_sockets(const struct demo *demo)
{
	int i, sockets[2], err = 0;

	for (i = DISK; i < NR_ACTORS && !err; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
			return -errno;
		err = actor_give(&demo->actors[OWNER], sockets[0]);
		if (!err)
			err = actor_give(&demo->actors[i], sockets[1]);
	}
	return err;
}

/* System memory, which the owner passes for buffer A if it is to do harm */
static int give_heap(const struct demo *demo)
{
	struct dma_heap_allocation_data data = { .len = ROOM, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap, err;

	if (!sabotaged("heap"))
		return give_node(&demo->actors[OWNER], "/dev/null");
	heap = open(HEAP_PATH, O_RDWR | O_CLOEXEC);
	if (heap < 0)
		return -errno;
	err = call(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	close(heap);
	return err ? err : actor_give(&demo->actors[OWNER], (int)data.fd);
}

static int give_all(struct demo *demo)
{
	const struct actor *actors = demo->actors;
	const struct device *devices = demo->devices;
	int err = give_pool(demo);

	if (!err)
		err = give_node(&actors[DISK], devices[NVME].path);
	if (!err)
		err = give_node(&actors[WIRE], devices[NIC0].path);
	if (!err)
		err = give_node(&actors[WIRE], devices[NIC1].path);
	if (!err)
		err = give_node(&actors[SCREEN], devices[GPU].path);
	if (!err)
		err = give_sockets(demo);
	/* the drivers have what they need for themselves, and no buffer yet */
	if (!err)
		err = addresses_watch_memory();
	return err ? err : give_heap(demo);
}

static int step_processes(struct demo *demo)
{
	static const struct {
		const char *name, *has;
		void (*play)(int socket);
	} parts[NR_ACTORS] = {
		[OWNER] = { "owner", "a pool of 16 MiB", play_owner },
		[DISK] = { "disk", "the drive's node", play_disk },
		[WIRE] = { "wire", "the nodes of both ports", play_wire },
		[SCREEN] = { "screen", "the GPU's node", play_screen },
	};
	int i, err;

	step(2, "Processes: each without rights, and with what it was passed");
	for (i = 0; i < NR_ACTORS; i++) {
		err = actor_start(&demo->actors[i], parts[i].name, parts[i].play);
		if (err)
			return fail(err, "cannot start a process");
	}
	err = give_all(demo);
	if (err)
		return fail(err, "cannot pass a node on, or watch what is mapped");
	err = actor_hear(&demo->actors[OWNER], &demo->made);
	if (err || demo->made.error)
		return fail(err ? err : demo->made.error, demo->made.text);
	for (i = 0; i < NR_ACTORS; i++)
		check(actor_is_powerless(&demo->actors[i]),
		      "%-7s process %d, uid 65534, no capabilities; has %s", parts[i].name,
		      demo->actors[i].pid, parts[i].has);
	return 0;
}

/* Step 3: what they share */

static int hear(const struct demo *demo, int who, struct report *report)
{
	int err = actor_hear(&demo->actors[who], report);

	if (err)
		return fail(err, "a process has ended early");
	return report->error ? fail(report->error, report->text) : 0;
}

static int step_buffers(struct demo *demo)
{
	struct report report;
	int i;

	step(3, "Buffers: made by the owner, passed on as descriptors, attached and mapped");
	for (i = 0; i < 2; i++) {
		say("%c  dma-buf of %u bytes, at offset %#llx of the window; to %s", 'A' + i,
		    ROOM, (unsigned long long)demo->made.offset[i],
		    i ? "wire and screen" : "disk and wire");
		note("buffer %c %llu %u", 'A' + i, (unsigned long long)demo->made.offset[i],
		     LENGTH);
	}
	for (i = DISK; i < NR_ACTORS; i++) {
		if (hear(demo, i, &report))
			return -1;
	}
	return 0;
}

/* Steps 4 to 6: the journey */

static int step_disk(struct demo *demo)
{
	struct device *nvme = &demo->devices[NVME];
	struct report report;

	step(4, "disk -> A: the drive writes the picture to the BAR");
	if (actor_go(&demo->actors[DISK]) || hear(demo, DISK, &report))
		return -1;
	nvme->bytes = report.bytes;
	check(true, "%s", report.text);
	return 0;
}

static int step_wire(struct demo *demo)
{
	struct report report;

	step(5, "A -> wire -> B: port 0 reads each line, and port 1 writes it");
	if (actor_go(&demo->actors[WIRE]))
		return -1;
	do {
		if (hear(demo, WIRE, &report))
			return -1;
		if (!report.text[0] && report.bytes / FRAME % (HEIGHT / 4) == 0)
			say("%3llu of %u lines", (unsigned long long)report.bytes / FRAME, HEIGHT);
	} while (!report.text[0]);
	demo->devices[NIC0].bytes = report.bytes;
	demo->devices[NIC1].bytes = report.bytes;
	check(true, "%s", report.text);
	return 0;
}

static int step_screen(struct demo *demo)
{
	struct report report;

	/* if it is to do harm, the owner now does */
	if (actor_go(&demo->actors[OWNER]) || hear(demo, OWNER, &report))
		return -1;
	step(6, "B -> screen: the GPU reads what it shows");
	if (actor_go(&demo->actors[SCREEN]) || hear(demo, SCREEN, &report))
		return -1;
	demo->devices[GPU].bytes = report.bytes;
	check(true, "%s", report.text);
	return 0;
}

/* Step 7: where the DMA went */

static void check_addresses(const struct demo *demo, struct device *device)
{
	struct addresses seen;
	int err = addresses_read(&demo->window, device, demo->made.id[device->buffer], &seen);

	bool right = !err && seen.bytes == ROOM && !seen.outside && !seen.misled;

	device->sound &= check(right, "%-11s %c  %s %#llx: %llu of %u bytes, %llu outside",
			       device->name, 'A' + device->buffer, address_kind(device),
			       (unsigned long long)seen.first, (unsigned long long)seen.bytes,
			       ROOM, (unsigned long long)seen.outside);
}

/* The GPU's driver may have to map its commands. */
static void check_memory(const struct demo *demo, struct device *device)
{
	__u64 bytes = 0, most = device->step == 5 ? MAX_COMMANDS : 0;
	int err = addresses_read_memory(&demo->window, device, &bytes);
	bool right = !err && bytes <= most;

	device->sound &= right;
	if (err)
		check(false, "%-11s system memory mapped since step 2: more than commands",
		      device->name);
	else
		check(right, "%-11s system memory mapped since step 2: %llu bytes%s",
		      device->name, (unsigned long long)bytes,
		      bytes ? ", for commands" : "");
}

static int step_addresses(struct demo *demo)
{
	bool maps = false;
	int i;

	step(7, "Addresses that the devices were given for DMA, and the BAR");
	for (i = 0; i < NR_DEVICES; i++)
		check_addresses(demo, &demo->devices[i]);
	for (i = 0; i < NR_DEVICES; i++)
		check_memory(demo, &demo->devices[i]);
	for (i = 0; i < NR_ACTORS; i++)
		maps |= actor_maps_buffers(&demo->actors[i]);
	check(!maps, "no process has a buffer mapped, to copy from it or to it");
	return 0;
}

/* Step 8: what can only be looked at from outside */

static int save(const char *what, const char *command)
{
	char reply[4096];
	int err = monitor(command, reply, sizeof(reply));

	if (err)
		return fail(err, command);
	check(true, "%s", what);
	return 0;
}

static int memory_size(unsigned long long *size)
{
	char reply[4096];
	const char *words;
	int err = monitor("info memory_size_summary", reply, sizeof(reply));

	words = err ? NULL : strstr(reply, "base memory: ");
	if (!words || sscanf(words, "base memory: %llu", size) != 1)
		return fail(err, "QEMU does not say how much memory there is");
	/* above 2 GiB of it, q35 puts the rest elsewhere */
	return *size > 2ULL << 30 ? fail(0, "too much memory for one piece") : 0;
}

static int step_evidence(struct demo *demo)
{
	unsigned long long size;
	char command[128];

	step(8, "Evidence, while the picture is on the screen: QEMU saves");
	if (save("the screen", "screendump \"/logs/screen.ppm\" gpu0") || memory_size(&size))
		return -1;
	snprintf(command, sizeof(command), "pmemsave 0 %llu \"/logs/ram\"", size);
	if (save("all of system memory", command))
		return -1;
	snprintf(command, sizeof(command), "pmemsave %#llx %llu \"/logs/bar\"",
		 (unsigned long long)demo->window.phys, POOL_LENGTH);
	return save("the BAR, as far as it was lent", command);
}

static void end_processes(struct demo *demo)
{
	int i;

	for (i = NR_ACTORS - 1; i >= 0; i--) {
		if (demo->actors[i].pid > 0 && actor_end(&demo->actors[i]) && all_is_well())
			fail(0, "a process did not end well");
	}
}

/* What the judge needs to know for the table */
static void note_hops(const struct demo *demo)
{
	const struct device *device;

	for (device = demo->devices; device < demo->devices + NR_DEVICES; device++)
		note("hop %d|%s|%s|%s|%s|%s|%llu|%d", device->step, device->name,
		     name_of(&device->function), device->way,
		     peerbuf_route_name(device->verdict.route), address_kind(device),
		     (unsigned long long)device->bytes, device->sound);
}

static void run(struct demo *demo)
{
	static int (* const steps[])(struct demo *demo) = {
		step_devices, step_processes, step_buffers, step_disk, step_wire,
		step_screen, step_addresses, step_evidence,
	};
	size_t i;

	demo->control = peerbuf_open_control();
	if (demo->control < 0) {
		fail(demo->control, "cannot open " PEERBUF_CONTROL_PATH);
		return;
	}
	if (addresses_watch()) {
		fail(0, "the kernel has no tracepoints of peerbuf");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		if (steps[i](demo))
			break;
	}
	end_processes(demo);
	if (i == ARRAY_SIZE(steps))
		note_hops(demo);
}

int main(void)
{
	struct demo demo = { };

	setvbuf(stdout, NULL, _IOLBF, 0);
	run(&demo);
	return all_is_well() ? 0 : 1;
}
